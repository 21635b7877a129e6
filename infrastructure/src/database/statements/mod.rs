//! The text of statements: many rows at once, values as literals, several statements in one script.

mod insert;
mod literal;
mod script;

pub(super) use insert::chunked;
pub use insert::placeholders;
pub(crate) use literal::push_text;
pub(super) use script::Script;
