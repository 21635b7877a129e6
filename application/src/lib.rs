//! The use cases: what people and processes can do, over ports that the outer crates implement.
//!
//! A use case checks the caller's rights, loads aggregates, lets them decide and appends all their events at once. The
//! [`command_bus::CommandBus`] runs it in a task of its own, retries it on conflict and answers repeated commands from
//! the log.

#![warn(clippy::wildcard_enum_match_arm)]

pub mod agents;
pub mod backoff;
pub mod chat;
pub mod command_bus;
mod error;
pub mod groups;
mod installation_key;
pub mod invariants;
pub mod ports;
pub mod presence;
pub mod process_managers;
pub mod tags;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod visitors;

pub use error::{Entity, UseCaseError};
pub use installation_key::InstallationKey;
