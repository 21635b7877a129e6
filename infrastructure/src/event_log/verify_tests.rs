use super::*;
use crate::event_log::testing::{append, start, stream};
use crate::testing::{Fresh, fresh_databases};
use application::ports::EventLog;

async fn log_of_five() -> Vec<Fresh> {
    let all = fresh_databases().await;
    for fresh in &all {
        start(&fresh.database).await.append(append(&[(stream(1), 0, 2), (stream(2), 0, 3)])).await.unwrap();
    }
    all
}

async fn after(fresh: &Fresh, changes: &[&str]) -> Result<VerifiedLog, VerifyError> {
    for sql in changes {
        fresh.database.execute(sql, vec![]).await.unwrap();
    }
    verify_chain(&fresh.database, |_| {}).await
}

async fn damage_by(changes: &[&str]) -> Vec<(Position, Damage)> {
    let mut found = Vec::new();
    for fresh in log_of_five().await {
        match after(&fresh, changes).await {
            Err(VerifyError::Broken { position, damage }) => found.push((position, damage)),
            other => panic!("{changes:?}: {other:?}"),
        }
    }
    found.dedup();
    found
}

#[tokio::test]
async fn untouched_log_is_whole() {
    for fresh in log_of_five().await {
        let verified = after(&fresh, &[]).await.unwrap();
        assert_eq!((verified.position, verified.erased), (5, 0));
    }
}

#[tokio::test]
async fn empty_log_is_whole() {
    for fresh in fresh_databases().await {
        assert_eq!(after(&fresh, &[]).await.unwrap().position, 0);
    }
}

#[tokio::test]
async fn every_change_is_found_where_it_is() {
    let payload = "UPDATE events SET payload = '{\"type\":\"TagRestored\"}' WHERE position = 3";
    assert_eq!(damage_by(&[payload]).await, [(3, Damage::Payload)]);
    for column in ["actor", "event_type", "event_version"] {
        let sql = format!("UPDATE events SET {column} = 'x' WHERE position = 2");
        assert_eq!(damage_by(&[&sql]).await, [(2, Damage::Chain)], "{column}");
    }
    let metadata = "UPDATE events SET metadata = '[]' WHERE position = 4";
    assert_eq!(damage_by(&[metadata]).await, [(4, Damage::Chain)]);
    let time = "UPDATE events SET recorded_us = recorded_us + 1 WHERE position = 5";
    assert_eq!(damage_by(&[time]).await, [(5, Damage::Chain)]);
    let hash = format!("UPDATE events SET chain_hash = X'{}' WHERE position = 2", "11".repeat(32));
    assert_eq!(damage_by(&[&hash]).await, [(2, Damage::Chain)]);
    let kind = "UPDATE events SET aggregate_type = 'nothing' WHERE position = 2";
    assert_eq!(damage_by(&[kind]).await, [(2, Damage::Unreadable)]);
}

#[tokio::test]
async fn missing_and_additional_events_are_found() {
    assert_eq!(damage_by(&["DELETE FROM events WHERE position = 3"]).await, [(3, Damage::Missing)]);
    assert_eq!(damage_by(&["DELETE FROM events WHERE position = 5"]).await, [(5, Damage::Missing)]);
    assert_eq!(damage_by(&["UPDATE log_head SET position = 4"]).await, [(5, Damage::End)]);
}

#[tokio::test]
async fn swapped_events_are_found() {
    let swap = [
        "UPDATE events SET position = 99 WHERE position = 2",
        "UPDATE events SET position = 2 WHERE position = 3",
        "UPDATE events SET position = 3 WHERE position = 99",
    ];
    assert_eq!(damage_by(&swap).await, [(2, Damage::Chain)]);
}

#[tokio::test]
async fn erased_payload_leaves_the_chain_whole() {
    for fresh in log_of_five().await {
        let verified = after(&fresh, &["UPDATE events SET payload = '{}', salt = NULL WHERE position = 3"]).await;
        assert_eq!(verified.unwrap().erased, 1);
    }
}
