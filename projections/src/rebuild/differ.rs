//! Compares tables row by row, a page of keys at a time: memory does not grow with the tables.

use std::collections::BTreeMap;

use infrastructure::database::{Database, DatabaseError, ReadSnapshot, Row, RowError, SqlValue, TableNames};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::rows::json_value;
use crate::table::ViewTable;

/// How many keys are compared at once.
const PAGE: i64 = 500;

/// A row in which a live table differs from what the log says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RowDifference {
    /// The live table's name.
    pub table: &'static str,
    /// The row's primary key.
    pub key: Value,
    /// What the live table holds: the columns that differ, or all of a row that the log does not explain. Null when the
    /// row is missing.
    pub live: Value,
    /// What the log says: the same columns. Null when there should be no such row.
    pub rebuilt: Value,
}

type Rows = BTreeMap<String, Map<String, Value>>;

/// Compares a table with its copy, in one state of the database.
pub(super) struct Differ<'a> {
    table: ViewTable,
    copy: &'a str,
    key: Vec<String>,
}

impl<'a> Differ<'a> {
    pub(super) async fn new(
        database: &Database,
        table: ViewTable,
        copies: &'a TableNames,
    ) -> Result<Self, DatabaseError> {
        Ok(Self { table, copy: copies.name(table.name), key: database.primary_key(table.name).await? })
    }

    /// Reports each difference, and returns how many rows were compared.
    pub(super) async fn run(
        &self,
        snapshot: &mut ReadSnapshot,
        report: &mut (dyn FnMut(RowDifference) + Send),
    ) -> Result<u64, DatabaseError> {
        let mut after = None;
        let mut compared = 0;
        loop {
            let Some(end) = self.end_of_page(snapshot, after.as_deref()).await? else { return Ok(compared) };
            let live = self.rows(snapshot, self.table.name, after.as_deref(), &end).await?;
            let rebuilt = self.rows(snapshot, self.copy, after.as_deref(), &end).await?;
            compared += live.len().max(rebuilt.len()) as u64;
            self.compare(live, rebuilt, report);
            after = Some(end);
        }
    }

    /// The last of the next keys of both tables, in the database's order.
    async fn end_of_page(
        &self,
        snapshot: &mut ReadSnapshot,
        after: Option<&[SqlValue]>,
    ) -> Result<Option<Vec<SqlValue>>, DatabaseError> {
        let columns = self.key.join(", ");
        let (condition, mut args) = self.after(after);
        let page = |table: &str, name: &str| {
            format!(
                "SELECT {columns} FROM (SELECT {columns} FROM {table} WHERE {condition} ORDER BY {columns} LIMIT {PAGE}) {name}"
            )
        };
        let (live, copy) = (page(self.table.name, "a"), page(self.copy, "b"));
        let sql = format!("SELECT {columns} FROM ({live} UNION {copy}) u ORDER BY {columns} LIMIT {PAGE}");
        args.extend(args.clone());
        let rows = snapshot.fetch_all(&sql, args).await?;
        Ok(rows.last().map(|row| self.key_of(row)).transpose()?)
    }

    async fn rows(
        &self,
        snapshot: &mut ReadSnapshot,
        table: &str,
        after: Option<&[SqlValue]>,
        end: &[SqlValue],
    ) -> Result<Rows, DatabaseError> {
        let (after, mut args) = self.after(after);
        let (until, more) = self.bound(end, "<", "<=");
        args.extend(more);
        let key = self.key.iter().map(String::as_str).filter(|column| !self.table.columns.contains(column));
        let columns: Vec<_> = self.table.columns.iter().copied().chain(key).collect();
        let sql = format!("SELECT {} FROM {table} WHERE {after} AND {until}", columns.join(", "));
        let rows = snapshot.fetch_all(&sql, args).await?;
        rows.iter().map(|row| Ok((Value::from(self.json_key(row)?).to_string(), self.json(row)?))).collect()
    }

    fn compare(&self, mut live: Rows, rebuilt: Rows, report: &mut (dyn FnMut(RowDifference) + Send)) {
        let mut different = |key: &str, live: Value, rebuilt: Value| {
            let key = serde_json::from_str(key).unwrap_or_default();
            report(RowDifference { table: self.table.name, key, live, rebuilt });
        };
        for (key, rebuilt) in rebuilt {
            match live.remove(&key) {
                None => different(&key, Value::Null, Value::Object(rebuilt)),
                Some(live) if live == rebuilt => {}
                Some(live) => {
                    let differs = |(column, value): &(String, Value)| rebuilt.get(column) != Some(value);
                    let live: Map<_, _> = live.into_iter().filter(|(a, b)| differs(&(a.clone(), b.clone()))).collect();
                    let rebuilt = rebuilt.into_iter().filter(|(column, _)| live.contains_key(column)).collect();
                    different(&key, Value::Object(live), Value::Object(rebuilt));
                }
            }
        }
        for (key, live) in live {
            different(&key, Value::Object(live), Value::Null);
        }
    }

    fn after(&self, after: Option<&[SqlValue]>) -> (String, Vec<SqlValue>) {
        after.map_or_else(|| ("1 = 1".to_owned(), vec![]), |after| self.bound(after, ">", ">"))
    }

    /// That a key lies on one side of another; the first condition is one that every database finds in its index.
    fn bound(&self, key: &[SqlValue], strict: &str, last: &str) -> (String, Vec<SqlValue>) {
        let mut conditions = vec![];
        let mut args = vec![];
        for length in 1..=self.key.len() {
            let (same, column) = (&self.key[..length - 1], &self.key[length - 1]);
            let comparison = if length == self.key.len() { last } else { strict };
            let equal = same.iter().map(|column| format!("{column} = ?"));
            let all: Vec<_> = equal.chain([format!("{column} {comparison} ?")]).collect();
            conditions.push(format!("({})", all.join(" AND ")));
            args.extend_from_slice(&key[..length]);
        }
        let mut indexed = vec![key[0].clone()];
        indexed.extend(args);
        (format!("{} {strict}= ? AND ({})", self.key[0], conditions.join(" OR ")), indexed)
    }

    fn key_of(&self, row: &Row) -> Result<Vec<SqlValue>, RowError> {
        let number = |column: &String| match row.opt_int(column) {
            Err(RowError::Type { .. }) => Ok(SqlValue::from(row.opt_text(column)?)),
            number => Ok(number?.into()),
        };
        self.key.iter().map(number).collect()
    }

    fn json_key(&self, row: &Row) -> Result<Vec<Value>, RowError> {
        self.key.iter().map(|column| json_value(row, column)).collect()
    }

    fn json(&self, row: &Row) -> Result<Map<String, Value>, RowError> {
        self.table.columns.iter().map(|column| Ok(((*column).to_owned(), json_value(row, column)?))).collect()
    }
}
