//! The rules of live chat, without I/O, clock or randomness.
//!
//! Each aggregate is a [`cqrs_es::Aggregate`] whose rules are one pure `decide` function and whose state is one
//! infallible `apply`. Ids and time arrive in the command.

#![warn(clippy::wildcard_enum_match_arm)]
#![cfg_attr(not(test), warn(unreachable_pub))]

pub mod agent;
pub mod aggregate;
pub mod assignment;
mod claim;
pub mod conversation;
pub mod event;
#[cfg(test)]
mod fixtures;
pub mod group;
pub mod ids;
pub mod invariants;
pub mod routing;
#[cfg(feature = "schema")]
pub mod schema;
pub mod tag;
#[cfg(test)]
mod testing;
pub mod text;
pub mod thread;
pub mod time;
pub mod visitor;
pub mod workspace;
