//! Whose tables there are, before a statement touches any of them.
//!
//! Names such as `conversations` and `sessions` are common. A database is taken for a new one only if nothing is in it, and
//! for a store of this program only if everything is there that its record of migrations promises.

use std::collections::{BTreeMap, BTreeSet};

use super::error::MigrateError;
use super::migrations::{MIGRATIONS, Migration, digest, newest};
use crate::database::{Database, DatabaseError, Dialect, Row, RowError, Session};

/// The record of the steps that were carried out.
const RECORD: &str = "schema_migrations";

const RECORD_COLUMNS: [&str; 4] = ["applied_us", "digest", "name", "version"];

const SELECT_DONE: &str = "SELECT version, digest FROM schema_migrations";

/// The digests of the steps, by version. A step that has begun is recorded under its negative version until it is done:
/// MySQL commits each definition by itself, so that it may have made some of its tables.
pub(super) type Recorded = BTreeMap<i64, String>;

/// What a database holds at one moment, or nearly. Names are in lower case, because the databases differ in whether they distinguish.
#[derive(PartialEq, Eq)]
struct Survey {
    tables: BTreeSet<String>,
    /// Those of the record.
    columns: BTreeSet<String>,
    recorded: Recorded,
}

/// The steps that the schema lacks, while other programs may be migrating: what they do between two queries must not pass
/// for a fault.
pub(super) async fn of_database(database: &Database) -> Result<Vec<&'static Migration>, MigrateError> {
    let mut seen = look(database).await?;
    loop {
        let judged = seen.judge(database.dialect());
        if !matches!(judged, Err(MigrateError::Foreign { .. } | MigrateError::Incomplete { .. })) {
            return judged;
        }
        let again = look(database).await?;
        if again == seen {
            return judged;
        }
        seen = again;
    }
}

async fn look(database: &Database) -> Result<Survey, MigrateError> {
    let dialect = database.dialect();
    let tables = names(&database.fetch_all(tables_of(dialect), vec![]).await?)?;
    let columns = names(&database.fetch_all(columns_of(dialect), vec![]).await?)?;
    let survey = Survey { tables, columns, recorded: Recorded::new() };
    let recorded = if survey.has_own_record()? { database.fetch_all(SELECT_DONE, vec![]).await? } else { vec![] };
    Ok(Survey { recorded: by_version(&recorded)?, ..survey })
}

/// The same on a connection that keeps others from migrating.
pub(super) async fn on_session(session: &mut Session) -> Result<Vec<&'static Migration>, MigrateError> {
    let dialect = session.dialect();
    let tables = names(&session.query(tables_of(dialect)).await?)?;
    let columns = names(&session.query(columns_of(dialect)).await?)?;
    let survey = Survey { tables, columns, recorded: Recorded::new() };
    let recorded = if survey.has_own_record()? { session.query(SELECT_DONE).await? } else { vec![] };
    Survey { recorded: by_version(&recorded)?, ..survey }.judge(dialect)
}

const fn tables_of(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Mysql => {
            "SELECT CAST(table_name AS CHAR) AS name FROM information_schema.tables WHERE table_schema = DATABASE()"
        }
        Dialect::Sqlite => {
            "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
        }
    }
}

const fn columns_of(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Mysql => {
            "SELECT CAST(column_name AS CHAR) AS name FROM information_schema.columns \
             WHERE table_schema = DATABASE() AND table_name = 'schema_migrations'"
        }
        Dialect::Sqlite => "SELECT name FROM pragma_table_info('schema_migrations')",
    }
}

fn names(rows: &[Row]) -> Result<BTreeSet<String>, DatabaseError> {
    let names: Result<_, RowError> = rows.iter().map(|row| Ok(row.text("name")?.to_lowercase())).collect();
    Ok(names?)
}

fn by_version(rows: &[Row]) -> Result<Recorded, MigrateError> {
    rows.iter().map(|row| Ok((row.int("version")?, row.text("digest")?))).collect()
}

