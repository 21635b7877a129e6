//! What the tests share: fresh databases, a log in memory, and a desk whose people do things.

mod databases;
mod desk;
mod explain;
mod log;
mod projecting;

pub(crate) use databases::{Fresh, fresh_databases};
pub(crate) use desk::{Desk, Time, name};
pub(crate) use explain::explain;
pub(crate) use log::MemoryLog;
pub(crate) use projecting::{clear, project, project_with};
