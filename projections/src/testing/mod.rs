//! What the tests share: a log in memory, and a desk with agents and visitors who act. Databases come from
//! [`infrastructure::testing`].

mod desk;
mod explain;
mod log;
mod projecting;

pub(crate) use desk::{Desk, Time, name};
pub(crate) use explain::explain;
pub(crate) use log::MemoryLog;
pub(crate) use projecting::{clear, project, project_with};
