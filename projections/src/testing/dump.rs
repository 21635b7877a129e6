use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use application::ports::{EventLog, LogEvent, Position};
use infrastructure::database::{Database, DatabaseError, Row, RowError};
use infrastructure::subscription::Subscriber;
use serde_json::{Map, Value};

use crate::catalog::{all_subscribers, all_view_tables};
use crate::rebuild::RebuildError;
use crate::rows::json_value;
use crate::table::ViewTable;

/// How many events are handled in one transaction.
const PAGE: usize = 500;

/// The rows of each table as JSON, in an order that depends on nothing but themselves.
pub type Dump = BTreeMap<&'static str, Vec<String>>;

/// The rows of a table that only one of two databases has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The name of the table.
    pub table: &'static str,
    /// The rows of the live database that the log does not explain.
    pub only_live: Vec<String>,
    /// The rows that the log gives and the live database has not.
    pub only_rebuilt: Vec<String>,
}

/// The rows of the views and of the router's state.
///
/// # Errors
/// When the database does not answer.
pub async fn dump(database: &Database) -> Result<Dump, DatabaseError> {
    let mut tables = Dump::new();
    for table in all_view_tables() {
        let sql = format!("SELECT {} FROM {}", table.columns.join(", "), table.name);
        let rows = database.fetch_all(&sql, vec![]).await?;
        let mut rows = rows.iter().map(|row| json(row, &table)).collect::<Result<Vec<_>, _>>()?;
        rows.sort_unstable();
        tables.insert(table.name, rows);
    }
    Ok(tables)
}

/// Where two databases differ; nowhere when they have projected the same log to the same position.
#[must_use]
pub fn compare(live: &Dump, rebuilt: &Dump) -> Vec<Difference> {
    let rows = |dump: &Dump, table| dump.get(table).into_iter().flatten().cloned().collect::<BTreeSet<_>>();
    let difference = |table: ViewTable| {
        let (live, rebuilt) = (rows(live, table.name), rows(rebuilt, table.name));
        Difference {
            table: table.name,
            only_live: live.difference(&rebuilt).cloned().collect(),
            only_rebuilt: rebuilt.difference(&live).cloned().collect(),
        }
    };
    let differs = |found: &Difference| !found.only_live.is_empty() || !found.only_rebuilt.is_empty();
    all_view_tables().into_iter().map(difference).filter(differs).collect()
}

fn json(row: &Row, table: &ViewTable) -> Result<String, RowError> {
    let mut fields = Map::new();
    for column in table.columns {
        fields.insert((*column).to_owned(), json_value(row, column)?);
    }
    Ok(Value::Object(fields).to_string())
}

/// Fills a migrated database without any rows from the whole log, and returns how far it came.
///
/// # Errors
/// See [`RebuildError`].
pub async fn rebuild_into(log: &Arc<dyn EventLog>, target: &Database) -> Result<Position, RebuildError> {
    let subscribers = all_subscribers(Arc::default());
    for subscriber in &subscribers {
        subscriber.load(target).await?;
    }
    let mut position = 0;
    loop {
        let events = log.read_after(position, PAGE).await?;
        let Some(last) = events.last() else { return Ok(position) };
        position = last.header.position;
        handle(&subscribers, &events, target).await?;
    }
}

async fn handle(
    subscribers: &[Arc<dyn Subscriber>],
    events: &[Arc<LogEvent>],
    target: &Database,
) -> Result<(), RebuildError> {
    let mut tx = target.begin_view().await?;
    for subscriber in subscribers {
        let handled: Vec<_> = events.iter().filter(|event| subscriber.handles(&event.event)).cloned().collect();
        subscriber.handle(&handled, &mut tx).await?;
    }
    tx.commit().await?;
    Ok(())
}
