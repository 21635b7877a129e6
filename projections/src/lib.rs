//! The read models: projectors that fill tables from the log, and the queries that read them.
//!
//! One folder a view, with a projector and queries; `catalog.rs` lists all of them. Everything in these tables follows from
//! the log alone: [`rebuild`] fills copies of them from the beginning, and compares or exchanges them with the live ones.
//! `routing/` is no view but the stored memory of the router, which a query may read as well.
//!
//! To add a view: write its tables into a migration, a folder with a projector (`Subscriber` and `View`) and its queries, and
//! name it and its tables in `catalog.rs`. Tests then fail until every table has a projector and every column is compared.

#![warn(clippy::wildcard_enum_match_arm)]

pub mod agent_stats;
pub mod agents;
mod catalog;
pub mod conversations;
mod cursor;
mod erasure;
mod error;
mod page;
mod pairs;
mod queue_positions;
pub mod rebuild;
pub mod routing;
mod rows;
#[cfg(feature = "schema")]
mod schema;
pub mod search;
mod sql;
mod table;
pub mod tags;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod text;
pub mod thread_events;

pub use catalog::{Manager, all_managers, all_subscriber_ids, all_subscribers, all_view_tables, all_views};
pub use cursor::{CursorError, decode as decode_cursor, encode as encode_cursor};
pub use error::QueryError;
pub use page::{Deleted, Page, PageRequest};
pub use table::ViewTable;
