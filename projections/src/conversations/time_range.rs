//! Ranges of time as ranges of positions.
//!
//! Lists are in the order of the log, and the times of the conversations almost are: clocks of several nodes differ, and
//! commands overtake each other. The view keeps by how much a start was ever late, and so knows from which position on
//! everything is inside a range of time.

use application::ports::Position;
use infrastructure::database::{Database, DatabaseError, Transaction};
use infrastructure::sql_args;

use super::{ConversationFilter, ConversationRow};
use crate::table::ViewTable;

pub(crate) const CLOCK_TABLE: ViewTable =
    ViewTable { name: "conversation_clock", columns: &["id", "latest_us", "lateness_us"] };

/// The latest start so far, and by how much one was ever behind the latest before it.
#[derive(Clone, Copy, PartialEq, Eq)]
struct StartTimes {
    latest: i64,
    lateness: i64,
}

async fn read(tx: &mut Transaction) -> Result<Option<StartTimes>, DatabaseError> {
    const SQL: &str = "SELECT latest_us, lateness_us FROM conversation_clock WHERE id = 1";
    let Some(row) = tx.fetch_optional(SQL, vec![]).await? else { return Ok(None) };
    Ok(Some(StartTimes { latest: row.int("latest_us")?, lateness: row.int("lateness_us")? }))
}

/// Notes the times of conversations that have begun.
pub(super) async fn save<'a>(
    tx: &mut Transaction,
    changes: impl Iterator<Item = (Option<&'a ConversationRow>, &'a ConversationRow)>,
) -> Result<(), DatabaseError> {
    const INSERT: &str = "INSERT INTO conversation_clock (latest_us, lateness_us, id) VALUES (?, ?, 1)";
    const UPDATE: &str = "UPDATE conversation_clock SET latest_us = ?, lateness_us = ? WHERE id = 1";
    let begun = changes.filter(|(stored, _)| stored.is_none());
    let mut starts: Vec<_> = begun.map(|(_, now)| (now.created_position, now.created_at.as_micros())).collect();
    if starts.is_empty() {
        return Ok(());
    }
    starts.sort_unstable();
    let stored = read(tx).await?;
    let mut times = stored.unwrap_or(StartTimes { latest: i64::MIN, lateness: 0 });
    for (_, at) in starts {
        times.latest = times.latest.max(at);
        times.lateness = times.lateness.max(times.latest.saturating_sub(at));
    }
    if stored != Some(times) {
        let sql = if stored.is_some() { UPDATE } else { INSERT };
        tx.enqueue(sql, sql_args![times.latest, times.lateness]).await?;
    }
    Ok(())
}

/// The positions between which everything lies that the range of time holds; both are outside of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Between {
    pub(super) after: Option<Position>,
    pub(super) before: Option<Position>,
}

/// Looks for them.
pub(super) async fn positions(database: &Database, filter: &ConversationFilter) -> Result<Between, DatabaseError> {
    const LATENESS: &str = "SELECT lateness_us FROM conversation_clock WHERE id = 1";
    const EARLIER: &str =
        "SELECT created_position FROM conversations WHERE created_us < ? ORDER BY created_us DESC LIMIT 1";
    const LATER: &str = "SELECT created_position FROM conversations WHERE created_us >= ? ORDER BY created_us LIMIT 1";
    if filter.from.is_none() && filter.to.is_none() {
        return Ok(Between::default());
    }
    let lateness = database.fetch_optional(LATENESS, vec![]).await?;
    let lateness = lateness.map(|row| row.int("lateness_us")).transpose()?.unwrap_or_default();
    let mut between = Between::default();
    if let Some(from) = filter.from {
        between.after = position(database, EARLIER, from.as_micros().saturating_sub(lateness)).await?;
    }
    if let Some(to) = filter.to {
        between.before = position(database, LATER, to.as_micros().saturating_add(lateness)).await?;
    }
    Ok(between)
}

async fn position(database: &Database, sql: &str, at: i64) -> Result<Option<Position>, DatabaseError> {
    let row = database.fetch_optional(sql, sql_args![at]).await?;
    Ok(row.map(|row| row.int("created_position")).transpose()?)
}
