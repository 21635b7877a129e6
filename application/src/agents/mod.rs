//! The people who answer: registration, availability, log-in.

mod bootstrap;
mod log_in;
mod register_agent;
mod set_status;

pub use bootstrap::{Bootstrap, is_set_up};
pub use log_in::{LogIn, LoggedIn};
pub use register_agent::RegisterAgent;
pub use set_status::SetStatus;
