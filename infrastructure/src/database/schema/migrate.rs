//! Brings the schema up to date.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::exchange::restore_index_names;
use super::migrations::{MIGRATIONS, Migration};
use crate::database::{Database, DatabaseError, Dialect, Row, RowError, Session};
use crate::sql_args;

/// Why the schema could not be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// A newer program has worked on this database.
    #[error("the database's schema is at version {found}, this program knows {known}: it needs a newer program")]
    Newer {
        /// The version in the database.
        found: i64,
        /// The newest version that this program knows.
        known: i64,
    },
    /// A step that was carried out is not the one this program holds.
    #[error("migration {name} is not the one that this database was set up with")]
    Changed {
        /// The step.
        name: &'static str,
    },
    /// Another program is at it and does not finish.
    #[error("another program brings this database up to date, or restores a backup into it")]
    Locked,
    /// The system gives no random numbers.
    #[error("no random numbers")]
    Random(#[source] getrandom::Error),
    /// The database does not work.
    #[error("migration failed")]
    Database(#[from] DatabaseError),
}

impl From<RowError> for MigrateError {
    fn from(error: RowError) -> Self {
        Self::Database(error.into())
    }
}

/// A name for the whole server, so it holds the database's, in the length that a lock's name may have.
const LOCK: &str = "CONCAT('livechatlog:', LEFT(SHA2(DATABASE(), 256), 40))";

/// Carries out the missing steps, one program at a time.
pub(crate) async fn run(database: &Database) -> Result<(), MigrateError> {
    let mut session = database.log_session().await?;
    lock(&mut session).await?;
    // On an error the session is dropped, and with it the lock and, on SQLite, everything that was changed.
    migrate(&mut session).await?;
    unlock(&mut session).await?;
    session.close().await;
    Ok(())
}

/// The names of the steps that are missing; nothing is changed.
pub(crate) async fn pending(database: &Database) -> Result<Vec<&'static str>, MigrateError> {
    let rows = match has_table(database, "schema_migrations").await? {
        true => database.fetch_all(SELECT_DONE, vec![]).await?,
        false => vec![],
    };
    missing(&by_version(&rows)?, database.dialect()).map(|steps| steps.iter().map(|step| step.name).collect())
}

/// Whether there is such a table.
pub(crate) async fn has_table(database: &Database, name: &str) -> Result<bool, DatabaseError> {
    let tables = match database.dialect() {
        Dialect::Mysql => "SELECT 1 FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ?",
        Dialect::Sqlite => "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?",
    };
    Ok(database.fetch_optional(tables, sql_args![name]).await?.is_some())
}

/// The newest step that this program knows.
pub(crate) fn newest() -> i64 {
    MIGRATIONS.last().map_or(0, |last| last.version)
}

/// Keeps every program from starting on a server's database until it is dropped. A file of SQLite's is kept by a lock of
/// the process.
pub struct SchemaLock(Option<Session>);

impl SchemaLock {
    pub(crate) async fn take(database: &Database) -> Result<Self, MigrateError> {
        match database.dialect() {
            Dialect::Mysql => {
                let mut session = database.log_session().await?;
                lock(&mut session).await?;
                Ok(Self(Some(session)))
            }
            Dialect::Sqlite => Ok(Self(None)),
        }
    }

    /// Lets others start.
    pub async fn release(self) {
        if let Some(session) = self.0 {
            session.close().await;
        }
    }
}

async fn lock(session: &mut Session) -> Result<(), MigrateError> {
    match session.dialect() {
        Dialect::Mysql => {
            let rows = session.query(&format!("SELECT GET_LOCK({LOCK}, 60) AS taken")).await?;
            let taken = rows.first().map(|row| row.opt_int("taken")).transpose()?.flatten();
            if taken == Some(1) { Ok(()) } else { Err(MigrateError::Locked) }
        }
        Dialect::Sqlite => {
            session.run(Dialect::Sqlite.begin()).await?;
            Ok(())
        }
    }
}

async fn unlock(session: &mut Session) -> Result<(), MigrateError> {
    match session.dialect() {
        Dialect::Mysql => drop(session.query(&format!("SELECT RELEASE_LOCK({LOCK}) AS released")).await?),
        Dialect::Sqlite => drop(session.run("COMMIT").await?),
    }
    Ok(())
}

