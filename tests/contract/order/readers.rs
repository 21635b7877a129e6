//! The ways in which the log is read.

use std::sync::Arc;

use application::ports::{EventLog, LogEvent, Position};
use async_trait::async_trait;
use infrastructure::database::{Database, Row};
use infrastructure::event_log::SqlEventLog;
use infrastructure::sql_args;

use super::checker::{LogUnderTest, Seen};
use crate::support::SOON;

/// Few enough for many pages, so that readers stop at every place.
const PAGE: usize = 7;

/// Asks the log as often as possible. It is mostly ahead of the log's memory, and reads from the database.
pub struct Impatient(pub Arc<SqlEventLog>);

/// Waits until the log reports new events, as projectors do.
pub struct Patient(pub Arc<SqlEventLog>);

/// Bypasses the log and reads the table.
pub struct PastTheLog(pub Database);

/// Reads the whole table each time.
pub struct WholeTable(pub Database);

#[async_trait]
impl LogUnderTest for Impatient {
    async fn visible_after(&self, position: Position) -> Vec<Seen> {
        self.0.read_after(position, PAGE).await.unwrap().iter().map(seen).collect()
    }
}

#[async_trait]
impl LogUnderTest for Patient {
    async fn visible_after(&self, position: Position) -> Vec<Seen> {
        let mut known = self.0.known_position();
        if *known.borrow_and_update() <= position {
            // There may be nothing more to come.
            drop(tokio::time::timeout(SOON / 100, known.changed()).await);
        }
        if *known.borrow() <= position {
            return vec![];
        }
        let page = self.0.read_after(position, PAGE).await.unwrap();
        assert!(!page.is_empty(), "what is known can be read");
        page.iter().map(seen).collect()
    }
}

#[async_trait]
impl LogUnderTest for PastTheLog {
    async fn visible_after(&self, position: Position) -> Vec<Seen> {
        rows_after(&self.0, position).await
    }
}

#[async_trait]
impl LogUnderTest for WholeTable {
    async fn visible_after(&self, position: Position) -> Vec<Seen> {
        let mut rows = rows_after(&self.0, 0).await;
        let is_prefix = (1..).zip(&rows).all(|(position, row)| row.position == position);
        assert!(is_prefix, "{:?}", rows.iter().map(|row| row.position).collect::<Vec<_>>());
        rows.split_off(usize::try_from(position).unwrap())
    }
}

async fn rows_after(database: &Database, position: Position) -> Vec<Seen> {
    let sql = "SELECT position, aggregate_id, sequence, recorded_us, event_id FROM events WHERE position > ? \
               ORDER BY position";
    database.fetch_all(sql, sql_args![position]).await.unwrap().iter().map(of_row).collect()
}

fn of_row(row: &Row) -> Seen {
    Seen {
        position: row.int("position").unwrap(),
        stream: row.uuid("aggregate_id").unwrap(),
        sequence: row.int("sequence").unwrap(),
        recorded_us: row.int("recorded_us").unwrap(),
        event_id: row.uuid("event_id").unwrap(),
    }
}

fn seen(event: &Arc<LogEvent>) -> Seen {
    use domain::ids::EntityId as _;
    let header = &event.header;
    Seen {
        position: header.position,
        stream: header.aggregate_id,
        sequence: header.sequence,
        recorded_us: header.recorded_at.as_micros(),
        event_id: header.event_id.uuid(),
    }
}
