//! One connection, and how statements run on it.

use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::fallible_iterator::FallibleIterator as _;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Batch, Connection, OpenFlags, ToSql};

use super::BUSY_TIMEOUT;
use super::address::Mode;
use crate::database::row::{Row, SqliteRow};
use crate::database::statements::Statement;
use crate::database::{DatabaseError, SqlValue};

/// The settings of every connection. Deleted and overwritten data is gone from the file, because people may ask for its
/// erasure. The write-ahead log's file keeps 64 MiB of what it grew to during a long read.
const PRAGMAS: [(&str, &str); 3] =
    [("foreign_keys", "ON"), ("secure_delete", "ON"), ("journal_size_limit", "67108864")];

/// How many prepared statements a connection keeps. All statements of the program fit.
const KEPT_STATEMENTS: usize = 256;

/// What a statement or a script has done.
#[derive(Default)]
pub(crate) struct Done {
    /// The number of rows that it has affected (found, for an update), or that its query returns.
    pub(crate) count: u64,
    pub(crate) rows: Vec<Row>,
}

/// Opens the file with the settings of every connection.
pub(super) fn open(file: &Path, mode: Mode) -> Result<Connection, DatabaseError> {
    let access = match mode {
        Mode::ReadOnly => OpenFlags::SQLITE_OPEN_READ_ONLY,
        Mode::Immutable => OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI,
        Mode::ReadWrite | Mode::Created => OpenFlags::SQLITE_OPEN_READ_WRITE,
    };
    // One thread at a time uses it.
    let file = if mode == Mode::Immutable { immutable(file) } else { file.to_owned() };
    let connection = Connection::open_with_flags(file, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(KEPT_STATEMENTS);
    // Otherwise the plan may follow the values, such as that of LIMIT, and each new value makes SQLite prepare the kept
    // statement again (https://sqlite.org/queryplanner-ng.html#qpsg): half of the time of a short list.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    for (name, value) in PRAGMAS {
        set(&connection, name, value)?;
    }
    Ok(connection)
}

/// Whether the file keeps a write-ahead log.
pub(super) fn is_wal(connection: &Connection) -> Result<bool, DatabaseError> {
    let mode: String = connection.query_row("SELECT journal_mode FROM pragma_journal_mode()", [], |row| row.get(0))?;
    Ok(mode == "wal")
}

/// Refuses a file with tables of another program, before the way in which it is written is changed for good.
pub(super) fn ensure_not_foreign(connection: &Connection) -> Result<(), DatabaseError> {
    const COUNT: &str = "SELECT COUNT(*), COALESCE(SUM(name = 'schema_migrations'), 0) FROM sqlite_master \
                         WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
    let (tables, own): (i64, i64) = connection.query_row(COUNT, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    if tables > 0 && own == 0 { Err(DatabaseError::ForeignFile) } else { Ok(()) }
}

/// Whether a file has tables of another program. It is only read, as it is without a write-ahead log.
///
/// # Errors
/// When it cannot be read.
pub(crate) fn is_foreign(file: &Path) -> Result<bool, DatabaseError> {
    let access = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    match ensure_not_foreign(&Connection::open_with_flags(immutable(file), access)?) {
        Err(DatabaseError::ForeignFile) => Ok(true),
        other => other.map(|()| false),
    }
}

/// The file's address as a URI, which has the characters that mean something in it encoded (<https://sqlite.org/uri.html>).
fn immutable(file: &Path) -> PathBuf {
    let path = file.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    PathBuf::from(format!("file:{path}?immutable=1"))
}

pub(super) fn set(connection: &Connection, pragma: &str, value: &str) -> Result<(), DatabaseError> {
    Ok(connection.execute_batch(&format!("PRAGMA {pragma} = {value}"))?)
}

/// Runs a statement, and checks what was expected of it.
pub(super) fn run(connection: &Connection, statement: &Statement) -> Result<Done, DatabaseError> {
    let mut prepared = connection.prepare_cached(&statement.sql)?;
    let given = statement.args().count();
    if prepared.parameter_count() != given {
        // Missing values would silently be NULL.
        return Err(rusqlite::Error::InvalidParameterCount(given, prepared.parameter_count()).into());
    }
    for (number, value) in (1..).zip(statement.args()) {
        prepared.raw_bind_parameter::<usize, _>(number, value)?;
    }
    let done = step(&mut prepared)?;
    statement.check(done.count)?;
    Ok(done)
}

/// Runs statements in their order, up to the first one that fails. Returns the result of the last one.
pub(super) fn run_all(connection: &Connection, statements: &[Statement]) -> Result<Done, DatabaseError> {
    statements.iter().try_fold(Done::default(), |_, statement| run(connection, statement))
}

/// Runs statements that are separated by `;`. Returns the rows of all queries and the number of all affected rows.
pub(super) fn run_script(connection: &Connection, script: &str) -> Result<Done, DatabaseError> {
    let mut all = Done::default();
    let mut batch = Batch::new(connection, script);
    while let Some(mut statement) = batch.next()? {
        let is_query = statement.column_count() > 0;
        let Done { count, rows } = step(&mut statement)?;
        all.count += if is_query { 0 } else { count };
        all.rows.extend(rows);
    }
    Ok(all)
}

fn step(statement: &mut rusqlite::Statement<'_>) -> Result<Done, DatabaseError> {
    if statement.column_count() == 0 {
        return Ok(Done { count: statement.raw_execute()? as u64, rows: vec![] });
    }
    let mut cursor = statement.raw_query();
    let mut rows = vec![];
    let mut columns = None;
    while let Some(row) = cursor.next()? {
        // Not before the first row: only then SQLite knows of changed tables.
        let columns = columns.get_or_insert_with(|| SqliteRow::columns(row));
        rows.push(Row::from(SqliteRow::read(row, columns)?));
    }
    Ok(Done { count: rows.len() as u64, rows })
}

impl ToSql for SqlValue {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(value) => ValueRef::Integer(*value),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::StatementStatus;

    use super::*;

    const PAGE: &str = "SELECT number FROM numbers WHERE number > ? ORDER BY number LIMIT ?";

    /// How often SQLite has prepared the kept statement again.
    fn prepared_again(connection: &Connection) -> i32 {
        connection.execute_batch("CREATE TABLE IF NOT EXISTS numbers (number INTEGER PRIMARY KEY)").unwrap();
        for limit in 1..=10 {
            let page = Statement::new(PAGE, vec![SqlValue::Int(0), SqlValue::Int(limit)]);
            assert_eq!(run(connection, &page).unwrap().count, 0);
        }
        connection.prepare_cached(PAGE).unwrap().get_status(StatementStatus::RePrepare)
    }

    #[test]
    fn kept_statement_takes_new_values_without_being_prepared_again() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("one.db");
        std::fs::File::create(&file).unwrap();
        let connection = open(&file, Mode::ReadWrite).unwrap();
        assert_eq!(prepared_again(&connection), 0);
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, false).unwrap();
        connection.flush_prepared_statement_cache();
        assert!(prepared_again(&connection) > 0, "the setting has no use any more");
    }
}
