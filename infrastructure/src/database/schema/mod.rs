//! The tables: their migrations, and copies of them under other names.

mod migrate;
mod migrations;
mod table_aliases;
mod tables;

pub(crate) use migrate::new_epoch;
pub use migrate::{MigrateError, SchemaLock};
pub(super) use migrate::{has_table, newest, pending, run};
pub use table_aliases::TableNames;
pub use tables::{PrimaryKey, TableCopies};
