//! Personal data in what is stored: reading it as it stands, and taking it out.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use uuid::Uuid;

use super::event_log::{AppendError, AppendRequest, EventHeader, LogEvent, ReadError, Receipt, Sequence, StreamId};

/// An event of a stream with the text of its payload, byte for byte.
#[derive(Clone, Debug)]
pub struct StoredText {
    /// The event, upcast and decoded.
    pub event: Arc<LogEvent>,
    /// Its payload as it is stored.
    pub payload: String,
    /// Whether its payload was erased.
    pub erased: bool,
}

/// What is to stand in the place of a stored payload.
#[derive(Clone, Debug)]
pub struct ErasedText {
    /// The event, all of which stays but the payload. The request of its command is forgotten, too.
    pub header: EventHeader,
    /// The JSON that is left.
    pub payload: String,
}

/// The log, and what is kept beside it, where personal data is concerned.
#[async_trait]
pub trait PersonalDataLog: Send + Sync + 'static {
    /// At most `limit` events of a stream after `after`, in order.
    ///
    /// # Errors
    /// See [`ReadError`].
    async fn read_texts(&self, stream: StreamId, after: Sequence, limit: usize) -> Result<Vec<StoredText>, ReadError>;

    /// Appends events that vouch for the erased texts, and puts these in the place of the payloads, in one transaction.
    /// It also takes away the salts, the stored states of the streams that get events, and what is remembered of the
    /// requests that had the texts in them.
    ///
    /// # Errors
    /// See [`AppendError`]; `Invalid` when a text could not be read as its event.
    async fn append_erasure(&self, request: AppendRequest, texts: Vec<ErasedText>) -> Result<Receipt, AppendError>;

    /// Takes away the kept answers that name one of these. Tells how many.
    ///
    /// # Errors
    /// See [`ReadError`].
    async fn forget_answers(&self, ids: &BTreeSet<Uuid>) -> Result<u64, ReadError>;

    /// Takes what was overwritten off the disk, as far as the database lets itself be asked to. Tells whether nothing
    /// is left to be taken off later.
    ///
    /// # Errors
    /// See [`ReadError`].
    async fn wipe(&self) -> Result<bool, ReadError>;
}