async fn migrate(session: &mut Session) -> Result<(), MigrateError> {
    let dialect = session.dialect();
    session.run(create_table(dialect)).await?;
    let done = by_version(&session.query(SELECT_DONE).await?)?;
    let missing = missing(&done, dialect)?;
    if dialect == Dialect::Sqlite && !missing.is_empty() {
        restore_index_names(session).await?;
    }
    for step in missing {
        carry_out(session, step, &digest(step, dialect)).await?;
    }
    seed_head(session).await
}

/// The steps that were not carried out yet.
fn missing(done: &BTreeMap<i64, String>, dialect: Dialect) -> Result<Vec<&'static Migration>, MigrateError> {
    let known = newest();
    if let Some(found) = done.keys().last().copied().filter(|found| *found > known) {
        return Err(MigrateError::Newer { found, known });
    }
    let mut missing = vec![];
    for step in MIGRATIONS {
        match done.get(&step.version) {
            Some(recorded) if *recorded == digest(step, dialect) => {}
            Some(_) => return Err(MigrateError::Changed { name: step.name }),
            None => missing.push(step),
        }
    }
    Ok(missing)
}

fn digest(step: &Migration, dialect: Dialect) -> String {
    hex::encode(Sha256::digest(step.sql(dialect)))
}

const fn create_table(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Mysql => {
            "CREATE TABLE IF NOT EXISTS schema_migrations (version BIGINT NOT NULL PRIMARY KEY, \
             name VARCHAR(100) NOT NULL, digest CHAR(64) NOT NULL, applied_us BIGINT NOT NULL) \
             ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci"
        }
        Dialect::Sqlite => {
            "CREATE TABLE IF NOT EXISTS schema_migrations (version INTEGER NOT NULL PRIMARY KEY, \
             name TEXT NOT NULL, digest TEXT NOT NULL, applied_us INTEGER NOT NULL)"
        }
    }
}

const SELECT_DONE: &str = "SELECT version, digest FROM schema_migrations";

fn by_version(rows: &[Row]) -> Result<BTreeMap<i64, String>, MigrateError> {
    rows.iter().map(|row| Ok((row.int("version")?, row.text("digest")?))).collect()
}

/// MySQL commits each definition by itself, so a step must bear being run again after it broke off.
async fn carry_out(session: &mut Session, step: &Migration, digest: &str) -> Result<(), MigrateError> {
    let dialect = session.dialect();
    tracing::info!(migration = step.name, "migrating");
    for statement in statements(step.sql(dialect)) {
        session.run(&statement).await?;
    }
    let record = format!(
        "INSERT INTO schema_migrations (version, name, digest, applied_us) VALUES ({}, '{}', '{digest}', {})",
        step.version,
        step.name,
        dialect.now_micros()
    );
    session.run(&record).await?;
    Ok(())
}

/// A file's statements: comment lines start with `--`, and a statement ends with a `;` at the end of a line.
fn statements(file: &str) -> Vec<String> {
    let lines = file.lines().filter(|line| !line.trim_start().starts_with("--"));
    let text = lines.collect::<Vec<_>>().join("\n");
    text.split(";\n")
        .map(|statement| statement.trim().trim_end_matches(';').to_owned())
        .filter(|statement| !statement.is_empty())
        .collect()
}

/// A new log gets its name.
async fn seed_head(session: &mut Session) -> Result<(), MigrateError> {
    if !session.query("SELECT id FROM log_head WHERE id = 1").await?.is_empty() {
        return Ok(());
    }
    session.run(&insert_head(new_epoch()?)).await?;
    Ok(())
}

/// A name that no history has.
pub(crate) fn new_epoch() -> Result<Uuid, MigrateError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(MigrateError::Random)?;
    Ok(uuid::Builder::from_random_bytes(bytes).into_uuid())
}

fn insert_head(epoch: Uuid) -> String {
    let zeros = hex::encode([0; 32]);
    format!(
        "INSERT INTO log_head (id, position, chain_hash, recorded_us, epoch) VALUES (1, 0, X'{zeros}', 0, '{epoch}')"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_count_up_and_match_the_names() {
        assert!(MIGRATIONS.is_sorted_by(|a, b| a.version < b.version));
        for step in MIGRATIONS {
            assert!(step.name.starts_with(&format!("{:04}_", step.version)));
        }
    }

    #[test]
    fn file_is_cut_at_ends_of_statements() {
        let file = "-- a; b\nCREATE TABLE a (x INT);\n\nINSERT INTO a VALUES (';');\n";
        assert_eq!(statements(file), ["CREATE TABLE a (x INT)", "INSERT INTO a VALUES (';')"]);
    }
}
