use std::io;
use std::path::PathBuf;

use application::UseCaseError;
use application::ports::ReadError;
use infrastructure::auth::SecretTooShort;
use infrastructure::database::{DatabaseError, MigrateError, SqliteVersion};
use metrics_exporter_prometheus::BuildError;

use crate::config::ConfigError;

/// The reason why a program cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Another process uses the data folder.
    #[error("another livechatlog uses the data folder {}", folder.display())]
    FolderInUse {
        /// The data folder.
        folder: PathBuf,
    },
    /// Another process uses the database.
    #[error("another livechatlog uses the database {}", file.display())]
    FileInUse {
        /// The database file.
        file: PathBuf,
    },
    /// The lock file, which keeps other processes out, cannot be used.
    #[error("cannot lock {}", path.display())]
    Lock {
        /// The lock file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The database cannot be used.
    #[error("DATABASE_URL: cannot use the database")]
    Database(#[from] DatabaseError),
    /// The user of the process may not write the database.
    #[error("DATABASE_URL: {} is not writable for the user that runs livechatlog", place.display())]
    NotWritable {
        /// The file or folder.
        place: PathBuf,
    },
    /// The write-ahead log next to the database is not its own.
    #[error(
        "DATABASE_URL: the write-ahead log next to {} is that of another file, which would damage this one; move {}-wal and \
         {}-shm away, unless they belong to the file that was there before: then put that file back",
        file.display(), file.display(), file.display()
    )]
    ForeignWal {
        /// The database file.
        file: PathBuf,
    },
    /// SQLite may lose committed transactions.
    #[error(
        "SQLite {found} may lose committed transactions (https://sqlite.org/wal.html, the WAL-reset bug); use a build with \
         {} or later, or set OLD_SQLITE=allow",
        SqliteVersion::FIRST_SAFE
    )]
    OldSqlite {
        /// The version that this program is linked with.
        found: SqliteVersion,
    },
    /// The data folder does not exist.
    #[error("DATA_DIR: there is no folder {}; use the server's", folder.display())]
    NoFolder {
        /// The path in the setting.
        folder: PathBuf,
    },
    /// The database file does not exist.
    #[error("there is no store: the database {} does not exist; use the DATA_DIR and DATABASE_URL of the server", file.display())]
    NoDatabase {
        /// The missing file of DATABASE_URL.
        file: PathBuf,
    },
    /// The database has no tables.
    #[error("there is no store: the database of DATABASE_URL is empty; start the server, or run `livechatlog migrate`")]
    NoTables,
    /// The schema belongs to an older version of the program.
    #[error("the database's schema is older than this program; run `livechatlog migrate`; missing: {}", pending.join(", "))]
    Outdated {
        /// The names of the missing migrations.
        pending: Vec<&'static str>,
    },
    /// A restore is incomplete.
    #[error("a restore into this database is running or was interrupted: run `livechatlog restore FILE` to its end")]
    HalfRestored,
    /// The schema cannot be migrated to this version.
    #[error("DATABASE_URL: the schema cannot be used")]
    Schema(#[from] MigrateError),
    /// The address of Redis is not valid.
    #[error("REDIS_URL: cannot use Redis")]
    Redis(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The server cannot listen on its address.
    #[error("HOST and PORT: cannot listen on {host}, port {port}")]
    Listen {
        /// The address, or a name that resolves to it.
        host: String,
        port: u16,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The system does not report the address that the server listens on.
    #[error("HOST and PORT: the system does not report the address of the listener")]
    NoAddress(#[source] io::Error),
    /// The secret that signs tokens is too short.
    #[error("JWT_SECRET: {0}")]
    Secret(#[from] SecretTooShort),
    /// A setting is not valid.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Another recorder of metrics is installed in this process.
    #[error("the metrics recorder cannot be installed")]
    Metrics(#[from] BuildError),
    /// The log cannot be read.
    #[error("the event log cannot be read")]
    Log(#[from] ReadError),
    /// The first start cannot set up the log.
    #[error("the first admin could not be created")]
    FirstAdmin(#[from] UseCaseError),
}
