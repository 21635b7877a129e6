//! What must come about by itself after a start.

use std::time::Duration;

use harness::{History, Standing};
use infrastructure::database::{Database, DatabaseOptions};
use projections::rebuild::{compare, dump, rebuild_into};

/// It comes about within this time, also on a busy machine; before the router's sweep could make up for a lost wake-up.
pub const RECOVERY: Duration = Duration::from_secs(12);

/// Whether everything that follows from the log has happened.
pub async fn settled(history: &History) -> Result<i64, String> {
    let standing = Standing::of(&history.events().await);
    if let Some((chat, agent)) = standing.waits_in_vain() {
        return Err(format!("{chat} waits although {agent} is free"));
    }
    standing.check_queue(&history.database).await?;
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let url = format!("sqlite:{}", folder.path().join("rebuilt.db").display());
    let rebuilt = Database::connect(&url, DatabaseOptions::default()).await.expect("a new database");
    rebuilt.migrate().await.expect("a new schema");
    let position = rebuild_into(&history.log, &rebuilt).await.expect("the read models can be rebuilt");
    let live = dump(&history.database).await.expect("the read models can be read");
    let differences = compare(&live, &dump(&rebuilt).await.expect("the rebuilt ones can be read"));
    rebuilt.close().await;
    if differences.is_empty() { Ok(position) } else { Err(format!("at {position}: {differences:#?}")) }
}
