//! Rows of a query.

use std::sync::Arc;

use rusqlite::types::ValueRef;

/// A row, with copies of its values.
pub(crate) struct SqliteRow {
    columns: Arc<[Box<str>]>,
    values: Box<[SqliteValue]>,
}

/// A value as SQLite stores it, whatever the type of its column.
pub(crate) enum SqliteValue {
    Null,
    Int(i64),
    Real,
    Text(Box<str>),
    /// Also text that is not UTF-8.
    Bytes(Box<[u8]>),
}

impl SqliteRow {
    /// The names of the columns of a query, from any of its rows.
    pub(super) fn columns(row: &rusqlite::Row<'_>) -> Arc<[Box<str>]> {
        row.as_ref().column_names().map(Box::from).collect()
    }

    pub(super) fn read(row: &rusqlite::Row<'_>, columns: &Arc<[Box<str>]>) -> rusqlite::Result<Self> {
        let values = (0..columns.len()).map(|index| Ok(SqliteValue::of(row.get_ref(index)?)));
        Ok(Self { columns: Arc::clone(columns), values: values.collect::<rusqlite::Result<_>>()? })
    }

    /// The value of a column, if there is such a column.
    pub(crate) fn value(&self, column: &str) -> Option<&SqliteValue> {
        let index = self.columns.iter().position(|name| **name == *column)?;
        self.values.get(index)
    }

    /// The value of the first column.
    pub(crate) fn first(&self) -> Option<&SqliteValue> {
        self.values.first()
    }
}

impl SqliteValue {
    fn of(value: ValueRef<'_>) -> Self {
        match value {
            ValueRef::Null => Self::Null,
            ValueRef::Integer(value) => Self::Int(value),
            ValueRef::Real(_) => Self::Real,
            ValueRef::Text(text) => {
                std::str::from_utf8(text).map_or_else(|_| Self::Bytes(text.into()), |text| Self::Text(text.into()))
            }
            ValueRef::Blob(bytes) => Self::Bytes(bytes.into()),
        }
    }

    /// The bytes of a text or a blob.
    pub(crate) fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Text(text) => Some(text.as_bytes()),
            Self::Bytes(bytes) => Some(bytes),
            Self::Null | Self::Int(_) | Self::Real => None,
        }
    }

    /// The name of its type in SQL.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "NULL",
            Self::Int(_) => "INTEGER",
            Self::Real => "REAL",
            Self::Text(_) => "TEXT",
            Self::Bytes(_) => "BLOB",
        }
    }
}
