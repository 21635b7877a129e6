//! Rows that a query gives.

mod mysql;
mod sqlite;

use sqlx::mysql::MySqlRow;

use super::error::RowError;
pub(super) use sqlite::SqliteRow;

/// A row of a query's result, with its values by column name.
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
            Inner::Mysql(row) => mysql::slice(row, column, "text")?,
            Inner::Sqlite(row) => row.text(column)?.map(str::as_bytes),
        };
        text.map(|text| uuid::Uuid::try_parse_ascii(text).map_err(|_| wrong(column, "text", "a UUID"))).transpose()
    }

    /// An integer, or `NULL`.
    ///
    /// # Errors
    /// When there is no such column, or it holds something else.
    pub fn opt_int(&self, column: &str) -> Result<Option<i64>, RowError> {
        match &self.0 {
            Inner::Mysql(row) => mysql::int(row, column),
            Inner::Sqlite(row) => row.int(column),
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
            Inner::Mysql(row) => mysql::slice(row, column, "text")?
                .map(|bytes| std::str::from_utf8(bytes).map_err(|_| wrong(column, "bytes", "UTF-8 text")))
                .transpose(),
            Inner::Sqlite(row) => row.text(column),
        }
    }

    /// The text in the first column, whatever that is called.
    ///
    /// # Errors
    /// When there is none, or it holds something else.
    pub fn first_text(&self) -> Result<String, RowError> {
        // Not by its name: MySQL 9 calls the column of SHOW GRANTS otherwise once it is run.
        let text = match &self.0 {
            Inner::Mysql(row) => mysql::first(row),
            Inner::Sqlite(row) => row.first(),
        };
        let text = text.and_then(|bytes| String::from_utf8(bytes.to_vec()).ok());
        text.ok_or_else(|| wrong("1", "another type", "text"))
    }

    /// Bytes, or `NULL`.
    ///
    /// # Errors
    /// When there is no such column, or it holds something else.
    pub fn opt_bytes(&self, column: &str) -> Result<Option<Vec<u8>>, RowError> {
        let bytes = match &self.0 {
            Inner::Mysql(row) => mysql::slice(row, column, "bytes"),
            Inner::Sqlite(row) => row.bytes(column),
        };
        Ok(bytes?.map(<[u8]>::to_vec))
    }
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
