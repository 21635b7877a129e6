//! What an append rests on in addition to the streams that it writes.

use std::sync::atomic::{AtomicI64, Ordering};

use application::ports::{Receipt, StreamVersion};

use super::*;
use crate::event_log::testing::observing;

fn is_conflict(answer: &Result<Receipt, AppendError>, id: u128) -> bool {
    matches!(answer, Err(AppendError::Conflict { stream: named }) if *named == stream(id))
}

/// The log of a node that knows what it has appended, and that of one that has just been started.
async fn experienced_and_new(database: &Database) -> [SqlEventLog; 2] {
    let experienced = start(database).await;
    experienced.append(append(&[(stream(1), 0, 2)])).await.unwrap();
    [experienced, start(database).await]
}

#[tokio::test]
async fn version_ahead_of_a_stream_would_leave_a_hole_and_is_a_conflict() {
    for fresh in fresh_databases().await {
        for log in experienced_and_new(&fresh.database).await {
            let before = log.head().await.unwrap();
            assert!(is_conflict(&log.append(append(&[(stream(1), 3, 1)])).await, 1));
            assert!(is_conflict(&log.append(append(&[(stream(2), 0, 1), (stream(3), 1, 1)])).await, 3));
            assert_eq!(log.head().await.unwrap(), before);
        }
    }
}

#[tokio::test]
async fn observed_streams_must_stand_where_they_were_seen() {
    for fresh in fresh_databases().await {
        for (log, own) in experienced_and_new(&fresh.database).await.iter().zip([10, 20]) {
            let before = log.head().await.unwrap();
            for (id, version) in [(1, 0), (1, 1), (1, 3), (2, 1)] {
                let request = observing(append(&[(stream(own), 0, 1)]), &[(stream(id), version)]);
                assert!(is_conflict(&log.append(request).await, id), "{id} {version}");
            }
            assert_eq!(log.head().await.unwrap(), before);
            let request = observing(append(&[(stream(own), 0, 1)]), &[(stream(1), 2), (stream(2), 0)]);
            log.append(request).await.unwrap();
        }
    }
}

#[tokio::test]
async fn what_another_node_has_appended_is_noticed() {
    for fresh in fresh_databases().await {
        let [log, other] = experienced_and_new(&fresh.database).await;
        let observer = |own| observing(append(&[(stream(own), 0, 1)]), &[(stream(1), 2)]);
        log.append(observer(10)).await.unwrap();
        other.append(append(&[(stream(1), 2, 1)])).await.unwrap();
        assert!(is_conflict(&log.append(observer(11)).await, 1));
    }
}

#[tokio::test]
async fn observers_in_a_batch_fail_alone() {
    for fresh in fresh_databases().await {
        let log = start(&fresh.database).await;
        log.append(append(&[(stream(1), 0, 1)])).await.unwrap();
        let log = start(&fresh.database).await;
        let version = |id| if id % 10 == 3 { 0 } else { 1 };
        let requests = (0..60).map(|id| observing(append(&[(stream(100 + id), 0, 1)]), &[(stream(1), version(id))]));
        let answers = join_all(requests.map(|request| log.append(request))).await;
        assert_eq!(answers.iter().filter(|answer| is_conflict(answer, 1)).count(), 6);
        assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 54);
        verify_chain(&fresh.database, |_| {}).await.unwrap();
    }
}

#[tokio::test]
async fn large_request_may_rest_on_a_thousand_streams() {
    for fresh in fresh_databases().await {
        let log = start(&fresh.database).await;
        let streams: Vec<_> = (1..=1_000).map(|id| (stream(id), 0, 1)).collect();
        log.append(append(&streams)).await.unwrap();
        let log = start(&fresh.database).await;
        let observed: Vec<_> = (1..=1_000).map(|id| (stream(id), 1)).collect();
        let rests = |id| log.append(observing(append(&[(stream(id), 0, 1)]), &observed));
        let mut outcome = rests(5_000).await;
        for id in 5_001..5_005 {
            // On a busy machine the debug build may take longer than callers wait.
            if matches!(outcome, Err(AppendError::Unavailable { .. })) {
                outcome = rests(id).await;
            }
        }
        outcome.unwrap();
    }
}

