use super::*;
use crate::event_log::testing::{append, start, stream};
use crate::testing::{Fresh, fresh_databases};
use application::ports::{EventLog, StreamId};
use domain::aggregate::AggregateType;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

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
            Err(VerifyError::Broken(Broken { position, damage })) => found.push((position, damage)),
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
    assert_eq!(damage_by(&["UPDATE log_head SET position = 4"]).await, [(5, Damage::Surplus)]);
}

#[tokio::test]
async fn event_before_the_first_is_found() {
    let fresh = log_of_five().await.remove(0);
    let put = "INSERT INTO events SELECT -1, aggregate_type, aggregate_id, 99, event_type, event_version, payload, \
               metadata, event_id, command_id, causation_id, correlation_id, actor, recorded_us, salt, payload_digest, \
               chain_hash FROM events WHERE position = 1";
    let mut session = fresh.database.log_session().await.unwrap();
    session
        .run(&format!("PRAGMA ignore_check_constraints = ON; {put}; PRAGMA ignore_check_constraints = OFF"))
        .await
        .unwrap();
    session.close().await;
    let found = after(&fresh, &[]).await.unwrap_err();
    assert!(matches!(found, VerifyError::Broken(Broken { position: -1, damage: Damage::Surplus })), "{found:?}");
}

#[tokio::test]
async fn other_spelling_of_an_id_is_found() {
    for fresh in fresh_databases().await {
        let id = 0xabcd_ef00_0000_0000_0000_0000_0000_abcd;
        start(&fresh.database).await.append(append(&[(stream(id), 0, 2)])).await.unwrap();
        for column in ["aggregate_id", "event_id"] {
            let sql = format!("UPDATE events SET {column} = UPPER({column}) WHERE position = 2");
            let found = after(&fresh, &[&sql]).await.unwrap_err();
            let expected = Broken { position: 2, damage: Damage::Unreadable };
            assert!(matches!(found, VerifyError::Broken(broken) if broken == expected), "{found:?}");
            fresh.database.execute(&sql.replace("UPPER", "LOWER"), vec![]).await.unwrap();
        }
    }
}

#[tokio::test]
async fn payload_that_was_moved_into_the_salt_is_found() {
    let fresh = log_of_five().await.remove(0);
    let sql = "UPDATE events SET salt = CAST(salt || substr(CAST(payload AS BLOB), 1, 1) AS BLOB), \
               payload = substr(payload, 2) WHERE position = 2";
    let mut session = fresh.database.log_session().await.unwrap();
    session
        .run(&format!("PRAGMA ignore_check_constraints = ON; {sql}; PRAGMA ignore_check_constraints = OFF"))
        .await
        .unwrap();
    session.close().await;
    let found = after(&fresh, &[]).await.unwrap_err();
    assert!(matches!(found, VerifyError::Broken(Broken { position: 2, damage: Damage::Payload })), "{found:?}");
}

#[tokio::test]
async fn log_that_was_made_anew_does_not_have_the_noted_hash() {
    for fresh in log_of_five().await {
        let row =
            fresh.database.fetch_optional("SELECT chain_hash FROM events WHERE position = 4", vec![]).await.unwrap();
        let noted = row.unwrap().hash("chain_hash").unwrap();
        let against = async |position, hash| verify_against(&fresh.database, Some((position, hash)), |_, _| {}).await;
        against(4, noted).await.unwrap();
        assert!(matches!(against(4, [1; 32]).await, Err(VerifyError::NotTheNoted { position: 4 })));
        assert!(matches!(against(6, noted).await, Err(VerifyError::NotTheNoted { position: 6 })));
    }
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

async fn erase(fresh: &Fresh, vouched_for: &str) -> Result<VerifiedLog, VerifyError> {
    let log = start(&fresh.database).await;
    let mut erasure = append(&[(StreamId { kind: AggregateType::Visitor, id: Uuid::from_u128(9) }, 0, 1)]);
    let event = &mut erasure.streams[0].events[0];
    event.event_type = "PersonalDataErased".into();
    let digest = hex::encode(Sha256::digest(vouched_for));
    event.payload = format!(r#"{{"payloads":[{{"position":3,"digest":"{digest}"}}]}}"#);
    log.append(erasure).await.unwrap();
    after(fresh, &["UPDATE events SET payload = '{}', salt = NULL WHERE position = 3"]).await
}

#[tokio::test]
async fn recorded_erasure_leaves_the_chain_whole() {
    for fresh in log_of_five().await {
        assert_eq!(erase(&fresh, "{}").await.unwrap().erased, 1);
    }
}

#[tokio::test]
async fn payload_beside_the_erased_one_is_found() {
    for fresh in log_of_five().await {
        let found = erase(&fresh, r#"{"type":"TagDeleted"}"#).await.unwrap_err();
        assert!(matches!(found, VerifyError::Broken(Broken { position: 3, damage: Damage::Unvouched })), "{found:?}");
    }
}

#[tokio::test]
async fn salt_that_was_taken_away_hides_nothing() {
    let changed = "UPDATE events SET payload = '{}', salt = NULL WHERE position = 3";
    assert_eq!(damage_by(&[changed]).await, [(3, Damage::Unvouched)]);
}
