//! Statements with their values: many rows at once, whole transactions, and scripts with literals for MySQL.

mod insert;
mod literal;
mod script;
mod statement;

pub(super) use insert::chunked;
pub use insert::{CHUNKS, placeholders};
pub(crate) use literal::push_text;
pub(super) use script::{MOST_ENQUEUED, Script};
pub(crate) use statement::{Statement, WholeTransaction};
