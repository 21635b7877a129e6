//! `/v1/threads`

mod events;
mod opening;
mod read;
