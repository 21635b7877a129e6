//! The real router, use cases and aggregates in small worlds that come again with their seed: people, crashes, storms and
//! processes that overtake each other, with a clock that never waits.
//!
//! `SIMULATION_SEEDS` says how many worlds, `SIMULATION_FROM` the first, `SIMULATION_SEED` the only one, with its trace.

#[cfg(test)]
mod actions;
#[cfg(test)]
mod clock;
#[cfg(test)]
mod log;
#[cfg(test)]
mod mutation;
#[cfg(test)]
mod node;
#[cfg(test)]
mod oracle;
#[cfg(test)]
mod rng;
#[cfg(test)]
mod suite;
#[cfg(test)]
mod world;
