//! What changes only by decision: what the log promises, what it stores, and what the workspace is built from.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers as in itself")]

mod append;
mod commands;
mod connection;
mod dependencies;
mod docs;
mod doors;
mod durability;
mod graphql;
mod interop;
mod layout;
mod matrix;
mod order;
mod rollbacks;
mod snapshots;
mod structure;
mod subscription;
mod support;
mod texts;
mod upcasting;
mod use_cases;
mod vendor;
