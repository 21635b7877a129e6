//! Reads the log in the order of its positions.

use std::sync::Arc;

use application::ports::{LogEvent, Position, ReadError};
use domain::event::Upcasters;

use crate::database::{Database, DatabaseError, Row};
use crate::event_log::stored::{COLUMNS, StoredEvent};
use crate::sql_args;

/// The most events of one page.
pub(crate) const MAX_PAGE: usize = 4_096;

/// The most bytes of payloads and metadata of one page. Pages of few events are not measured: they are read all the time.
const MAX_PAGE_BYTES: i64 = 4 << 20;
const FEW: usize = 64;

/// A page has at least so many events, if there are any: a reader that holds the first one must see another.
const LEAST: usize = 2;

/// Reads and decodes pages from the database.
#[derive(Clone)]
pub(crate) struct LogReader {
    database: Database,
    upcasters: &'static Upcasters,
    select_page: Arc<str>,
}

impl LogReader {
    pub(crate) fn new(database: Database, upcasters: &'static Upcasters) -> Self {
        let select_page = format!("SELECT {COLUMNS} FROM events WHERE position > ? ORDER BY position LIMIT ?").into();
        Self { database, upcasters, select_page }
    }

    pub(crate) const fn upcasters(&self) -> &'static Upcasters {
        self.upcasters
    }

    /// The events after `after`, without a hole.
    pub(crate) async fn page(&self, after: Position, limit: usize) -> Result<Vec<Arc<LogEvent>>, ReadError> {
        let mut rows = self.rows(after, limit).await?;
        if find_hole(after, &rows)?.is_some() {
            // Positions become visible in their order, so a hole is impossible; look twice before reporting one.
            rows = self.rows(after, limit).await?;
            if let Some(position) = find_hole(after, &rows)? {
                return Err(ReadError::HistoryForked { position });
            }
        }
        (after + 1..).zip(&rows).map(|(position, row)| self.decode(position, row)).collect()
    }

    async fn rows(&self, after: Position, limit: usize) -> Result<Vec<Row>, ReadError> {
        let limit = limit.min(MAX_PAGE);
        let limit = if limit > FEW { self.fitting(after, limit).await? } else { limit };
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.database.fetch_all(&self.select_page, sql_args![after, limit]).await.map_err(unavailable)
    }

    /// The number of events that fit a page: a log may hold few large ones, or many of them one after the other.
    async fn fitting(&self, after: Position, limit: usize) -> Result<usize, ReadError> {
        const SIZES: &str = "SELECT OCTET_LENGTH(payload) + OCTET_LENGTH(metadata) AS size FROM events
            WHERE position > ? ORDER BY position LIMIT ?";
        let args = sql_args![after, i64::try_from(limit).unwrap_or(i64::MAX)];
        let rows = self.database.fetch_all(SIZES, args).await.map_err(unavailable)?;
        let (mut bytes, mut events) = (0_i64, 0);
        for row in &rows {
            bytes = bytes.saturating_add(row.int("size").map_err(|error| unavailable(error.into()))?);
            if bytes > MAX_PAGE_BYTES && events >= LEAST {
                break;
            }
            events += 1;
        }
        Ok(events.max(1))
    }

    fn decode(&self, position: Position, row: &Row) -> Result<Arc<LogEvent>, ReadError> {
        StoredEvent::from_row(row).map_err(|error| error.at(position))?.decode(self.upcasters)
    }
}

/// The first position that is missing.
fn find_hole(after: Position, rows: &[Row]) -> Result<Option<Position>, ReadError> {
    for (expected, row) in (after + 1..).zip(rows) {
        let found = row.int("position").map_err(|error| unavailable(error.into()))?;
        if found != expected {
            return Ok(Some(expected));
        }
    }
    Ok(None)
}

/// A failure of the database, as one of the log.
pub(crate) fn unavailable(error: DatabaseError) -> ReadError {
    ReadError::Unavailable { source: Box::new(error) }
}
