//! Proves that the views are what the log says, and makes them so: fills copies of their tables from the log, while the live
//! ones are read and written, and puts them in their place.
//!
//! The story of a rebuild is in [`Replay`], one step after the other in `work.rs`; how the databases exchange tables is the
//! business of [`infrastructure::database::TableCopies`].

mod commands;
mod differ;
mod error;
mod first;
mod observer;
mod outdated;
mod pass;
mod replay;
mod target;
#[cfg(test)]
mod tests;
mod verify;
mod work;

pub use differ::RowDifference;
pub use error::RebuildError;
pub use observer::{RebuildObserver, Rebuilt};
pub use outdated::rebuild_outdated;
pub use replay::Replay;
