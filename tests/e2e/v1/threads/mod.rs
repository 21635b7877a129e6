//! `/v1/threads`

mod events;
mod read;
