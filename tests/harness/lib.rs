//! What the test suites share: fresh databases, an adjustable clock, the real program as a process, HTTP clients and
//! waiting for something to come about.
//!
//! It is for tests: what goes wrong here panics and says why.

mod client;
mod clock;
pub mod conformance;
mod database;
pub mod desk;
mod eventually;
mod half_open;
mod history;
mod invariants;
mod people;
mod process;
mod proxy;
mod raw_http;
mod rng;
mod server;
mod sse;
mod stream;

pub use client::{Client, Reply};
pub use clock::TestClock;
pub use desk::Desk;
pub use eventually::{DEADLINE, eventually};
pub use half_open::HalfOpenProxy;
pub use history::History;
pub use infrastructure::testing::{DatabaseKind, TestDatabase, databases, left_out, left_out_without};
pub use invariants::Standing;
pub use people::{Person, Visitor};
pub use process::{Process, ProcessBuilder, free_port, program, run_on};
pub use proxy::{Fault, FaultyProxy};
pub use raw_http::{LateRequest, RawReply, raw_http};
pub use rng::Rng;
pub use server::{ADMIN_EMAIL, METRICS_TOKEN, PASSWORD, Server};
pub use sse::{Event, Events};
pub use stream::{Closed, Stream, assert_documented};

#[doc(hidden)]
pub use tokio;
