//! Rows that a query gives.

use sqlx::mysql::MySqlRow;
use sqlx::{Decode, MySql, Row as _, Type, TypeInfo, ValueRef};

use super::sqlite::{SqliteRow, SqliteValue};

/// A column does not hold what it was read as.
#[derive(Debug, thiserror::Error)]
pub enum RowError {
    /// The row has no such column.
    #[error("the row has no column {column}")]
    Missing {
        /// Its name.
        column: String,
    },
    /// The column is `NULL`.
    #[error("column {column} is NULL")]
    Null {
        /// Its name.
        column: String,
    },
    /// The value is of another type, or too large, or not UTF-8.
    #[error("column {column} of type {found} does not hold {expected}")]
    Type {
        /// Its name.
        column: String,
        /// The type in the database.
        found: String,
        /// What was asked for.
        expected: &'static str,
    },
}

/// One row.
pub struct Row(Inner);

enum Inner {
    Mysql(MySqlRow),
    Sqlite(SqliteRow),
}

impl From<MySqlRow> for Row {
    fn from(row: MySqlRow) -> Self {
        Self(Inner::Mysql(row))
    }
}

impl From<SqliteRow> for Row {
    fn from(row: SqliteRow) -> Self {
        Self(Inner::Sqlite(row))
    }
}

impl Row {
    /// An integer.
    ///
    /// # Errors
    /// When there is no such column, or it is `NULL` or no integer.
    pub fn int(&self, column: &str) -> Result<i64, RowError> {
        self.opt_int(column)?.ok_or_else(|| null(column))
    }

    /// A truth value: an integer other than 0.
    ///
    /// # Errors
    /// As for [`Row::int`].
    pub fn bool(&self, column: &str) -> Result<bool, RowError> {
        Ok(self.int(column)? != 0)
    }

    /// A text.
    ///
    /// # Errors
    /// When there is no such column, or it is `NULL` or no text.
    pub fn text(&self, column: &str) -> Result<String, RowError> {
        self.opt_text(column)?.ok_or_else(|| null(column))
    }

    /// The same without a copy.
    ///
    /// # Errors
    /// As for [`Row::text`].
    pub fn str(&self, column: &str) -> Result<&str, RowError> {
        self.opt_str(column)?.ok_or_else(|| null(column))
    }

    /// Bytes.
    ///
    /// # Errors
    /// When there is no such column, or it is `NULL` or holds no bytes.
    pub fn bytes(&self, column: &str) -> Result<Vec<u8>, RowError> {
        self.opt_bytes(column)?.ok_or_else(|| null(column))
    }

    /// A digest of 32 bytes.
    ///
    /// # Errors
    /// When there is no such column, or it does not hold 32 bytes.
    pub fn hash(&self, column: &str) -> Result<[u8; 32], RowError> {
        let bytes = self.bytes(column)?;
        bytes.try_into().map_err(|_| wrong(column, "bytes", "32 bytes"))
    }

    /// An id that is kept as text.
    ///
    /// # Errors
    /// When there is no such column, or it does not hold a UUID.
    pub fn uuid(&self, column: &str) -> Result<uuid::Uuid, RowError> {
        self.opt_uuid(column)?.ok_or_else(|| null(column))
    }

    /// An id that is kept as text, or `NULL`.
    ///
    /// # Errors
    /// When there is no such column, or it holds something else.
    pub fn opt_uuid(&self, column: &str) -> Result<Option<uuid::Uuid>, RowError> {
        let text = match &self.0 {
            Inner::Mysql(row) => mysql_slice(row, column, "text")?,
            Inner::Sqlite(row) => sqlite_text(row, column)?.map(str::as_bytes),
        };
        text.map(|text| uuid::Uuid::try_parse_ascii(text).map_err(|_| wrong(column, "text", "a UUID"))).transpose()
    }

    /// An integer, or `NULL`.
    ///
    /// # Errors
    /// When there is no such column, or it holds something else.
    pub fn opt_int(&self, column: &str) -> Result<Option<i64>, RowError> {
        match &self.0 {
            Inner::Mysql(row) => mysql_int(row, column),
            Inner::Sqlite(row) => sqlite_value(row, column)?
                .map(|value| match value {
                    SqliteValue::Int(value) => Ok(*value),
                    _ => Err(wrong(column, value.kind(), "an integer")),
                })
                .transpose(),
        }
    }

    /// A text, or `NULL`.
    ///
    /// # Errors
    /// When there is no such column, or it holds something else.
    pub fn opt_text(&self, column: &str) -> Result<Option<String>, RowError> {
        Ok(self.opt_str(column)?.map(str::to_owned))
    }

