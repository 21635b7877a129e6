//! Stories over HTTP and by command, on each database. The folders mirror the URLs and the commands; `cross` has what spans
//! them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers as in itself")]

mod cli;
mod cross;
mod docs;
mod graphql;
mod health;
mod metrics;
mod office;
mod pages;
mod support;
mod v1;
