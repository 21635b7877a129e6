//! Agents: registration, availability, passwords, sessions and rights.

mod accounts;
mod appoint_admin;
mod bootstrap;
mod brake;
mod change_agent;
mod change_password;
mod delete_agent;
mod log_in;
mod register_agent;
mod rights;
mod sessions;
mod set_status;

pub use accounts::Accounts;
pub use appoint_admin::AppointAdmin;
pub use bootstrap::{Bootstrap, is_set_up};
pub use brake::{FailureRates, GuessingBrake};
pub use change_agent::{AgentChanges, ChangeAgent};
pub use delete_agent::DeleteAgent;
pub use log_in::{LogIn, LoggedIn, PasswordChange};
pub use register_agent::RegisterAgent;
pub(crate) use rights::ensure_may_see;
pub use rights::{ensure_may_read_deleted, ensure_may_read_stats};
pub use sessions::{Sessions, TokenPair};
pub use set_status::SetStatus;