    /// The same without a copy.
    ///
    /// # Errors
    /// As for [`Row::opt_text`].
    pub fn opt_str(&self, column: &str) -> Result<Option<&str>, RowError> {
        match &self.0 {
            Inner::Mysql(row) => mysql_slice(row, column, "text")?
                .map(|bytes| std::str::from_utf8(bytes).map_err(|_| wrong(column, "bytes", "UTF-8 text")))
                .transpose(),
            Inner::Sqlite(row) => sqlite_text(row, column),
        }
    }

    /// The text in the first column, whatever that is called.
    ///
    /// # Errors
    /// When there is none, or it holds something else.
    pub fn first_text(&self) -> Result<String, RowError> {
        // Not by its name: MySQL 9 calls the column of SHOW GRANTS otherwise once it is run.
        let text = match &self.0 {
            Inner::Mysql(row) => row.try_get_raw(0).ok().and_then(|value| <&[u8] as Decode<MySql>>::decode(value).ok()),
            Inner::Sqlite(row) => row.first().and_then(SqliteValue::as_bytes),
        };
        let text = text.and_then(|bytes| String::from_utf8(bytes.to_vec()).ok());
        text.ok_or_else(|| wrong("1", "another type", "text"))
    }

    /// Bytes, or `NULL`.
    ///
    /// # Errors
    /// When there is no such column, or it holds something else.
    pub fn opt_bytes(&self, column: &str) -> Result<Option<Vec<u8>>, RowError> {
        match &self.0 {
            Inner::Mysql(row) => mysql_bytes(row, column, "bytes"),
            Inner::Sqlite(row) => sqlite_value(row, column)?
                .map(|value| value.as_bytes().map(<[u8]>::to_vec).ok_or_else(|| wrong(column, value.kind(), "bytes")))
                .transpose(),
        }
    }
}

fn mysql_int(row: &MySqlRow, column: &str) -> Result<Option<i64>, RowError> {
    let value = row.try_get_raw(column).map_err(|_| missing(column))?;
    if value.is_null() {
        return Ok(None);
    }
    let info = value.type_info().into_owned();
    // SUM() gives DECIMAL, whose value is text in both protocols.
    if info.name() == "DECIMAL" {
        let text = <&[u8] as Decode<MySql>>::decode(value).ok().and_then(|bytes| std::str::from_utf8(bytes).ok());
        let number = text.and_then(|text| text.parse().ok());
        return number.map(Some).ok_or_else(|| wrong(column, info.name(), "an integer"));
    }
    let integer = <i64 as Type<MySql>>::compatible(&info) || <u64 as Type<MySql>>::compatible(&info);
    let number = if integer { <i64 as Decode<MySql>>::decode(value).ok() } else { None };
    number.map(Some).ok_or_else(|| wrong(column, info.name(), "an integer"))
}

/// The bytes of a text or binary column, whatever its collation: sqlx takes `_bin` texts for binary and MariaDB's JSON
/// is one of them.
fn mysql_bytes(row: &MySqlRow, column: &str, expected: &'static str) -> Result<Option<Vec<u8>>, RowError> {
    Ok(mysql_slice(row, column, expected)?.map(<[u8]>::to_vec))
}

fn mysql_slice<'r>(row: &'r MySqlRow, column: &str, expected: &'static str) -> Result<Option<&'r [u8]>, RowError> {
    let value = row.try_get_raw(column).map_err(|_| missing(column))?;
    if value.is_null() {
        return Ok(None);
    }
    let info = value.type_info().into_owned();
    let stringlike = <[u8] as Type<MySql>>::compatible(&info) || info.name() == "JSON";
    let bytes = if stringlike { <&[u8] as Decode<MySql>>::decode(value).ok() } else { None };
    bytes.map(Some).ok_or_else(|| wrong(column, info.name(), expected))
}

/// The value of a column; `None` for `NULL`.
fn sqlite_value<'r>(row: &'r SqliteRow, column: &str) -> Result<Option<&'r SqliteValue>, RowError> {
    let value = row.value(column).ok_or_else(|| missing(column))?;
    Ok(if matches!(value, SqliteValue::Null) { None } else { Some(value) })
}

fn sqlite_text<'r>(row: &'r SqliteRow, column: &str) -> Result<Option<&'r str>, RowError> {
    let text = |value: &'r SqliteValue| match value {
        SqliteValue::Text(text) => Ok(&**text),
        _ => Err(wrong(column, value.kind(), "text")),
    };
    sqlite_value(row, column)?.map(text).transpose()
}

fn missing(column: &str) -> RowError {
    RowError::Missing { column: column.to_owned() }
}

fn null(column: &str) -> RowError {
    RowError::Null { column: column.to_owned() }
}

fn wrong(column: &str, found: &str, expected: &'static str) -> RowError {
    RowError::Type { column: column.to_owned(), found: found.to_owned(), expected }
}
