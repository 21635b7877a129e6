use async_trait::async_trait;

use super::{COPY, Exchange, Holder, REPLACED};
use crate::database::{Database, DatabaseError, ReadSnapshot, Row, Session, SqlValue, Transaction, placeholders};
use crate::sql_args;

/// The end of the names of a copy's indexes. SQLite cannot rename an index, and names are unique in the file: the copy's
/// indexes have this ending where those of the live table lack it, and the other way round.
const INDEX: &str = "__rebuilt";

/// The rows that are deleted at once from a table that is going to be dropped: SQLite has one writer at a time.
pub(super) const CHUNK: i64 = 2_000;

/// SQLite lets one transaction write at a time, and changes of tables are part of it.
pub(super) struct SqliteExchange;

#[async_trait]
impl Exchange for SqliteExchange {
    fn writes_in_parallel(&self) -> bool {
        false
    }

    /// In the transaction that confirms the right.
    async fn create(&self, _: &Database, tables: &[String], holder: &dyn Holder) -> Result<bool, DatabaseError> {
        let Some(mut tx) = holder.begin().await? else { return Ok(false) };
        for table in tables {
            for statement in definitions(&mut tx, table).await? {
                tx.execute(&statement, vec![]).await?;
            }
        }
        tx.commit().await?;
        Ok(true)
    }

    /// In many short transactions, each of which confirms the right.
    async fn drop_tables(
        &self,
        database: &Database,
        tables: &[String],
        holder: &dyn Holder,
    ) -> Result<bool, DatabaseError> {
        for table in tables {
            let is_held = empty(database, table, holder).await?
                && run(holder, &format!("DROP TABLE IF EXISTS {table}"), vec![]).await?;
            if !is_held {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Part of the transaction, which the caller commits.
    async fn replace(
        &self,
        _: &Database,
        tx: &mut Transaction,
        renamed: &[(String, String)],
    ) -> Result<(), DatabaseError> {
        tx.rename_tables(None);
        for (from, to) in renamed {
            tx.execute(&format!("ALTER TABLE {from} RENAME TO {to}"), vec![]).await?;
        }
        Ok(())
    }

    /// After the transaction, whose writes are to be seen.
    async fn snapshot(&self, database: &Database, held: Transaction) -> Result<Option<ReadSnapshot>, DatabaseError> {
        held.commit().await?;
        match database.snapshot().await {
            Err(error) if error.is_transient() => Ok(None),
            snapshot => snapshot.map(Some),
        }
    }

    fn all_tables(&self) -> &'static str {
        "SELECT name FROM sqlite_master WHERE type = 'table'"
    }
}

/// Runs a statement in a transaction that confirms the right. `false`: it is lost.
async fn run(holder: &dyn Holder, sql: &str, args: Vec<SqlValue>) -> Result<bool, DatabaseError> {
    let Some(mut tx) = holder.begin().await? else { return Ok(false) };
    tx.execute(sql, args).await?;
    tx.commit().await?;
    Ok(true)
}

/// Deletes the rows of a table, a few at a time and in the order of their key, after its indexes. `false`: the right is lost.
pub(super) async fn empty(database: &Database, table: &str, holder: &dyn Holder) -> Result<bool, DatabaseError> {
    const INDEXES: &str = "SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL";
    for row in database.fetch_all(INDEXES, sql_args![table]).await? {
        if !run(holder, &format!("DROP INDEX IF EXISTS {}", row.text("name")?), vec![]).await? {
            return Ok(false);
        }
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
        if !run(holder, &delete, place).await? {
            return Ok(false);
        }
    }
    Ok(true)
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
pub(super) fn copy_of_table(sql: &str, table: &str) -> String {
    let begins = sql.find(table).unwrap_or_default();
    let rest = sql[begins + table.len()..].trim_start_matches(['"', '`', ']']);
    let begin = sql[..begins].trim_end_matches(['"', '`', '[']);
    format!("{begin}{table}{COPY}{rest}")
}

/// `CREATE INDEX i ON t (…)` of the copy.
pub(super) fn copy_of_index(sql: &str, index: &str, table: &str) -> String {
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
