//! The labels that can be put on conversations.

mod projector;
mod queries;
mod row;
#[cfg(test)]
mod tests;

pub use projector::TagsProjector;
pub use queries::{TagQueries, TagView};

pub(crate) use row::TagRow;
