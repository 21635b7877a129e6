//! The read models: projectors that fill tables from the log, and the queries that read them.
//!
//! One folder a view. Everything in these tables follows from the log alone: [`rebuild`] fills an empty database anew
//! and compares it with a live one.

pub mod agent_stats;
pub mod agents;
pub mod conversations;
mod cursor;
mod erasure;
mod error;
mod page;
mod pairs;
mod queue_places;
pub mod rebuild;
pub mod routing;
mod rows;
pub mod search;
mod sql;
pub mod tags;
#[cfg(test)]
mod testing;
pub mod thread_events;

pub use cursor::{CursorError, decode as decode_cursor, encode as encode_cursor};
pub use error::QueryError;
pub use page::{Deleted, Page, PageRequest};
pub use rebuild::view_projectors;
