//! What becomes of each table that is not filled from the log.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::database::{DatabaseError, Row, RowError, SqlValue};

/// A table whose rows do not follow from the log, so that a backup carries them, too.
#[derive(Clone, Copy, Debug)]
pub struct KeptTable {
    /// The name in the schema and in the lines of a backup.
    pub name: &'static str,
    /// Its primary key, a text.
    pub(super) key: &'static str,
    columns: &'static [(&'static str, Kind)],
}

/// What a column holds. Bytes are written in hexadecimal.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Text,
    Int,
    Bytes,
}

/// The tables that are in a backup in addition to the events.
pub const KEPT: [KeptTable; 2] = [
    KeptTable {
        name: "credentials",
        key: "agent_id",
        columns: &[("agent_id", Kind::Text), ("password_hash", Kind::Text), ("changed_us", Kind::Int)],
    },
    KeptTable {
        name: "command_log",
        key: "command_id",
        columns: &[
            ("command_id", Kind::Text),
            ("request_digest", Kind::Bytes),
            ("first_position", Kind::Int),
            ("last_position", Kind::Int),
            ("recorded_us", Kind::Int),
        ],
    },
];

/// The tables that a backup leaves out, and why.
pub const LEFT_OUT: [(&str, &str); 9] = [
    ("checkpoints", "they belong to the read models, which are built again"),
    (
        "idempotent_responses",
        "they hold visitors' tokens; the command log recognizes a repeated command, which gets a new answer",
    ),
    ("leases", "they belong to running nodes"),
    ("presence_leases", "they last for less than a minute, and lost ones make nobody away"),
    ("restores", "it records where this database's own history comes from"),
    ("schema_migrations", "the database that is restored into has its own"),
    ("sessions", "everybody logs in again after a restore"),
    ("snapshots", "they are made again from the events"),
    ("stream_tickets", "clients get new ones"),
];

/// A row of a kept table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeptRow {
    /// The name of the row's [`KeptTable`].
    pub table: String,
    /// Its columns.
    pub values: Map<String, Value>,
}

impl KeptTable {
    /// The place of a row among all rows of a backup: the number of its table, and its key. `None`: it is not a row of a kept
    /// table.
    pub(super) fn place(row: &KeptRow) -> Option<(usize, String)> {
        let table = KEPT.iter().position(|table| table.name == row.table)?;
        KEPT[table].values(row)?;
        Some((table, row.values.get(KEPT[table].key)?.as_str()?.to_owned()))
    }

    pub(super) fn columns(&self) -> Vec<&'static str> {
        self.columns.iter().map(|(name, _)| *name).collect()
    }

    /// Reads the rows after a key.
    pub(super) fn select(&self, limit: usize) -> String {
        let (columns, Self { name, key, .. }) = (self.columns().join(", "), self);
        format!("SELECT {columns} FROM {name} WHERE {key} > ? ORDER BY {key} LIMIT {limit}")
    }

    pub(super) fn read(&self, row: &Row) -> Result<KeptRow, DatabaseError> {
        let value = |(name, kind): &(&'static str, Kind)| -> Result<(String, Value), RowError> {
            let value = match kind {
                Kind::Text => row.text(name)?.into(),
                Kind::Int => row.int(name)?.into(),
                Kind::Bytes => hex::encode(row.bytes(name)?).into(),
            };
            Ok(((*name).to_owned(), value))
        };
        let values = self.columns.iter().map(value).collect::<Result<_, _>>()?;
        Ok(KeptRow { table: self.name.to_owned(), values })
    }

    /// What goes into its columns. `None`: it is not a row of this table.
    pub(super) fn values(&self, row: &KeptRow) -> Option<Vec<SqlValue>> {
        if row.values.len() != self.columns.len() {
            return None;
        }
        let value = |(name, kind): &(&'static str, Kind)| {
            let value = row.values.get(*name)?;
            Some(match kind {
                Kind::Text => SqlValue::from(value.as_str()?),
                Kind::Int => SqlValue::from(value.as_i64()?),
                Kind::Bytes => SqlValue::from(hex::decode(value.as_str()?).ok()?),
            })
        };
        self.columns.iter().map(value).collect()
    }
}
