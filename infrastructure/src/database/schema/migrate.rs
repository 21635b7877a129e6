//! Brings the schema up to date.

use uuid::Uuid;

use super::error::MigrateError;
use super::exchange::restore_index_names;
use super::migrations::{MIGRATIONS, Migration, digest};
use super::survey;
use crate::database::{Database, DatabaseError, Dialect, Session};
use crate::sql_args;

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
    survey::of_database(database).await.map(|steps| steps.iter().map(|step| step.name).collect())
}

/// Whether these missing steps are all: there is no store yet.
pub(crate) fn are_all(pending: &[&str]) -> bool {
    pending.len() == MIGRATIONS.len()
}

/// Whether there is such a table.
pub(crate) async fn has_table(database: &Database, name: &str) -> Result<bool, DatabaseError> {
    let tables = match database.dialect() {
        Dialect::Mysql => "SELECT 1 FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ?",
        Dialect::Sqlite => "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?",
    };
    Ok(database.fetch_optional(tables, sql_args![name]).await?.is_some())
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
    let missing = survey::on_session(session).await?;
    // Where nothing is missing, nothing is defined: the user of a service need not have the right to do so.
    if !missing.is_empty() {
        session.run(create_table(dialect)).await?;
    }
    if dialect == Dialect::Sqlite && !missing.is_empty() {
        restore_index_names(session).await?;
    }
    for step in missing {
        carry_out(session, step, &digest(step, dialect)).await?;
    }
    seed_head(session).await
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

/// MySQL commits each definition by itself, so a step must bear being run again after it broke off.
async fn carry_out(session: &mut Session, step: &Migration, digest: &str) -> Result<(), MigrateError> {
    let dialect = session.dialect();
    tracing::info!(migration = step.name, "migrating");
    record(session, -step.version, step, digest).await?;
    for statement in statements(step.sql(dialect)) {
        session.run(&statement).await?;
    }
    record(session, step.version, step, digest).await?;
    session.run(&format!("DELETE FROM schema_migrations WHERE version = {}", -step.version)).await?;
    Ok(())
}

async fn record(
    session: &mut Session,
    version: i64,
    Migration { name, .. }: &Migration,
    digest: &str,
) -> Result<(), DatabaseError> {
    let now = session.dialect().now_micros();
    let values = format!("({version}, '{name}', '{digest}', {now})");
    let sql = format!("REPLACE INTO schema_migrations (version, name, digest, applied_us) VALUES {values}");
    session.run(&sql).await.map(drop)
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
    if !session.query("SELECT position FROM events LIMIT 1").await?.is_empty() {
        return Err(MigrateError::Headless);
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
