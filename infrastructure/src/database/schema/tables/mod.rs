//! Copies of tables: made empty beside the live ones, filled, and put in their place.

use crate::database::{
    Database, DatabaseError, Dialect, Row, Session, SqlValue, TableNames, Transaction, placeholders,
};
use crate::sql_args;

/// The end of the name of a copy that is being filled.
const COPY: &str = "__rebuild";

/// The end of the name of what a copy has replaced.
const REPLACED: &str = "__old";

/// The end of the names of a copy's indexes. SQLite cannot rename an index, and names are unique in the file: the copy's
/// indexes have this where those of the live table have it not, and the other way round.
const INDEX: &str = "__rebuilt";

/// The rows that are deleted at once from a table that is going to be dropped: SQLite has one writer at a time.
const CHUNK: i64 = 2_000;

/// How long a statement that changes tables waits for those who use them, in seconds. Meanwhile others wait for it.
const LOCK_WAIT: &str = "SET SESSION lock_wait_timeout = 3";

/// Empty copies of some tables, with the same columns and indexes.
#[derive(Clone, Debug)]
pub struct TableCopies {
    database: Database,
    tables: Vec<String>,
}

/// The columns by which the rows of a table are told apart, in the order of the key.
pub type PrimaryKey = Vec<String>;

impl TableCopies {
    /// Of these tables.
    #[must_use]
    pub fn of<'a>(database: &Database, tables: impl IntoIterator<Item = &'a str>) -> Self {
        Self { database: database.clone(), tables: tables.into_iter().map(str::to_owned).collect() }
    }

    /// What the copies are called.
    #[must_use]
    pub fn names(&self) -> TableNames {
        TableNames::with_suffix(self.tables.iter().map(String::as_str), COPY)
    }

    /// Makes the copies, after it has removed what an interrupted run has left.
    ///
    /// # Errors
    /// See [`DatabaseError`].
    pub async fn create(&self) -> Result<(), DatabaseError> {
        self.remove().await?;
        match self.database.dialect() {
            Dialect::Mysql => {
                let mut session = ddl_session(&self.database).await?;
                for table in &self.tables {
                    session.run(&format!("CREATE TABLE {table}{COPY} LIKE {table}")).await?;
                }
                session.close().await;
            }
            Dialect::Sqlite => {
                let mut tx = self.database.begin_view().await?;
                for table in &self.tables {
                    for statement in definitions(&mut tx, table).await? {
                        tx.execute(&statement, vec![]).await?;
                    }
                }
                tx.commit().await?;
            }
        }
        Ok(())
    }

    /// Puts the copies in the place of the tables, all at once for whoever reads. On SQLite this is part of the
    /// transaction, whose caller has to commit it; MySQL commits it at once, on another connection.
    ///
    /// # Errors
    /// See [`DatabaseError`]; `Retryable` when somebody uses a table for too long.
    pub async fn replace(&self, tx: &mut Transaction) -> Result<(), DatabaseError> {
        let steps = self.tables.iter().flat_map(|table| {
            [(table.clone(), format!("{table}{REPLACED}")), (format!("{table}{COPY}"), table.clone())]
        });
        match tx.dialect() {
            Dialect::Mysql => {
                let steps: Vec<_> = steps.map(|(from, to)| format!("{from} TO {to}")).collect();
                let mut session = ddl_session(&self.database).await?;
                session.run(&format!("RENAME TABLE {}", steps.join(", "))).await?;
                session.close().await;
            }
            Dialect::Sqlite => {
                tx.rename_tables(None);
                for (from, to) in steps {
                    tx.execute(&format!("ALTER TABLE {from} RENAME TO {to}"), vec![]).await?;
                }
            }
        }
        Ok(())
    }

    /// The schema may hold tables of other programs, so that only the very names count.
    async fn left_over(&self) -> Result<Vec<String>, DatabaseError> {
        let all = match self.database.dialect() {
            Dialect::Mysql => {
                "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE()"
            }
            Dialect::Sqlite => "SELECT name FROM sqlite_master WHERE type = 'table'",
        };
        let rows = self.database.fetch_all(all, vec![]).await?;
        let found = rows.iter().map(|row| row.text("name")).collect::<Result<Vec<_>, _>>()?;
        let own: Vec<_> =
            self.tables.iter().flat_map(|table| [format!("{table}{COPY}"), format!("{table}{REPLACED}")]).collect();
        Ok(found.into_iter().filter(|name| own.contains(name)).collect())
    }

    /// Removes copies of these tables and what such copies have replaced, also those of an interrupted run.
    ///
    /// # Errors
    /// See [`DatabaseError`].
    pub async fn remove(&self) -> Result<(), DatabaseError> {
        let tables = self.left_over().await?;
        match self.database.dialect() {
            Dialect::Mysql if tables.is_empty() => {}
            Dialect::Mysql => {
                let mut session = ddl_session(&self.database).await?;
                session.run(&format!("DROP TABLE IF EXISTS {}", tables.join(", "))).await?;
                session.close().await;
            }
            Dialect::Sqlite => {
                for table in &tables {
                    empty(&self.database, table).await?;
                    self.database.execute(&format!("DROP TABLE IF EXISTS {table}"), vec![]).await?;
                }
            }
        }
        Ok(())
    }
}

