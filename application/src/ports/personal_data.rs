//! Stored personal data: reading it as stored, and erasing it.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use uuid::Uuid;

use super::event_log::{AppendError, AppendRequest, EventHeader, LogEvent, ReadError, Receipt, Sequence, StreamId};

/// An event of a stream with its payload as stored, byte for byte.
#[derive(Clone, Debug)]
pub struct StoredText {
    /// Upcast and decoded.
    pub event: Arc<LogEvent>,
    /// As stored.
    pub payload: String,
    /// Whether the payload was erased earlier.
    pub erased: bool,
}

/// The replacement of a stored payload.
#[derive(Clone, Debug)]
pub struct ErasedText {
    /// The event. Its header stays; the stored request of its command is removed.
    pub header: EventHeader,
    /// The redacted JSON.
    pub payload: String,
}

/// Access to personal data in the log and in the stores alongside it.
#[async_trait]
pub trait PersonalDataLog: Send + Sync + 'static {
    /// Reads at most `limit` events of a stream after `after`, in order.
    ///
    /// # Errors
    /// See [`ReadError`].
    async fn read_texts(&self, stream: StreamId, after: Sequence, limit: usize) -> Result<Vec<StoredText>, ReadError>;

    /// Appends events with the digests of the redacted payloads and replaces the payloads, in one transaction. It also
    /// deletes the salts, the snapshots of the streams that get events, and the stored requests that held the texts.
    ///
    /// # Errors
    /// See [`AppendError`]; `Invalid` if a text could not be read as its event.
    async fn append_erasure(&self, request: AppendRequest, texts: Vec<ErasedText>) -> Result<Receipt, AppendError>;

    /// Deletes the stored answers that name one of these ids. Returns their number.
    ///
    /// # Errors
    /// See [`ReadError`].
    async fn forget_answers(&self, ids: &BTreeSet<Uuid>) -> Result<u64, ReadError>;

    /// Removes overwritten data from the disk, as far as the database allows. Returns whether nothing is left to remove
    /// later.
    ///
    /// # Errors
    /// See [`ReadError`].
    async fn wipe(&self) -> Result<bool, ReadError>;
}
