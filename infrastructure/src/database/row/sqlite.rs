//! Rows of SQLite.

use std::sync::Arc;

use rusqlite::types::ValueRef;

use super::{missing, wrong};
use crate::database::error::RowError;

/// A row, with copies of its values.
pub(in crate::database) struct SqliteRow {
    columns: Arc<[Box<str>]>,
    values: Box<[SqliteValue]>,
}

/// A value as SQLite stores it, whatever the type of its column.
enum SqliteValue {
    Null,
    Int(i64),
    Real,
    Text(Box<str>),
    /// Also text that is not UTF-8.
    Bytes(Box<[u8]>),
}

impl SqliteRow {
    /// The names of the columns of a query, from any of its rows.
    pub(in crate::database) fn columns(row: &rusqlite::Row<'_>) -> Arc<[Box<str>]> {
        row.as_ref().column_names().map(Box::from).collect()
    }

    pub(in crate::database) fn read(row: &rusqlite::Row<'_>, columns: &Arc<[Box<str>]>) -> rusqlite::Result<Self> {
        let values = (0..columns.len()).map(|index| Ok(SqliteValue::of(row.get_ref(index)?)));
        Ok(Self { columns: Arc::clone(columns), values: values.collect::<rusqlite::Result<_>>()? })
    }

    /// An integer; `None` for `NULL`.
    pub(super) fn int(&self, column: &str) -> Result<Option<i64>, RowError> {
        match self.value(column)? {
            SqliteValue::Null => Ok(None),
            SqliteValue::Int(value) => Ok(Some(*value)),
            value => Err(wrong(column, value.kind(), "an integer")),
        }
    }

    /// A text; `None` for `NULL`.
    pub(super) fn text(&self, column: &str) -> Result<Option<&str>, RowError> {
        match self.value(column)? {
            SqliteValue::Null => Ok(None),
            SqliteValue::Text(text) => Ok(Some(text)),
            value => Err(wrong(column, value.kind(), "text")),
        }
    }

    /// The bytes of a text or a blob; `None` for `NULL`.
    pub(super) fn bytes(&self, column: &str) -> Result<Option<&[u8]>, RowError> {
        let value = self.value(column)?;
        match value.as_bytes() {
            None if !matches!(value, SqliteValue::Null) => Err(wrong(column, value.kind(), "bytes")),
            bytes => Ok(bytes),
        }
    }

    /// The bytes of the first column, whatever it is called.
    pub(super) fn first(&self) -> Option<&[u8]> {
        self.values.first().and_then(SqliteValue::as_bytes)
    }

    fn value(&self, column: &str) -> Result<&SqliteValue, RowError> {
        let index = self.columns.iter().position(|name| **name == *column);
        index.and_then(|index| self.values.get(index)).ok_or_else(|| missing(column))
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
    fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Text(text) => Some(text.as_bytes()),
            Self::Bytes(bytes) => Some(bytes),
            Self::Null | Self::Int(_) | Self::Real => None,
        }
    }

    /// The name of its type in SQL.
    const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "NULL",
            Self::Int(_) => "INTEGER",
            Self::Real => "REAL",
            Self::Text(_) => "TEXT",
            Self::Bytes(_) => "BLOB",
        }
    }
}
