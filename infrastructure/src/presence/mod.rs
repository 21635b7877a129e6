//! Presence of agents: the table of leases, and the watch that ends them.
//!
//! The leases are in the database and not in Redis: they outlive a restart, a FLUSHALL and an outage of Redis without
//! rules of their own, and a heartbeat is one small write each quarter of a minute.

mod store;
#[cfg(test)]
mod tests;
mod watch;

pub use store::SqlPresenceStore;
pub use watch::PresenceWatch;
