//! The tables: their migrations, and copies of them under other names.

mod error;
mod exchange;
mod migrate;
mod migrations;
mod primary_key;
mod survey;

pub use error::MigrateError;
pub use exchange::{Holder, TableCopies};
pub use migrate::SchemaLock;
pub(crate) use migrate::new_epoch;
pub(super) use migrate::{are_all, has_table, pending, run};
pub(super) use migrations::newest;
pub use primary_key::PrimaryKey;
