use std::fs;
use std::time::Duration;

use application::ports::Clock as _;

use super::*;
use crate::event_log::testing::{append, start, stream};
use crate::system::SystemClock;
use crate::testing::{Fresh, fresh_databases, redis_url};
use application::ports::EventLog as _;

const PROJECTORS: [SubscriberId; 1] = [("notes", 2)];

async fn look(url: &str) -> Vec<Finding> {
    let expected = Expectations { projectors: &PROJECTORS, integrity: true };
    inspect_database(url, expected, &SystemClock).await
}

async fn of(fresh: &Fresh, subject: &str) -> (Status, String) {
    let found = look(&fresh.url).await;
    let finding = found.iter().find(|finding| finding.subject == subject);
    let finding = finding.unwrap_or_else(|| panic!("nothing about {subject}: {found:#?}"));
    assert_eq!(finding.advice.is_some(), finding.status != Status::Ok, "{finding:?}");
    (finding.status, finding.found.clone())
}

#[tokio::test]
async fn new_database_is_fine_and_stays_as_it_is() {
    for fresh in fresh_databases().await {
        start(&fresh.database).await.append(append(&[(stream(1), 0, 2)])).await.unwrap();
        let found = look(&fresh.url).await;
        assert!(found.iter().all(|finding| finding.status != Status::Failed), "{found:#?}");
        assert_eq!(of(&fresh, "schema").await.0, Status::Ok);
        assert!(of(&fresh, "log").await.1.contains("position 2"));
        assert_eq!(of(&fresh, "read models").await.0, Status::Warning, "nobody has filled them");
    }
}

#[tokio::test]
async fn what_is_wrong_with_the_log_is_told() {
    for (change, status, words) in [
        ("UPDATE log_head SET epoch = '00000000-0000-0000-0000-000000000001'", Status::Failed, "another history"),
        ("UPDATE checkpoints SET version = 3", Status::Failed, "newer version 3"),
        ("UPDATE checkpoints SET version = 1", Status::Warning, "earlier version"),
        ("UPDATE checkpoints SET position = 1", Status::Failed, "another history"),
        ("UPDATE checkpoints SET outdated = 0", Status::Ok, "up to date"),
    ] {
        for fresh in fresh_databases().await {
            let epoch = crate::event_log::read_head(&fresh.database).await.unwrap().epoch;
            let checkpoint = crate::subscription::Checkpoint::beginning(epoch);
            checkpoint.store_first(&fresh.database, PROJECTORS[0]).await.unwrap();
            fresh.database.execute(change, vec![]).await.unwrap();
            let (found, said) = of(&fresh, "read models").await;
            assert_eq!(found, status, "{change}: {said}");
            assert!(said.contains(words), "{said}");
        }
    }
    for fresh in fresh_databases().await {
        start(&fresh.database).await.append(append(&[(stream(1), 0, 2)])).await.unwrap();
        let head = crate::event_log::read_head(&fresh.database).await.unwrap();
        let (position, chain_hash, epoch) = (head.position, head.chain_hash, head.epoch);
        let checkpoint = crate::subscription::Checkpoint { position, chain_hash, epoch, generation: 0 };
        checkpoint.store_first(&fresh.database, PROJECTORS[0]).await.unwrap();
        assert_eq!(of(&fresh, "read models").await.0, Status::Ok);
        for place in ["chain_hash = X'00'", "position = 1", "epoch = 'no history'"] {
            fresh.database.execute(&format!("UPDATE checkpoints SET {place}"), vec![]).await.unwrap();
            let (found, said) = of(&fresh, "read models").await;
            assert!(found == Status::Failed && said.starts_with("notes ") && said.contains("not in the log"), "{said}");
        }
    }
    for fresh in fresh_databases().await {
        start(&fresh.database).await.append(append(&[(stream(1), 0, 2)])).await.unwrap();
        fresh.database.execute("DELETE FROM events WHERE position = 2", vec![]).await.unwrap();
        assert_eq!(of(&fresh, "log").await.0, Status::Failed);
        let insert = "INSERT INTO restores (epoch, from_epoch, position, begun_us) VALUES ('a', 'b', 1, 1)";
        let insert = insert.replace("'a'", &format!("'{}'", uuid::Uuid::nil()));
        fresh.database.execute(&insert, vec![]).await.unwrap();
        assert!(of(&fresh, "log").await.1.contains("restore"));
    }
}

