//! `/v1/agents`

mod change;
mod delete;
mod heartbeat;
mod read;
mod register;
mod stats;
mod status;
