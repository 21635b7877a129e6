//! The people who answer: registration, availability, log-in.

mod appoint_admin;
mod bootstrap;
mod change_agent;
mod change_password;
mod delete_agent;
mod log_in;
mod register_agent;
mod sessions;
mod set_status;
mod stats_access;

pub use appoint_admin::AppointAdmin;
pub use bootstrap::{Bootstrap, is_set_up};
pub use change_agent::{AgentChanges, ChangeAgent};
pub use delete_agent::DeleteAgent;
pub use log_in::{LogIn, LoggedIn};
pub use register_agent::RegisterAgent;
pub use sessions::{Sessions, TokenPair};
pub use set_status::SetStatus;
pub use stats_access::ensure_may_read_stats;