/// Many writers on two nodes: a writer that says that it saw the counter at a version must come before the counter's next.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_rests_on_what_has_gone() {
    for fresh in fresh_databases().await {
        let logs = [start(&fresh.database).await, start(&fresh.database).await];
        let accepted = std::sync::Mutex::new(vec![]);
        let next = AtomicI64::new(100);
        let writer = async |log: &SqlEventLog| {
            for _ in 0..40 {
                let version = log.read_stream(stream(1), 0).await.unwrap().len() as i64;
                let own = stream(u128::try_from(next.fetch_add(1, Ordering::SeqCst)).unwrap());
                let seen = StreamVersion { stream: stream(1), version };
                let request = observing(append(&[(own, 0, 1)]), &[(seen.stream, seen.version)]);
                if let Ok(receipt) = log.append(request).await {
                    accepted.lock().unwrap().push((seen.version, receipt.first_position));
                }
            }
        };
        let counter = async |log: &SqlEventLog| {
            for version in 0..20 {
                log.append(append(&[(stream(1), version, 1)])).await.unwrap();
            }
        };
        let writers = join_all((0..8).map(|writer_id| writer(&logs[writer_id % 2])));
        futures::future::join(writers, counter(&logs[1])).await;
        let counted: Vec<_> = positions_of(&logs[0], 1).await;
        let accepted = accepted.into_inner().unwrap();
        assert!(accepted.len() > 20, "{}", accepted.len());
        for (version, position) in accepted {
            let version = usize::try_from(version).unwrap();
            assert!(version == 0 || counted[version - 1] < position, "{version} {position} {counted:?}");
            assert!(counted.get(version).is_none_or(|next| position < *next), "{version} {position} {counted:?}");
        }
    }
}

async fn positions_of(log: &SqlEventLog, id: u128) -> Vec<Position> {
    let mut found = vec![];
    let mut after = 0;
    loop {
        let page = log.reader.page(after, 500).await.unwrap();
        let Some(last) = page.last() else { return found };
        after = last.header.position;
        found
            .extend(page.iter().filter(|event| event.header.stream() == stream(id)).map(|event| event.header.position));
    }
}

#[tokio::test]
async fn another_history_gets_nothing() {
    const REPLACE: [&str; 2] = [
        "UPDATE log_head SET epoch = '00000000-0000-0000-0000-000000000001' WHERE id = 1",
        "UPDATE log_head SET position = position - 1 WHERE id = 1",
    ];
    for replace in REPLACE {
        for fresh in fresh_databases().await {
            let log = start(&fresh.database).await;
            log.append(append(&[(stream(1), 0, 2)])).await.unwrap();
            let as_of = log.head().await.unwrap().as_of();
            let mut tx = fresh.database.begin_view().await.unwrap();
            tx.execute(replace, vec![]).await.unwrap();
            tx.commit().await.unwrap();
            let before = head::read(&fresh.database).await.unwrap();
            for id in 2..80 {
                let refused = log.append(append(&[(stream(id), 0, 1)])).await;
                assert!(matches!(refused, Err(AppendError::Unavailable { .. })), "{refused:?}");
            }
            assert_eq!(head::read(&fresh.database).await.unwrap(), before);
            assert!(matches!(log.head().await, Err(ReadError::HistoryForked { .. })), "and readiness can show it");
            assert!(matches!(log.read_after(0, 10).await, Err(ReadError::HistoryForked { .. })));
            let seen = SeenStream { stream: stream(1), freshness: Freshness::new(0, as_of.position()).at_version(2) };
            for as_of in [None, Some(as_of)] {
                assert!(matches!(log.find_grown(&[seen], as_of).await, Err(ReadError::HistoryForked { .. })));
            }
        }
    }
}

#[tokio::test]
async fn another_history_that_has_grown_past_the_own_gets_nothing() {
    for fresh in fresh_databases().await {
        let log = start(&fresh.database).await;
        log.append(append(&[(stream(1), 0, 3)])).await.unwrap();
        for sql in ["DELETE FROM events", "UPDATE log_head SET position = 0, chain_hash = zero, recorded_us = 0"] {
            let sql = sql.replace("zero", &format!("X'{}'", "00".repeat(32)));
            fresh.database.execute(&sql, vec![]).await.unwrap();
        }
        let other = start(&fresh.database).await;
        other.append(append(&[(stream(2), 0, 5)])).await.unwrap();
        for id in 3..80 {
            let refused = log.append(append(&[(stream(id), 0, 1)])).await;
            assert!(matches!(refused, Err(AppendError::Unavailable { .. })), "{refused:?}");
        }
        assert_eq!(other.append(append(&[(stream(2), 5, 1)])).await.unwrap().first_position, 6);
    }
}
