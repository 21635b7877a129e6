//! The tables: their migrations, and copies of them under other names.

mod exchange;
mod migrate;
mod migrations;
mod primary_key;

pub use exchange::TableCopies;
pub(crate) use migrate::new_epoch;
pub use migrate::{MigrateError, SchemaLock};
pub(super) use migrate::{has_table, newest, pending, run};
pub use primary_key::PrimaryKey;
