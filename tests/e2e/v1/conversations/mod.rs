//! `/v1/conversations`

mod assign;
mod bulk;
mod close;
mod list;
mod read;
mod reopen;
mod transfer;
