//! What views hold beside what the log says, and a rebuild has to take over from the live tables.

use infrastructure::database::{Database, DatabaseError, TableNames};

/// Columns that do not follow from the log.
struct Carried {
    table: &'static str,
    /// They belong to the row with the same values of these.
    of: &'static [&'static str],
    columns: &'static [&'static str],
}

/// Failed attempts belong to one wait of a chat: a later wait begins anew.
const CARRIED: [Carried; 1] = [Carried {
    table: "routing_queue",
    of: &["conversation_id", "waiting_since"],
    columns: &["attempts", "next_attempt_us", "last_error"],
}];

impl Carried {
    fn statement(&self, copy: &str) -> String {
        let Self { table, of, columns } = self;
        let same: Vec<_> = of.iter().map(|column| format!("live.{column} = {copy}.{column}")).collect();
        let row = format!("FROM {table} live WHERE {}", same.join(" AND "));
        let set: Vec<_> = columns.iter().map(|column| format!("{column} = (SELECT live.{column} {row})")).collect();
        format!("UPDATE {copy} SET {} WHERE EXISTS (SELECT 1 {row})", set.join(", "))
    }
}

/// The columns of a table that do not follow from the log.
#[cfg(test)]
pub(super) fn columns(table: &str) -> &'static [&'static str] {
    CARRIED.iter().find(|carried| carried.table == table).map_or(&[], |carried| carried.columns)
}

/// The statements that take over what these tables hold beside the log.
pub(super) fn statements(tables: &[&'static str], copies: &TableNames) -> Vec<String> {
    let wanted = CARRIED.iter().filter(|carried| tables.contains(&carried.table));
    wanted.map(|carried| carried.statement(copies.name(carried.table))).collect()
}

/// Runs them by themselves.
pub(super) async fn run(database: &Database, statements: &[String]) -> Result<(), DatabaseError> {
    for statement in statements {
        database.execute(statement, vec![]).await?;
    }
    Ok(())
}
