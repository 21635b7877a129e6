//! The errors of a database, classified by what to do about them.

use sqlx::error::{DatabaseError as Reported, ErrorKind};
use sqlx::mysql::MySqlDatabaseError;

/// A database did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// The address is not understood.
    #[error("database address is not valid: {0}")]
    Address(&'static str),
    /// No connection became free in time: the pool or SQLite's writer is busy.
    #[error("database is busy: no connection became free in time")]
    Exhausted,
    /// No answer came in time; the connection was given up.
    #[error("database does not answer")]
    NoAnswer,
    /// [`Database::close`](super::Database::close) was called.
    #[error("database is closed")]
    Closed,
    /// The database cannot be reached, or refuses to work for now.
    #[error("database is unavailable")]
    Unavailable(#[source] DriverError),
    /// No connection to the server can be made.
    #[error("cannot connect to the database at {host}, port {port}{}", hint(source))]
    Unreachable {
        /// The name or address in the setting.
        host: String,
        /// The TCP port that was tried.
        port: u16,
        /// The cause.
        source: DriverError,
    },
    /// The transaction lost against another one and was rolled back; run it again.
    #[error("database transaction must be run again")]
    Retryable(#[source] DriverError),
    /// A row with this key exists.
    #[error("a row with this key exists")]
    DuplicateKey(#[source] DriverError),
    /// A check of the schema forbids the value.
    #[error("a check of the schema forbids the value")]
    Check(#[source] DriverError),
    /// A statement of a batch affected (found, for an update) or returned another number of rows than it must.
    #[error("a statement concerned {found} rows instead of {expected}")]
    Missed {
        /// The number that it must have.
        expected: u64,
        /// The number that it had.
        found: u64,
    },
    /// A transaction in the form of another database.
    #[error("the transaction is written for another database")]
    OtherDialect,
    /// The file of SQLite at the path is not the one that is open: it was moved, removed or replaced.
    #[error("the database file was moved, removed or replaced while it was open: restart the program")]
    Exchanged,
    /// A file of SQLite's that another program has made.
    #[error("the file holds tables of another program: name another file in DATABASE_URL")]
    ForeignFile,
    /// A column does not hold what it was read as.
    #[error(transparent)]
    Row(#[from] RowError),
    /// Anything else: most likely a mistake in a statement.
    #[error("database statement failed")]
    Other(#[source] DriverError),
}

/// A column does not hold what it was read as.
#[derive(Debug, thiserror::Error)]
pub enum RowError {
    /// The row has no such column.
    #[error("the row has no column {column}")]
    Missing {
        /// The column's name.
        column: String,
    },
    /// The column is `NULL`.
    #[error("column {column} is NULL")]
    Null {
        /// The column's name.
        column: String,
    },
    /// The value is of another type, or too large, or not UTF-8.
    #[error("column {column} of type {found} does not hold {expected}")]
    Type {
        /// The column's name.
        column: String,
        /// The type in the database.
        found: String,
        /// What was asked for.
        expected: &'static str,
    },
}

/// What the driver of a database reported.
#[derive(Debug, thiserror::Error)]
pub enum DriverError {
    /// The driver of MySQL.
    #[error(transparent)]
    Sqlx(#[from] sqlx::Error),
    /// The driver of SQLite.
    #[error(transparent)]
    Rusqlite(#[from] rusqlite::Error),
}

impl DriverError {
    /// The cause in words that the operator can look up.
    fn cause(&self) -> Option<String> {
        match self {
            Self::Sqlx(sqlx::Error::Io(error)) => Some(error.kind().to_string()),
            Self::Sqlx(error) => {
                let reported = error.as_database_error()?.try_downcast_ref::<MySqlDatabaseError>()?;
                let number = reported.number();
                Some(match meaning(number) {
                    Some(meaning) => format!("{meaning} (error {number})"),
                    None => format!("error {number}"),
                })
            }
            Self::Rusqlite(error) => {
                let code = error.sqlite_error()?.extended_code;
                Some(format!("{} (SQLite code {code})", rusqlite::ffi::code_to_str(code)))
            }
        }
    }

    /// SQLite's extended result code, whose low byte is the primary one.
    fn sqlite_code(&self) -> Option<i32> {
        match self {
            Self::Sqlx(_) => None,
            Self::Rusqlite(error) => Some(error.sqlite_error()?.extended_code),
        }
    }
}

/// What an error means for the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorClass {
    /// Try again later, on a new connection.
    Unavailable,
    /// Run the transaction again at once.
    Retryable,
    /// A row with this key exists.
    DuplicateKey,
    /// Trying again does not help.
    Other,
}

impl DatabaseError {
    /// What it means for the caller.
    #[must_use]
    pub const fn class(&self) -> ErrorClass {
        match self {
            Self::Exhausted
            | Self::NoAnswer
            | Self::Closed
            | Self::Exchanged
            | Self::Unavailable(_)
            | Self::Unreachable { .. } => ErrorClass::Unavailable,
            Self::Retryable(_) => ErrorClass::Retryable,
            Self::DuplicateKey(_) => ErrorClass::DuplicateKey,
            Self::Address(_)
            | Self::Check(_)
            | Self::Missed { .. }
            | Self::OtherDialect
            | Self::ForeignFile
            | Self::Row(_)
            | Self::Other(_) => ErrorClass::Other,
        }
    }

    /// The error and what the driver reports, without names of users, hosts and files.
    #[must_use]
    pub fn reason(&self) -> String {
        let (Self::Unavailable(error)
        | Self::Retryable(error)
        | Self::DuplicateKey(error)
        | Self::Check(error)
        | Self::Other(error)) = self
        else {
            return self.to_string();
        };
        match error.cause() {
            Some(cause) => format!("{self}: {cause}"),
            None => self.to_string(),
        }
    }

    /// Whether the database says of its own file that it is damaged. SQLite does (`SQLITE_CORRUPT`, `SQLITE_NOTADB`).
    #[must_use]
    pub fn is_damage(&self) -> bool {
        let (Self::Unavailable(error) | Self::Retryable(error) | Self::Check(error) | Self::Other(error)) = self else {
            return false;
        };
        error.sqlite_code().is_some_and(|code| matches!(code & 0xff, 11 | 26))
    }

    /// Whether a server refuses all writes because it is not the primary, not ready or about to end: another one may be at its
    /// address for new connections.
    #[must_use]
    pub fn is_of_wrong_server(&self) -> bool {
        let (Self::Unavailable(DriverError::Sqlx(error)) | Self::Other(DriverError::Sqlx(error))) = self else {
            return false;
        };
        let reported = error.as_database_error().and_then(|error| error.try_downcast_ref::<MySqlDatabaseError>());
        reported.is_some_and(|error| is_of_wrong_server(error.number()))
    }

    /// Whether a later try may work.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        matches!(self.class(), ErrorClass::Unavailable | ErrorClass::Retryable)
    }
}

impl From<sqlx::Error> for DatabaseError {
    fn from(error: sqlx::Error) -> Self {
        let class = match &error {
            sqlx::Error::PoolTimedOut => return Self::Exhausted,
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => Class::Unavailable,
            sqlx::Error::Database(reported) => classify(reported.as_ref()),
            _ => Class::Other,
        };
        class.error(error.into())
    }
}

impl From<rusqlite::Error> for DatabaseError {
    fn from(error: rusqlite::Error) -> Self {
        let error = DriverError::from(error);
        error.sqlite_code().map_or(Class::Other, classify_sqlite).error(error)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Unavailable,
    Retryable,
    Duplicate,
    Check,
    Other,
}

impl Class {
    const fn error(self, error: DriverError) -> DatabaseError {
        match self {
            Self::Unavailable => DatabaseError::Unavailable(error),
            Self::Retryable => DatabaseError::Retryable(error),
            Self::Duplicate => DatabaseError::DuplicateKey(error),
            Self::Check => DatabaseError::Check(error),
            Self::Other => DatabaseError::Other(error),
        }
    }
}

fn classify(error: &dyn Reported) -> Class {
    match error.kind() {
        ErrorKind::UniqueViolation => return Class::Duplicate,
        ErrorKind::CheckViolation => return Class::Check,
        _ => {}
    }
    let mysql = error.try_downcast_ref::<MySqlDatabaseError>();
    mysql.map_or(Class::Other, |error| classify_mysql(error.number(), error.code()))
}

/// Read-only by an option, by its role or by the session; not ready in a cluster, shutting down, offline, or refused by the
/// plugin that replicates.
const fn is_of_wrong_server(number: u16) -> bool {
    matches!(number, 1290 | 1792 | 1836 | 1047 | 1053 | 3032 | 3100)
}

/// By MySQL's error number; the lists follow the server's error reference.
fn classify_mysql(number: u16, state: Option<&str>) -> Class {
    match number {
        // Lock wait timeout, deadlock, row changed since it was read, lost certification of a cluster.
        1205 | 1213 | 1020 | 3101 => Class::Retryable,
        _ if state == Some("40001") => Class::Retryable,
        // Full disk or table, too many connections, no memory, shutdown, network errors, aborted or killed connection,
        // server that is read-only or not ready, access not (yet) granted, and an error while committing, after which
        // only another look shows what happened.
        1021
        | 1037
        | 1038
        | 1040
        | 1041
        | 1042
        | 1043
        | 1047
        | 1053
        | 1077
        | 1078
        | 1079
        | 1080
        | 1114
        | 1129
        | 1152
        | 1154..=1161
        | 1180
        | 1184
        | 1189
        | 1190
        | 1203
        | 1226
        | 1290
        | 1317
        | 1792
        | 1836
        | 1927
        | 2006
        | 2013
        | 3024
        | 3032
        | 3100
        | 3159
        | 3169
        | 3989
        | 4031 => Class::Unavailable,
        _ if state.is_some_and(|state| state.starts_with("08")) => Class::Unavailable,
        _ => Class::Other,
    }
}

/// What to do about a connection that cannot be made.
fn hint(error: &DriverError) -> &'static str {
    let DriverError::Sqlx(error) = error else { return "" };
    let text = error.to_string();
    match error {
        sqlx::Error::Io(_) if text.contains("lookup") || text.contains("resolve") => {
            " (if that is no host of yours, it is a part of a password: write @ / # in it as %40 %2F %23)"
        }
        sqlx::Error::Tls(_) | sqlx::Error::Io(_) if text.contains("not valid for name") => {
            " (the certificate names another host: use the name in it; the driver demands it also with VERIFY_CA)"
        }
        _ => "",
    }
}

/// What an error of MySQL means for its operator.
const fn meaning(number: u16) -> Option<&'static str> {
    Some(match number {
        1040 | 1203 | 1226 => "too many connections",
        1044 | 1045 | 1698 => "access is denied: the user, the password or its rights have changed",
        1049 => "the database does not exist",
        1142 | 1227 => "the user lacks a privilege",
        1114 | 1021 => "the disk is full",
        1290 | 1792 | 1836 => "the server is read-only",
        1461 => "the server's limit of prepared statements is reached",
        3032 => "the server is in offline mode",
        3159 => "the server demands TLS",
        _ => return None,
    })
}

/// By SQLite's extended result code, whose low byte is the primary one.
fn classify_sqlite(code: i32) -> Class {
    match (code, code & 0xff) {
        // Uniqueness of a primary key, of another key, of a row id.
        (1555 | 2067 | 2579, _) => Class::Duplicate,
        (275, _) => Class::Check,
        // Busy, locked.
        (_, 5 | 6) => Class::Retryable,
        // Out of memory, read-only, interrupted, I/O, full, cannot open.
        (_, 7..=10 | 13 | 14) => Class::Unavailable,
        _ => Class::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lost_transactions_are_retryable() {
        for number in [1205, 1213, 1020] {
            assert_eq!(classify_mysql(number, Some("HY000")), Class::Retryable);
        }
        assert_eq!(classify_mysql(9999, Some("40001")), Class::Retryable);
        assert_eq!(classify_sqlite(5), Class::Retryable);
        assert_eq!(classify_sqlite(517), Class::Retryable, "SQLITE_BUSY_SNAPSHOT");
    }

    #[test]
    fn a_server_that_goes_away_is_unavailable() {
        for number in [1053, 1290, 1927, 2006, 2013] {
            assert_eq!(classify_mysql(number, Some("HY000")), Class::Unavailable);
        }
        assert_eq!(classify_mysql(9999, Some("08S01")), Class::Unavailable);
        assert_eq!(classify_sqlite(13), Class::Unavailable);
        assert_eq!(classify_sqlite(778), Class::Unavailable, "SQLITE_IOERR_WRITE");
    }

    #[test]
    fn mistakes_in_statements_are_not_worth_another_try() {
        assert_eq!(classify_mysql(1064, Some("42000")), Class::Other);
        assert_eq!(classify_sqlite(1), Class::Other);
        assert!(!DatabaseError::from(sqlx::Error::RowNotFound).is_transient());
    }

    /// What each class means: tried again by the log (retryable), by the caller (unavailable), or not at all. A key that is
    /// there twice and a check that fails are read from the driver's kind of error.
    #[test]
    fn each_error_of_the_servers_has_its_class() {
        let of =
            |class| (0..=u16::MAX).filter(|number| classify_mysql(*number, Some("HY000")) == class).collect::<Vec<_>>();
        assert_eq!(of(Class::Retryable), [1020, 1205, 1213, 3101]);
        let unavailable = [
            1021, 1037, 1038, 1040, 1041, 1042, 1043, 1047, 1053, 1077, 1078, 1079, 1080, 1114, 1129, 1152, 1154, 1155,
            1156, 1157, 1158, 1159, 1160, 1161, 1180, 1184, 1189, 1190, 1203, 1226, 1290, 1317, 1792, 1836, 1927, 2006,
            2013, 3024, 3032, 3100, 3159, 3169, 3989, 4031,
        ];
        assert_eq!(of(Class::Unavailable), unavailable);
        // What a trigger raises, by itself or by SIGNAL, is neither a conflict nor worth another try.
        let states = [
            "01000", "02000", "21S01", "22001", "22003", "22007", "22012", "22032", "23000", "24000", "25000", "25001",
            "25006", "28000", "2F003", "34000", "35000", "3D000", "40000", "40002", "40003", "42000", "42S01", "42S02",
            "42S22", "44000", "45000", "70100", "72000", "99999", "HY000", "HY001", "XA100", "XAE03",
        ];
        for state in states {
            assert_eq!(classify_mysql(1644, Some(state)), Class::Other, "{state}");
        }
        assert_eq!(classify_mysql(1644, Some("40001")), Class::Retryable);
        for state in ["08000", "08001", "08003", "08004", "08006", "08007", "08S01"] {
            assert_eq!(classify_mysql(1644, Some(state)), Class::Unavailable, "{state}");
        }
        let of = |class| (0..=28).filter(|code| classify_sqlite(*code) == class).collect::<Vec<_>>();
        assert_eq!((of(Class::Retryable), of(Class::Unavailable)), (vec![5, 6], vec![7, 8, 9, 10, 13, 14]));
        let of = |class| {
            (256..=8_192).filter(|code| classify_sqlite(*code) == class && code & 0xff == 19).collect::<Vec<_>>()
        };
        assert_eq!((of(Class::Duplicate), of(Class::Check)), (vec![1555, 2067, 2579], vec![275]));
        assert_eq!(classify_sqlite(1811), Class::Other, "SQLITE_CONSTRAINT_TRIGGER");
        for busy in [261, 517, 773, 262, 518] {
            assert_eq!(classify_sqlite(busy), Class::Retryable, "{busy}");
        }
    }

    #[test]
    fn everything_that_means_the_wrong_server_is_unavailable() {
        let numbers: Vec<_> = (0..5_000).filter(|number| is_of_wrong_server(*number)).collect();
        assert_eq!(numbers, [1047, 1053, 1290, 1792, 1836, 3032, 3100]);
        assert!(numbers.iter().all(|number| classify_mysql(*number, Some("HY000")) == Class::Unavailable));
    }

    #[test]
    fn connection_that_cannot_be_made_says_what_to_do() {
        let tls =
            "invalid peer certificate: certificate not valid for name \"127.0.0.1\"; certificate is only valid for";
        let hint_for = |error: sqlx::Error| hint(&DriverError::Sqlx(error));
        assert!(hint_for(sqlx::Error::Tls(tls.into())).contains("the driver demands it also with VERIFY_CA"));
        let lookup = std::io::Error::other("failed to lookup address information: Name or service not known");
        assert!(hint_for(sqlx::Error::Io(lookup)).contains("%40 %2F %23"));
        assert_eq!(hint_for(sqlx::Error::Io(std::io::ErrorKind::ConnectionRefused.into())), "");
    }

    #[test]
    fn an_exhausted_pool_is_unavailable() {
        assert_eq!(DatabaseError::from(sqlx::Error::PoolTimedOut).class(), ErrorClass::Unavailable);
    }
}
