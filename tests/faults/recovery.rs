//! What must come about by itself after a start, or after an outage.

use std::time::Duration;

use application::ports::{Clock as _, Ids as _};
use harness::{History, Process, Standing, eventually};
use infrastructure::database::{Database, DatabaseOptions};
use infrastructure::event_log::verify_chain;
use infrastructure::system::{RandomIds, SystemClock};
use projections::testing::{compare, dump, rebuild_into};

use crate::load::Load;

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

/// How often something is done; `FAULT_ROUNDS` says otherwise.
pub fn rounds(usually: usize) -> usize {
    std::env::var("FAULT_ROUNDS").map_or(usually, |text| text.parse().expect("FAULT_ROUNDS is a number"))
}

/// Waits for a random time.
pub async fn pause(millis: std::ops::Range<u64>) {
    let span = (millis.end - millis.start) as f64 * RandomIds.fraction();
    SystemClock.sleep(Duration::from_millis(millis.start + span as u64)).await;
}

/// Nothing that went wrong inside was kept quiet.
pub fn assert_clean(process: &Process) {
    let log = process.log();
    assert!(!log.contains("panicked") && !log.contains(" ERROR "), "{log}");
}

/// Checks all that must be true after a restart or an outage, and returns the length of the log.
pub async fn check(history: &History, load: &Load) -> i64 {
    let events = history.events().await;
    load.journal.check(&events);
    drop(Standing::of(&events));
    let verified = verify_chain(&history.database, |_| {}).await.expect("the chain verifies");
    assert!(verified.position >= events.len() as i64);
    eventually(RECOVERY, "the read models are what the log says", async || settled(history).await).await
}