impl Database {
    /// The primary key of a table; SQLite's own row number where it has none.
    ///
    /// # Errors
    /// See [`DatabaseError`].
    pub async fn primary_key(&self, table: &str) -> Result<PrimaryKey, DatabaseError> {
        let sql = match self.dialect() {
            Dialect::Mysql => {
                "SELECT column_name AS name FROM information_schema.statistics WHERE table_schema = DATABASE() \
                 AND table_name = ? AND index_name = 'PRIMARY' ORDER BY seq_in_index"
            }
            Dialect::Sqlite => "SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk",
        };
        let rows = self.fetch_all(sql, sql_args![table]).await?;
        let mut key = rows.iter().map(|row| row.text("name")).collect::<Result<Vec<_>, _>>()?;
        if key.is_empty() && self.dialect() == Dialect::Sqlite {
            key.push("rowid".to_owned());
        }
        Ok(key)
    }
}

async fn ddl_session(database: &Database) -> Result<Session, DatabaseError> {
    let mut session = database.log_session().await?;
    session.run(LOCK_WAIT).await?;
    Ok(session)
}

/// Deletes the rows of a table, a few at a time and in the order of their key, after its indexes.
async fn empty(database: &Database, table: &str) -> Result<(), DatabaseError> {
    const INDEXES: &str = "SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL";
    for row in database.fetch_all(INDEXES, sql_args![table]).await? {
        database.execute(&format!("DROP INDEX IF EXISTS {}", row.text("name")?), vec![]).await?;
    }
    let columns = database.primary_key(table).await?;
    let key = columns.join(", ");
    // Values of its own, because SQLite uses the first column alone of a key that is compared with a subquery.
    let next = format!("SELECT {key} FROM {table} ORDER BY {key} LIMIT 1 OFFSET ?");
    let delete = format!("DELETE FROM {table} WHERE ({key}) < ({})", placeholders(columns.len()));
    // The last few go with the table.
    while let Some(row) = database.fetch_optional(&next, sql_args![CHUNK]).await? {
        let value =
            |column: &String| row.int(column).map(SqlValue::from).or_else(|_| row.text(column).map(SqlValue::from));
        let place = columns.iter().map(value).collect::<Result<Vec<_>, _>>()?;
        database.execute(&delete, place).await?;
    }
    Ok(())
}

/// The statements that make SQLite's copy of a table.
async fn definitions(tx: &mut Transaction, table: &str) -> Result<Vec<String>, DatabaseError> {
    const SQL: &str = "SELECT type, name, sql FROM sqlite_master WHERE tbl_name = ? AND sql IS NOT NULL \
                       AND type IN ('table', 'index') ORDER BY type DESC";
    let rows = tx.fetch_all(SQL, sql_args![table]).await?;
    let statements = rows.iter().map(|row| definition(row, table)).collect::<Result<Vec<_>, _>>()?;
    Ok(statements)
}

fn definition(row: &Row, table: &str) -> Result<String, DatabaseError> {
    let sql = row.text("sql")?;
    Ok(if row.text("type")? == "table" {
        copy_of_table(&sql, table)
    } else {
        copy_of_index(&sql, &row.text("name")?, &format!("{table}{COPY}"))
    })
}

/// `CREATE TABLE t (…)` or `CREATE VIRTUAL TABLE t USING …` of the copy; the name may be in quotes.
fn copy_of_table(sql: &str, table: &str) -> String {
    let begins = sql.find(table).unwrap_or_default();
    let rest = sql[begins + table.len()..].trim_start_matches(['"', '`', ']']);
    let begin = sql[..begins].trim_end_matches(['"', '`', '[']);
    format!("{begin}{table}{COPY}{rest}")
}

/// `CREATE INDEX i ON t (…)` of the copy.
fn copy_of_index(sql: &str, index: &str, table: &str) -> String {
    let unique = if sql.to_ascii_uppercase().starts_with("CREATE UNIQUE") { "UNIQUE " } else { "" };
    let columns = sql.find('(').map_or("", |begin| &sql[begin..]);
    format!("CREATE {unique}INDEX {} ON {table} {columns}", other_index_name(index))
}

fn other_index_name(index: &str) -> String {
    index.strip_suffix(INDEX).map_or_else(|| format!("{index}{INDEX}"), str::to_owned)
}

/// Gives the indexes of rebuilt tables the names that the schema's next steps know them by.
pub(crate) async fn restore_index_names(session: &mut Session) -> Result<(), DatabaseError> {
    let found = "SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'index' AND substr(name, -9) = '__rebuilt'";
    for row in session.query(found).await? {
        let (name, table) = (row.text("name")?, row.text("tbl_name")?);
        let create = copy_of_index(&row.text("sql")?, &name, &table);
        session.run(&format!("DROP INDEX {name}")).await?;
        if !table.ends_with(COPY) && !table.ends_with(REPLACED) {
            session.run(&create).await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
