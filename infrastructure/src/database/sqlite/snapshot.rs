//! Reading one state of the file for as long as it takes.

use super::connection::{run, run_script};
use super::readers::{Reader, Readers};
use crate::database::row::Row;
use crate::database::statements::Statement;
use crate::database::{DatabaseError, SqlValue};

/// SQLite takes its snapshot with the first read.
const BEGIN: &str = "BEGIN; SELECT position FROM log_head";

/// A reading connection with an open transaction. It is closed when this is dropped.
pub(crate) struct SqliteSnapshot {
    // None: a query failed or was given up.
    reader: Option<Reader>,
}

impl SqliteSnapshot {
    pub(super) async fn take(readers: &Readers) -> Result<Self, DatabaseError> {
        let (_, reader) = readers.acquire().await?.run(|connection| run_script(connection, BEGIN)).await?;
        Ok(Self { reader: Some(reader) })
    }

    pub(crate) async fn fetch_all(&mut self, sql: &str, args: Vec<SqlValue>) -> Result<Vec<Row>, DatabaseError> {
        let reader = self.reader.take().ok_or(DatabaseError::NoAnswer)?;
        let statement = Statement::new(sql, args);
        let (done, reader) = reader.run(move |connection| run(connection, &statement)).await?;
        self.reader = Some(reader);
        Ok(done.rows)
    }
}
