//! For tests: databases compared as a whole; in this crate also a desk at which agents and visitors act.
//! Databases come from [`infrastructure::testing`].

#[cfg(test)]
mod desk;
mod dump;
#[cfg(test)]
mod explain;
#[cfg(test)]
mod projecting;

#[cfg(test)]
pub(crate) use desk::{Desk, Time, name};
pub use dump::{Difference, Dump, compare, dump, rebuild_into};
#[cfg(test)]
pub(crate) use explain::explain;
#[cfg(test)]
pub(crate) use projecting::{clear, project, project_with};
