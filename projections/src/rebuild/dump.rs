use std::collections::{BTreeMap, BTreeSet};

use infrastructure::database::{Database, DatabaseError, Row, RowError};
use serde_json::{Map, Value};

use super::{ViewTable, all_view_tables};

/// The rows of each table as JSON, in an order that depends on nothing but themselves.
pub type Dump = BTreeMap<&'static str, Vec<String>>;

/// A row that one of two databases has and the other has not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The table.
    pub table: &'static str,
    /// The rows of the live database that the log does not explain.
    pub only_live: Vec<String>,
    /// The rows that the log gives and the live database has not.
    pub only_rebuilt: Vec<String>,
}

/// What the views hold.
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
        fields.insert((*column).to_owned(), value(row, column)?);
    }
    Ok(Value::Object(fields).to_string())
}

pub(super) fn value(row: &Row, column: &str) -> Result<Value, RowError> {
    match row.opt_int(column) {
        Err(RowError::Type { .. }) => Ok(row.opt_text(column)?.into()),
        number => Ok(number?.into()),
    }
}
