use application::ports::Position;
pub use infrastructure::audit::{Aggregate as AggregateFilter, AuditFilter, AuditRecord, Moment};
use infrastructure::audit::{AuditPageRequest, AuditQueries};
use projections::{CursorError, Page, decode_cursor, encode_cursor};

use super::{Action, Caller, FreshReads, Refusal};

/// The longest actor or event type in bytes; the log has no longer ones.
pub const LONGEST_WORD: usize = 128;

/// Reads the event log, for admins.
#[derive(Clone)]
pub struct AuditReader {
    /// Waits for a demanded position.
    pub freshness: FreshReads,
    /// Reads the log.
    pub audit: AuditQueries,
}

/// A page of the log that a caller asks for, with the cursor of the page before.
#[derive(Debug)]
pub struct AuditQuery {
    /// The events that are wanted.
    pub filter: AuditFilter,
    /// The first event.
    pub from: Option<Moment>,
    /// The last event, included.
    pub to: Option<Moment>,
    /// The order.
    pub newest_first: bool,
    /// The cursor of the page before, of the same order.
    pub cursor: Option<String>,
    /// The most events of the page.
    pub limit: usize,
}

impl AuditQuery {
    /// Names the order in cursors, so that a cursor of the other order is refused.
    const fn list(&self) -> &'static str {
        if self.newest_first { "audit.newest" } else { "audit.oldest" }
    }

    /// The place in the log after which the page begins.
    ///
    /// # Errors
    /// When the cursor belongs to another list.
    fn after(&self) -> Result<Option<Position>, CursorError> {
        decode_cursor(self.list(), self.cursor.as_deref())
    }
}

impl AuditReader {
    /// Reads a page of events with positions and hashes, for admins. A page may be short, or even empty, and not be the last.
    ///
    /// # Errors
    /// [`super::Code::Forbidden`], [`super::Code::InvalidRequest`] for a cursor of another list,
    /// [`super::Code::PositionNotReached`], or when the log cannot be read.
    pub async fn page(
        &self,
        caller: &Caller,
        query: AuditQuery,
        at_least: Option<Position>,
    ) -> Result<Page<AuditRecord>, Refusal> {
        caller.ensure_may(Action::ReadAudit)?;
        let (list, after) = (query.list(), query.after().map_err(projections::QueryError::from)?);
        let AuditQuery { filter, from, to, newest_first, limit, .. } = query;
        self.freshness.reach_log(at_least).await?;
        let page = self.audit.page(&AuditPageRequest { filter, from, to, newest_first, after, limit }).await?;
        let next_cursor = page.next.map(|position| encode_cursor(list, position));
        Ok(Page { data: page.records, next_cursor })
    }
}
