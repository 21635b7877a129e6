//! The real router, use cases and aggregates in small worlds that come again with their seed: people, crashes, storms and
//! processes that overtake each other, with a clock that never waits.
//!
//! `SIMULATION_SEEDS` says how many worlds, `SIMULATION_FROM` the first, `SIMULATION_SEED` the only one, with its trace.

mod actions;
mod clock;
mod log;
mod mutation;
mod node;
mod oracle;
mod suite;
mod world;
