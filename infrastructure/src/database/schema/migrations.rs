//! The schema, file by file. A file never changes after it has been released.

use sha2::{Digest, Sha256};

use crate::database::Dialect;

/// One step of the schema, with its text for both databases.
pub(crate) struct Migration {
    pub(crate) version: i64,
    pub(crate) name: &'static str,
    mysql: &'static str,
    sqlite: &'static str,
}

impl Migration {
    pub(crate) const fn sql(&self, dialect: Dialect) -> &'static str {
        match dialect {
            Dialect::Mysql => self.mysql,
            Dialect::Sqlite => self.sqlite,
        }
    }
}

macro_rules! migrations {
    ($($version:literal $name:literal),+ $(,)?) => {
        [$(Migration {
            version: $version,
            name: $name,
            mysql: include_str!(concat!("../../../../migrations/mysql/", $name, ".sql")),
            sqlite: include_str!(concat!("../../../../migrations/sqlite/", $name, ".sql")),
        }),+]
    };
}

/// All steps, in order.
pub(crate) const MIGRATIONS: &[Migration] = &migrations![
    1 "0001_event_log",
    2 "0002_runtime",
    3 "0003_views",
    4 "0004_routing",
    5 "0005_sessions",
    6 "0006_lists",
    7 "0007_agent_desk",
    8 "0008_operate",
    9 "0009_restores",
    10 "0010_receipts",
    11 "0011_stream_tickets",
];

/// The newest step that this program knows.
pub(crate) fn newest() -> i64 {
    MIGRATIONS.last().map_or(0, |last| last.version)
}

pub(super) fn digest(step: &Migration, dialect: Dialect) -> String {
    hex::encode(Sha256::digest(step.sql(dialect)))
}
