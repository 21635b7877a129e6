//! For tests: an event log in memory; in this crate also a company with all parts that use cases and services need.

#[cfg(test)]
mod company;
mod log;
#[cfg(test)]
mod stores;

#[cfg(test)]
pub(crate) use company::{ADMIN, Company, password};
pub use log::{MemoryLog, find_grown_by_reading};
#[cfg(test)]
pub(crate) use stores::CountingLimiter;