#[tokio::test]
async fn schema_of_another_version_is_told() {
    for fresh in fresh_databases().await {
        fresh.database.execute("DELETE FROM schema_migrations WHERE version = 8", vec![]).await.unwrap();
        assert_eq!(of(&fresh, "schema").await.0, Status::Warning);
        let newer = "INSERT INTO schema_migrations (version, name, digest, applied_us) VALUES (9999, 'x', 'x', 1)";
        fresh.database.execute(newer, vec![]).await.unwrap();
        assert_eq!(of(&fresh, "schema").await.0, Status::Failed);
    }
}

#[tokio::test]
async fn files_that_are_no_database_are_told_and_none_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("log.db").display());
    let found = look(&url).await;
    assert_eq!((found.len(), found[0].status), (1, Status::Ok));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    fs::write(folder.path().join("log.db"), "this is no database").unwrap();
    assert_eq!(look(&url).await[0].status, Status::Failed);
    assert_eq!(fs::read(folder.path().join("log.db")).unwrap(), b"this is no database");
    let found = look("mysql://nobody:wrong@127.0.0.1:1/nothing").await;
    assert_eq!((found.len(), found[0].status), (1, Status::Failed));
}

#[tokio::test]
async fn file_of_another_program_without_a_write_ahead_log_is_told_and_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shop.db");
    let url = format!("sqlite:{}", file.display());
    for foreign in [
        "CREATE TABLE tags (a INT)",
        "CREATE TABLE invoices (a INT)",
        "CREATE TABLE a (b INT); CREATE VIEW tags AS SELECT 1",
    ] {
        let shop = rusqlite::Connection::open(&file).unwrap();
        shop.execute_batch(foreign).unwrap();
        drop(shop);
        let before = fs::read(&file).unwrap();
        let found = look(&url).await;
        assert!(found.iter().any(|finding| finding.status == Status::Failed), "{foreign}: {found:#?}");
        assert_eq!(fs::read(&file).unwrap(), before, "{foreign}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "{foreign}");
        fs::remove_file(&file).unwrap();
    }
    // One of ours that another program has set back is still one of ours.
    let fresh = crate::testing::fresh_sqlite().await;
    assert!(fresh.database.wipe().await.unwrap());
    fresh.database.close().await;
    fs::copy(Database::file(&fresh.url).unwrap(), &file).unwrap();
    let own = rusqlite::Connection::open(&file).unwrap();
    own.pragma_update(None, "journal_mode", "DELETE").unwrap();
    drop(own);
    let found = look(&url).await;
    assert_eq!((found.len(), found[0].status), (1, Status::Warning), "{found:#?}");
}

#[tokio::test]
async fn damaged_list_of_tables_is_told_as_damage() {
    let fresh = crate::testing::fresh_sqlite().await;
    assert!(fresh.database.wipe().await.unwrap());
    fresh.database.close().await;
    let file = Database::file(&fresh.url).unwrap();
    let mut bytes = fs::read(&file).unwrap();
    // The header stays; the tree of tables behind it does not.
    bytes[100..4_096].fill(0xa5);
    fs::write(&file, bytes).unwrap();
    let found = look(&fresh.url).await;
    let failed: Vec<_> = found.iter().filter(|finding| finding.status == Status::Failed).collect();
    assert!(!failed.is_empty(), "{found:#?}");
    for Finding { found, advice, .. } in failed {
        assert!(found.contains("damaged") && found.contains("malformed"), "{found}");
        assert!(advice.as_deref().is_some_and(|advice| advice.contains("restore") || advice.contains("--integrity")));
    }
}

#[test]
fn clocks_that_are_apart_are_told() {
    let now = SystemClock.now();
    let status = |seconds: u64, ahead: bool| {
        let by = Duration::from_secs(seconds);
        let theirs = if ahead { now.plus(by) } else { now.minus(by) };
        clocks::compare("clock", theirs, now, now).status
    };
    for ahead in [true, false] {
        assert_eq!(status(0, ahead), Status::Ok);
        assert_eq!(status(2, ahead), Status::Warning);
        assert_eq!(status(60, ahead), Status::Failed);
    }
}

#[tokio::test]
async fn redis_is_asked_for_its_version_and_time() {
    let found = inspect_redis("redis://127.0.0.1:1", &SystemClock).await;
    assert_eq!((found.len(), found[0].status), (1, Status::Failed));
    let Some(url) = redis_url("inspecting Redis") else { return };
    let found = inspect_redis(&url, &SystemClock).await;
    assert_eq!(found.len(), 2);
    assert!(found[0].found.starts_with("version "), "{found:?}");
    assert_eq!(found[1].status, Status::Ok);
}
