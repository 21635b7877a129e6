//! Exports of the log that can be proved untampered without the database.
//!
//! An export is one event a line between an opening and a head, as NDJSON or as CSV. The opening names the history, the
//! position of the first event and the hash before it. Each event carries what its digest and its hash are computed from
//! (see [`crate::event_log::chain`]), so that the chain can be computed again from the file alone. The head repeats where
//! the export ends, with the SHA-256 of all bytes before the head's line, and is signed with Ed25519 (RFC 8032). The
//! signature is over the ASCII text `livechatlog-audit-head-1`, a line feed, and the head's JSON text.
//!
//! An export of some events only has the hash of the omitted predecessor where a gap ends: each event is then proved to
//! belong to the hash that it claims, and the signature proves that the exporter saw these and no others.

mod export;
mod filter;
mod format;
mod key;
mod query;
mod record;
mod verify_file;

#[cfg(test)]
mod tests;

pub use export::{ExportError, ExportRange, ExportSummary, export};
pub use filter::{Aggregate, AuditFilter, Moment, NotAMoment, NotAnAggregate, positions_between};
pub use format::Format;
pub use key::{AuditKey, KeyError, PublicKey};
pub use query::{AuditPage, AuditPageRequest, AuditQueries};
pub use record::AuditRecord;
pub(crate) use record::HexHash;
pub use verify_file::{FileError, VerifiedExport, verify_file};
