//! Reads the log in the order of its positions.

use std::sync::Arc;

use application::ports::{LogEvent, Position, ReadError};
use domain::event::Upcasters;

use crate::database::{Database, DatabaseError, Row};
use crate::event_log::stored::{COLUMNS, StoredEvent};
use crate::sql_args;

/// The most events of one page.
pub(crate) const MAX_PAGE: usize = 4_096;

/// Reads and decodes pages from the database.
#[derive(Clone)]
pub(crate) struct Reader {
    database: Database,
    upcasters: &'static Upcasters,
    select_page: Arc<str>,
}

impl Reader {
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
        let limit = i64::try_from(limit.min(MAX_PAGE)).unwrap_or(i64::MAX);
        self.database.fetch_all(&self.select_page, sql_args![after, limit]).await.map_err(unavailable)
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
