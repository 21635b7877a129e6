//! `/v1/threads`

mod events;