impl Survey {
    /// Whether there is a record of this program; refuses one of another program.
    fn has_own_record(&self) -> Result<bool, MigrateError> {
        if !self.tables.contains(RECORD) {
            return Ok(false);
        }
        if self.columns.iter().map(String::as_str).eq(RECORD_COLUMNS) {
            return Ok(true);
        }
        Err(MigrateError::Foreign { tables: self.tables.iter().cloned().collect() })
    }

    fn judge(&self, dialect: Dialect) -> Result<Vec<&'static Migration>, MigrateError> {
        let missing = missing(&self.recorded, dialect)?;
        let is_done = |step: &&Migration| self.recorded.contains_key(&step.version);
        let own = after(MIGRATIONS.iter().filter(is_done), dialect);
        let begun = missing.iter().filter(|step| self.recorded.contains_key(&-step.version));
        let under_way: BTreeSet<_> = begun.flat_map(|step| Effect::of(step, dialect).touched()).collect();
        self.ensure_complete(&own, &under_way)?;
        self.ensure_not_foreign(&own, &under_way, &missing, dialect)?;
        Ok(missing)
    }

    /// Half an import must not pass for a store.
    fn ensure_complete(&self, own: &BTreeSet<&str>, under_way: &BTreeSet<&str>) -> Result<(), MigrateError> {
        let lacks = |table: &&&str| !self.tables.contains(**table) && !under_way.contains(**table);
        let tables: Vec<_> = own.iter().filter(lacks).map(|table| (*table).to_owned()).collect();
        if tables.is_empty() { Ok(()) } else { Err(MigrateError::Incomplete { tables }) }
    }

    /// A new store is made in an empty database. A step of an older store must not meet a table that is not its own.
    fn ensure_not_foreign(
        &self,
        own: &BTreeSet<&str>,
        under_way: &BTreeSet<&str>,
        missing: &[&Migration],
        dialect: Dialect,
    ) -> Result<(), MigrateError> {
        let is_new = own.is_empty();
        let made: BTreeSet<_> = missing.iter().flat_map(|step| Effect::of(step, dialect).touched()).collect();
        let is_foreign = |table: &&String| {
            let table = table.as_str();
            let is_known = table == RECORD || own.contains(table) || under_way.contains(table);
            !is_known && (is_new || made.contains(table))
        };
        let tables: Vec<_> = self.tables.iter().filter(is_foreign).cloned().collect();
        if tables.is_empty() { Ok(()) } else { Err(MigrateError::Foreign { tables }) }
    }
}

/// The steps that were not carried out yet.
fn missing(done: &Recorded, dialect: Dialect) -> Result<Vec<&'static Migration>, MigrateError> {
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

/// The tables that exist after these steps.
fn after<'a>(steps: impl Iterator<Item = &'a Migration>, dialect: Dialect) -> BTreeSet<&'static str> {
    let mut tables = BTreeSet::new();
    for step in steps {
        let Effect { created, dropped } = Effect::of(step, dialect);
        tables.retain(|table| !dropped.contains(table));
        tables.extend(created);
    }
    tables
}

/// The tables that a step makes and removes. A step removes before it makes.
struct Effect {
    created: Vec<&'static str>,
    dropped: Vec<&'static str>,
}

impl Effect {
    fn of(step: &Migration, dialect: Dialect) -> Self {
        let sql = step.sql(dialect);
        let named = |prefix| sql.lines().filter_map(move |line| line.strip_prefix(prefix)).map(first_word).collect();
        Self { created: named("CREATE TABLE IF NOT EXISTS "), dropped: named("DROP TABLE IF EXISTS ") }
    }

    fn touched(self) -> impl Iterator<Item = &'static str> {
        self.created.into_iter().chain(self.dropped)
    }
}

fn first_word(text: &'static str) -> &'static str {
    text.split(|character: char| !character.is_ascii_alphanumeric() && character != '_').next().unwrap_or(text)
}

#[cfg(test)]
mod tests;
