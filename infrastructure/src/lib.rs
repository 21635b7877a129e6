//! The adapters behind the ports of the application.

pub mod audit;
pub mod auth;
pub mod backup;
mod batching;
pub mod database;
pub mod event_log;
pub mod fanout;
pub mod housekeeping;
pub mod inspect;
pub mod lease;
pub mod presence;
pub mod rate_limits;
pub mod redis;
pub mod responses;
pub mod secret_file;
pub mod subscription;
pub mod system;
pub mod wake_ups;
pub mod write_probe;

#[cfg(any(test, feature = "testing"))]
pub mod testing;
