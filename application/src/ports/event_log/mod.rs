//! The append-only, globally ordered event log.

mod append;
mod freshness;
mod place;
mod read;

use std::sync::Arc;

use async_trait::async_trait;
use domain::ids::CommandId;
use tokio::sync::watch;

pub use append::{AppendError, AppendRequest, CommandRecord, NewEvent, Receipt, Repeatable, StreamAppend};
pub use freshness::{Freshness, Growth, SeenStream};
pub use place::{Epoch, Hash, Position, Sequence, StreamId, StreamVersion};
pub use read::{AsOf, EventHeader, LogEvent, LogHead, ReadError, StreamEvent, VersionedState};

/// The event log. A reader that sees position N sees every position below N.
#[async_trait]
pub trait EventLog: Send + Sync + 'static {
    /// Appends all events of the request or none. Returns after the commit.
    ///
    /// # Errors
    /// See [`AppendError`].
    async fn append(&self, request: AppendRequest) -> Result<Receipt, AppendError>;

    /// Finds a repeatable command that was carried out before.
    ///
    /// # Errors
    /// See [`ReadError`].
    async fn find_command(&self, command_id: CommandId) -> Result<Option<CommandRecord>, ReadError>;

    /// Reads at most `limit` events after `after`, in order. The page may be shorter than the log; an empty page means
    /// the end of the log.
    ///
    /// # Errors
    /// See [`ReadError`].
    async fn read_after(&self, after: Position, limit: usize) -> Result<Vec<Arc<LogEvent>>, ReadError>;

    /// Reads the events of one stream after `after`, in order.
    ///
    /// # Errors
    /// See [`ReadError`].
    async fn read_stream(&self, stream: StreamId, after: Sequence) -> Result<Vec<StreamEvent>, ReadError>;

    /// Reads the first events of [`Self::read_stream`], at most `limit`.
    ///
    /// # Errors
    /// See [`ReadError`].
    async fn read_stream_page(
        &self,
        stream: StreamId,
        after: Sequence,
        limit: usize,
    ) -> Result<Vec<StreamEvent>, ReadError> {
        let mut events = self.read_stream(stream, after).await?;
        events.truncate(limit);
        Ok(events)
    }

    /// Finds which of these streams have further events. Without `as_of` it considers everything that was committed
    /// before the call. With `as_of` it considers at least what was committed by then, and does not ask the database
    /// where the log ends.
    ///
    /// # Errors
    /// See [`ReadError`].
    async fn find_grown(&self, seen: &[SeenStream], as_of: Option<AsOf>) -> Result<Growth, ReadError>;

    /// The freshness of a stream of which nothing has been read yet. Take it before reading: a state that was read before
    /// a rollback must not pass for one that was read after it.
    fn nothing_read(&self) -> Freshness;

    /// Finds the newest snapshot with this fingerprint.
    ///
    /// # Errors
    /// See [`ReadError`].
    async fn find_snapshot(&self, stream: StreamId, fingerprint: &str) -> Result<Option<VersionedState>, ReadError>;

    /// Stores a snapshot. A lost snapshot only costs time.
    ///
    /// # Errors
    /// See [`ReadError`].
    async fn save_snapshot(
        &self,
        stream: StreamId,
        fingerprint: &str,
        snapshot: VersionedState,
    ) -> Result<(), ReadError>;

    /// Reads the end of the log from the database.
    ///
    /// # Errors
    /// See [`ReadError`].
    async fn head(&self) -> Result<LogHead, ReadError>;

    /// Whether the log has failed for good, so that only a restart of the process helps.
    fn has_broken_down(&self) -> bool;

    /// The highest position that this node knows of. Followers of the log wait for it to change.
    fn known_position(&self) -> watch::Receiver<Position>;
}
