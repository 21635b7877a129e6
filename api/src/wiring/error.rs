use std::io;
use std::path::PathBuf;

use application::UseCaseError;
use application::ports::ReadError;
use infrastructure::auth::SecretTooShort;
use infrastructure::database::{DatabaseError, MigrateError, SqliteVersion};
use metrics_exporter_prometheus::BuildError;

use crate::config::ConfigError;

/// Why the program did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Another process uses the data folder.
    #[error("another livechatlog uses the data folder {}", folder.display())]
    FolderInUse {
        /// The folder.
        folder: PathBuf,
    },
    /// Another process uses the database.
    #[error("another livechatlog uses the database {}", file.display())]
    FileInUse {
        /// Its file.
        file: PathBuf,
    },
    /// The file that keeps other processes out cannot be used.
    #[error("cannot lock {}", path.display())]
    Lock {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The database cannot be used.
    #[error("DATABASE_URL: cannot use the database")]
    Database(#[from] DatabaseError),
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
    /// There is no data folder.
    #[error("DATA_DIR: there is no folder {}; name the one of the server", folder.display())]
    NoFolder {
        /// What was given.
        folder: PathBuf,
    },
    /// There is no database.
    #[error("there is no store: no database {}; DATA_DIR and DATABASE_URL must be those of the server", file.display())]
    NoDatabase {
        /// Its file.
        file: PathBuf,
    },
    /// There is a database, and nothing in it.
    #[error(
        "there is no store: the database of DATABASE_URL is empty; the first start fills it, or `livechatlog migrate`"
    )]
    NoTables,
    /// The schema is that of an older version.
    #[error("the database's schema is older than this program; run `livechatlog migrate`: {} missing", pending.join(", "))]
    Outdated {
        /// The names of the missing steps.
        pending: Vec<&'static str>,
    },
    /// A restore has not come to its end.
    #[error(
        "a backup is being restored into this database, or that has broken off: run `livechatlog restore FILE` to its end"
    )]
    HalfRestored,
    /// The schema cannot be brought to this version.
    #[error("DATABASE_URL: the schema cannot be used")]
    Schema(#[from] MigrateError),
    /// The Redis address cannot be used.
    #[error("REDIS_URL: cannot be used")]
    Redis(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The address cannot be listened on.
    #[error("HOST and PORT: cannot listen on {host}, port {port}")]
    Listen {
        /// The address, or a name that leads to it.
        host: String,
        /// The port.
        port: u16,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The system does not say what it listens on.
    #[error("HOST and PORT: the system does not say where it listens")]
    NoAddress(#[source] io::Error),
    /// The secret for tokens is too short.
    #[error("JWT_SECRET: {0}")]
    Secret(#[from] SecretTooShort),
    /// A setting cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Something else counts in this process.
    #[error("the metrics cannot be counted")]
    Metrics(#[from] BuildError),
    /// The log cannot be read.
    #[error("the event log cannot be read")]
    Log(#[from] ReadError),
    /// The first start did not succeed.
    #[error("the first admin could not be made")]
    FirstAdmin(#[from] UseCaseError),
}
