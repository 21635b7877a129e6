//! Whether the records of repeatable commands name the events of their commands. The chain does not cover them.

use application::ports::Position;
use domain::ids::CommandId;

use crate::database::{Database, DatabaseError};
use crate::sql_args;

/// How many records are looked at in one statement.
const CHUNK: usize = 500;

/// A record that does not name exactly events of its command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ForeignRecord {
    pub command_id: CommandId,
    /// The position of the first event that the record names.
    pub first_position: Position,
}

/// Walks the command log.
///
/// # Errors
/// When the database does not work.
pub async fn find_foreign_records(database: &Database) -> Result<Vec<ForeignRecord>, DatabaseError> {
    // An event is counted if it is the command's and within the record, so that the numbers agree only if all are.
    let select = format!(
        "SELECT c.command_id AS command_id, c.first_position AS first_position, c.last_position AS last_position, \
         (SELECT COUNT(*) FROM events e WHERE e.position >= c.first_position AND e.position <= c.last_position \
         AND e.command_id = c.command_id) AS own FROM command_log c WHERE c.command_id > ? ORDER BY c.command_id LIMIT {CHUNK}"
    );
    let (mut foreign, mut after) = (vec![], String::new());
    loop {
        let rows = database.fetch_all(&select, sql_args![&after]).await?;
        let Some(last) = rows.last() else { return Ok(foreign) };
        after = last.text("command_id")?;
        for row in &rows {
            let (first_position, last_position) = (row.int("first_position")?, row.int("last_position")?);
            let named = last_position.saturating_sub(first_position).saturating_add(1);
            if named < 1 || row.int("own")? != named {
                let command_id = CommandId::new(row.uuid("command_id")?);
                foreign.push(ForeignRecord { command_id, first_position });
            }
        }
    }
}
