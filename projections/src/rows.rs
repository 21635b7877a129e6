use std::collections::{BTreeMap, BTreeSet};

use application::ports::LogEvent;
use domain::ids::EntityId;
use infrastructure::database::{Database, DatabaseError, Row, RowError, SqlValue, Transaction, placeholders};
use infrastructure::sql_args;
use infrastructure::subscription::HandleError;
use serde_json::Value;
use uuid::Uuid;

use crate::error::poison;
use crate::sql::filled_chunks;
use crate::table::ViewTable;

/// A row of a view, one for each aggregate.
pub(crate) trait ViewRow: Clone + PartialEq + Sized {
    /// Where it is kept; the key is `id`.
    const TABLE: ViewTable;

    /// Which aggregate.
    fn id(&self) -> Uuid;

    fn read(row: &Row) -> Result<Self, RowError>;

    /// One value for each column, in their order.
    fn values(&self) -> Vec<SqlValue>;
}

/// The rows that a page of events changes: read once, folded in memory, written once.
pub(crate) struct Rows<R> {
    slots: BTreeMap<Uuid, Slot<R>>,
}

struct Slot<R> {
    stored: Option<R>,
    now: R,
}

impl<R: ViewRow> Rows<R> {
    /// Reads what is stored of these.
    pub(crate) async fn load(tx: &mut Transaction, ids: BTreeSet<Uuid>) -> Result<Self, DatabaseError> {
        Self::load_by(tx, "id", ids).await
    }

    /// Reads the stored rows that have one of these ids in a column.
    pub(crate) async fn load_by(
        tx: &mut Transaction,
        column: &str,
        ids: BTreeSet<Uuid>,
    ) -> Result<Self, DatabaseError> {
        let ids: Vec<_> = ids.into_iter().collect();
        let mut slots = BTreeMap::new();
        for row in fetch_by(tx, R::TABLE.name, column, &ids).await? {
            let row = R::read(&row)?;
            slots.insert(row.id(), Slot { stored: Some(row.clone()), now: row });
        }
        Ok(Self { slots })
    }

    /// The row that an event changes.
    pub(crate) fn change(&mut self, event: &LogEvent) -> Result<&mut R, HandleError> {
        let id = event.header.aggregate_id;
        self.find(id).ok_or_else(|| poison(event, "changes what the view does not have"))
    }

    /// A row, if it is there and was loaded.
    pub(crate) fn find(&mut self, id: Uuid) -> Option<&mut R> {
        self.slots.get_mut(&id).map(|slot| &mut slot.now)
    }

    /// The row that an event creates.
    pub(crate) fn create(&mut self, event: &LogEvent, row: R) -> Result<(), HandleError> {
        match self.slots.insert(row.id(), Slot { stored: None, now: row }) {
            None => Ok(()),
            Some(_) => Err(poison(event, "creates what the view has already")),
        }
    }

    /// All rows that were loaded or created.
    pub(crate) fn all(&mut self) -> impl Iterator<Item = &mut R> {
        self.slots.values_mut().map(|slot| &mut slot.now)
    }

    /// What was stored of a row, if it was, and what it is now, for each row that has changed.
    pub(crate) fn changes(&self) -> impl Iterator<Item = (Option<&R>, &R)> {
        let all = self.slots.values().map(|slot| (slot.stored.as_ref(), &slot.now));
        all.filter(|(stored, now)| *stored != Some(*now))
    }

    /// Writes what has changed.
    pub(crate) async fn save(self, tx: &mut Transaction) -> Result<(), DatabaseError> {
        let changed = || self.slots.iter().filter(|(_, slot)| slot.stored.as_ref() != Some(&slot.now));
        // Many rows change in one statement by going and coming back.
        let outdated: Vec<_> = changed().filter(|(_, slot)| slot.stored.is_some()).map(|(id, _)| *id).collect();
        delete_by_id(tx, R::TABLE.name, &outdated).await?;
        let rows = changed().map(|(_, slot)| slot.now.values()).collect();
        tx.insert_many(R::TABLE.name, R::TABLE.columns, rows).await
    }
}

/// The rows with these ids, as far as there are any.
pub(crate) async fn fetch_by_id(tx: &mut Transaction, table: &str, ids: &[Uuid]) -> Result<Vec<Row>, DatabaseError> {
    fetch_by(tx, table, "id", ids).await
}

async fn fetch_by(tx: &mut Transaction, table: &str, column: &str, ids: &[Uuid]) -> Result<Vec<Row>, DatabaseError> {
    let mut rows = vec![];
    for chunk in filled_chunks(ids) {
        let sql = format!("SELECT * FROM {table} WHERE {column} IN ({})", placeholders(chunk.len()));
        rows.extend(tx.fetch_all(&sql, id_args(&chunk)).await?);
    }
    Ok(rows)
}

/// The rows of a view with these ids, for queries.
pub(crate) async fn select_by_id<I: EntityId>(
    database: &Database,
    table: ViewTable,
    ids: &[I],
) -> Result<Vec<Row>, DatabaseError> {
    let ids: Vec<_> = ids.iter().map(|id| id.uuid()).collect();
    let mut rows = vec![];
    for chunk in filled_chunks(&ids) {
        let sql = format!("SELECT * FROM {} WHERE id IN ({})", table.name, placeholders(chunk.len()));
        rows.extend(database.fetch_all(&sql, id_args(&chunk)).await?);
    }
    Ok(rows)
}

async fn delete_by_id(tx: &mut Transaction, table: &str, ids: &[Uuid]) -> Result<(), DatabaseError> {
    for chunk in filled_chunks(ids) {
        let sql = format!("DELETE FROM {table} WHERE id IN ({})", placeholders(chunk.len()));
        tx.enqueue(&sql, id_args(&chunk)).await?;
    }
    Ok(())
}

/// Ids as values.
pub(crate) fn id_args(ids: &[Uuid]) -> Vec<SqlValue> {
    ids.iter().flat_map(|id| sql_args![*id]).collect()
}

/// The aggregates of the events that a projector of rows looks at.
pub(crate) fn aggregate_ids<'a>(events: impl Iterator<Item = &'a LogEvent>) -> BTreeSet<Uuid> {
    events.map(|event| event.header.aggregate_id).collect()
}

/// A column as JSON, whatever its type is.
pub(crate) fn json_value(row: &Row, column: &str) -> Result<Value, RowError> {
    match row.opt_int(column) {
        Err(RowError::Type { .. }) => Ok(row.opt_text(column)?.into()),
        number => Ok(number?.into()),
    }
}
