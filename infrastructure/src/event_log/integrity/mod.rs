//! The proof that nobody has changed the log.

pub mod chain;
mod chain_walk;
mod records;
mod verify;

pub use chain_walk::{Broken, ChainWalk, Damage, Evidence};
pub use records::{ForeignRecord, find_foreign_records};
pub use verify::{VerifiedLog, VerifyError, verify_against, verify_chain};
pub(crate) use verify::{ensure_vouched, evidence_after, evidence_in, nothing_outside};
