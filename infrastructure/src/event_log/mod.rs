//! The event log in a database.

mod append;
mod erasure;
mod head;
mod history;
mod integrity;
mod log;
mod snapshots;
mod stored;
mod tail;

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

pub use append::{REFUSAL_REASONS, RETRY_CAUSES};
pub(crate) use head::{read as read_head, read_in as read_head_in};
pub use history::LogHint;
pub use integrity::{
    Broken, ChainWalk, Damage, Evidence, ForeignRecord, VerifiedLog, VerifyError, chain, find_foreign_records,
    verify_against, verify_chain,
};
pub(crate) use integrity::{ensure_vouched, evidence_after, evidence_in, nothing_outside};
pub use log::{LogPorts, SqlEventLog};
