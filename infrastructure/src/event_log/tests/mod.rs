mod interop;
mod older_store;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use application::ports::{
    AppendError, AppendRequest, Clock, EventLog, Freshness, Growth, Position, ReadError, SeenStream, VersionedState,
};
use async_trait::async_trait;
use domain::time::Timestamp;
use futures::future::join_all;
use tokio::time::{Instant, timeout};

use super::testing::{append, ports, repeatable, start, stream};
use super::*;
use crate::database::{Database, Dialect};
use crate::system::SystemClock;
use crate::testing::fresh_databases;

async fn positions(log: &SqlEventLog, after: Position) -> Vec<Position> {
    let mut all = Vec::new();
    loop {
        let page = log.read_after(after + Position::try_from(all.len()).unwrap(), 100).await.unwrap();
        if page.is_empty() {
            return all;
        }
        all.extend(page.iter().map(|event| event.header.position));
    }
}

async fn wait_until_known(log: &SqlEventLog, position: Position) {
    let mut known = log.known_position();
    let waiting = timeout(Duration::from_secs(5), known.wait_for(|known| *known >= position));
    waiting.await.expect("position becomes known").unwrap();
}

#[tokio::test]
async fn appended_events_come_back_by_position_and_by_stream() {
    for fresh in fresh_databases().await {
        let log = start(&fresh.database).await;
        let request = append(&[(stream(1), 0, 2), (stream(2), 0, 1)]);
        let receipt = log.append(request.clone()).await.unwrap();
        assert_eq!((receipt.first_position, receipt.last_position), (1, 3));

        wait_until_known(&log, 3).await;
        let from_memory = log.read_after(0, 10).await.unwrap();
        let from_database = log.reader.page(0, 10).await.unwrap();
        assert_eq!(from_memory.len(), 3);
        for (memory, database) in from_memory.iter().zip(&from_database) {
            assert_eq!(memory.header, database.header);
            assert_eq!(memory.event, database.event);
        }
        let header = &from_memory[1].header;
        assert_eq!(header.stream(), stream(1));
        assert_eq!((header.sequence, header.position), (2, 2));
        assert_eq!(header.event_id, request.streams[0].events[1].event_id);
        assert_eq!(header.actor, "system:test");
        assert_eq!(header.recorded_at, receipt.recorded_at);

        let events = log.read_stream(stream(1), 0).await.unwrap();
        assert_eq!(events.iter().map(|event| event.sequence).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(events[0].payload["type"], "TagDeleted");
        assert_eq!(log.read_stream(stream(1), 1).await.unwrap().len(), 1);
        assert_eq!(log.read_stream(stream(3), 0).await.unwrap(), []);
    }
}

#[tokio::test]
async fn tail_of_a_long_stream_starts_where_it_is_asked_to() {
    for fresh in fresh_databases().await {
        let log = start(&fresh.database).await;
        log.append(append(&[(stream(1), 0, 200)])).await.unwrap();
        for after in [0, 63, 64, 65, 128, 199, 200] {
            let events = log.read_stream(stream(1), after).await.unwrap();
            let sequences: Vec<_> = events.iter().map(|event| event.sequence).collect();
            assert_eq!(sequences, (after + 1..=200).collect::<Vec<_>>());
            for limit in [1, 64, 100, 200, 201] {
                let page = log.read_stream_page(stream(1), after, limit).await.unwrap();
                assert_eq!(page, events[..limit.min(events.len())], "{limit} after {after}");
            }
        }
    }
}

#[tokio::test]
async fn outdated_version_is_a_conflict_that_names_the_stream() {
    for fresh in fresh_databases().await {
        // Twice: by the unique key, and by what the appender remembers.
        for remembering in [false, true] {
            let id = u128::from(remembering) * 10;
            let log = start(&fresh.database).await;
            log.append(append(&[(stream(id + 1), 0, 2)])).await.unwrap();
            let log = if remembering { log } else { start(&fresh.database).await };
            let before = log.head().await.unwrap();
            let refused = log.append(append(&[(stream(id + 2), 0, 1), (stream(id + 1), 1, 1)])).await.unwrap_err();
            assert!(matches!(refused, AppendError::Conflict { stream: s } if s == stream(id + 1)), "{refused:?}");
            assert_eq!(log.head().await.unwrap(), before, "nothing was appended");
            assert!(log.read_stream(stream(id + 2), 0).await.unwrap().is_empty());
        }
    }
}

#[tokio::test]
async fn conflict_in_a_batch_fails_alone() {
    for fresh in fresh_databases().await {
        start(&fresh.database).await.append(append(&[(stream(0), 0, 1)])).await.unwrap();
        let log = start(&fresh.database).await;
        // Three of a hundred are outdated, and the new appender does not know.
        let requests = (0..100).map(|id| append(&[(stream(if id % 40 == 7 { 0 } else { id + 1_000 }), 0, 1)]));
        let results = join_all(requests.map(|request| log.append(request))).await;
        let refused = results.iter().filter(|result| matches!(result, Err(AppendError::Conflict { .. }))).count();
        assert_eq!(refused, 3);
        assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 97);
        assert_eq!(log.head().await.unwrap().position, 98);
        assert_eq!(verify_chain(&fresh.database, |_| {}).await.unwrap().position, 98);
    }
}

#[tokio::test]
async fn repeated_command_gives_the_first_result() {
    for fresh in fresh_databases().await {
        let log = start(&fresh.database).await;
        let request = repeatable(&[(stream(1), 0, 2)]);
        let receipt = log.append(request.clone()).await.unwrap();
        for log in [&log, &start(&fresh.database).await] {
            let Err(AppendError::Repeated { command_id, record }) = log.append(request.clone()).await else {
                panic!("accepted twice");
            };
            assert_eq!(command_id, request.command_id);
            assert_eq!(record.receipt, receipt);
            assert_eq!(record.request_digest, [7; 32]);
        }
        assert_eq!(log.find_command(request.command_id).await.unwrap().unwrap().receipt, receipt);
        assert_eq!(log.head().await.unwrap().position, 2);
        // On another stream, too: it is the command that repeats.
        let elsewhere = AppendRequest { command_id: request.command_id, ..repeatable(&[(stream(9), 0, 1)]) };
        assert!(matches!(log.append(elsewhere).await, Err(AppendError::Repeated { .. })));
    }
}

#[tokio::test]
async fn same_command_at_the_same_time_is_carried_out_once() {
    for fresh in fresh_databases().await {
        let log = start(&fresh.database).await;
        let request = repeatable(&[(stream(1), 0, 1)]);
        let results = join_all((0..20).map(|_| log.append(request.clone()))).await;
        assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
        assert!(
            results.iter().all(|result| matches!(result, Ok(_) | Err(AppendError::Repeated { .. }))),
            "{results:?}"
        );
    }
}

#[tokio::test]
async fn payload_that_is_not_json_is_refused_alone() {
    for fresh in fresh_databases().await {
        let log = start(&fresh.database).await;
        let mut broken = append(&[(stream(1), 0, 1)]);
        broken.streams[0].events[0].payload = "{".into();
        let good = append(&[(stream(2), 0, 1)]);
        let (broken, good) = tokio::join!(log.append(broken), log.append(good));
        assert!(matches!(broken, Err(AppendError::Invalid { .. })), "{broken:?}");
        good.unwrap();
    }
}

#[tokio::test]
async fn several_nodes_append_without_gaps_and_learn_of_each_other() {
    for fresh in fresh_databases().await {
        if fresh.database.dialect() == Dialect::Sqlite {
            continue;
        }
        let other = Database::connect(&fresh.url, crate::database::DatabaseOptions::default()).await.unwrap();
        let logs = [start(&fresh.database).await, start(&other).await];
        let requests = (0..400).map(|id| (&logs[id % 2], append(&[(stream(id as u128), 0, 1)])));
        let results = join_all(requests.map(|(log, request)| log.append(request))).await;
        let taken: BTreeSet<_> = results.into_iter().map(|result| result.unwrap().first_position).collect();
        assert_eq!(taken, (1..=400).collect());
        for log in &logs {
            wait_until_known(log, 400).await;
            assert_eq!(log.recent.end(), 400);
            assert_eq!(positions(log, 0).await, (1..=400).collect::<Vec<_>>());
            assert!(log.recent.after(0, 1).is_some(), "read once for everybody");
        }
        assert_eq!(verify_chain(&fresh.database, |_| {}).await.unwrap().position, 400);
    }
}

#[tokio::test]
async fn restarted_log_goes_on_where_it_ended() {
    for fresh in fresh_databases().await {
        let log = start(&fresh.database).await;
        log.append(append(&[(stream(1), 0, 3)])).await.unwrap();
        let before = log.head().await.unwrap();
        drop(log);
        let log = start(&fresh.database).await;
        assert_eq!(log.head().await.unwrap(), before);
        assert_eq!(*log.known_position().borrow(), 3);
        assert_eq!(log.append(append(&[(stream(1), 3, 1)])).await.unwrap().first_position, 4);
        assert_eq!(positions(&log, 0).await, [1, 2, 3, 4]);
    }
}

#[tokio::test]
async fn hole_is_reported_and_not_skipped() {
    for fresh in fresh_databases().await {
        let log = start(&fresh.database).await;
        log.append(append(&[(stream(1), 0, 3)])).await.unwrap();
        fresh.database.execute("DELETE FROM events WHERE position = 2", vec![]).await.unwrap();
        let log = start(&fresh.database).await;
        assert!(matches!(log.read_after(0, 10).await, Err(ReadError::HistoryForked { position: 2 })));
    }
}

#[tokio::test]
async fn restored_database_does_not_get_a_hole() {
    for fresh in fresh_databases().await {
        let log = start(&fresh.database).await;
        log.append(append(&[(stream(1), 0, 3)])).await.unwrap();
        // Somebody puts an older state back under the running program.
        for sql in ["DELETE FROM events", "UPDATE log_head SET position = 0, chain_hash = zero, recorded_us = 0"] {
            let sql = sql.replace("zero", &format!("X'{}'", "00".repeat(32)));
            fresh.database.execute(&sql, vec![]).await.unwrap();
        }
        let refused = log.append(append(&[(stream(2), 0, 1)])).await;
        assert!(matches!(refused, Err(AppendError::Unavailable { .. })), "{refused:?}");
        let log = start(&fresh.database).await;
        assert_eq!(log.append(append(&[(stream(2), 0, 1)])).await.unwrap().first_position, 1);
        assert_eq!(verify_chain(&fresh.database, |_| {}).await.unwrap().position, 1);
    }
}

/// What others commit can be seen before it is on the disk; a crash of the database then takes it back.
#[tokio::test]
async fn what_a_crash_has_taken_back_is_forgotten() {
    for fresh in fresh_databases().await {
        if fresh.database.dialect() == Dialect::Sqlite {
            continue;
        }
        for others in 0..=2 {
            let (log, other) = (start(&fresh.database).await, start(&fresh.database).await);
            let kept = other.append(append(&[(stream(10 + others), 0, 1)])).await.unwrap().last_position;
            other.append(append(&[(stream(20 + others), 0, 1)])).await.unwrap();
            wait_until_known(&log, kept + 1).await;
            assert_eq!(positions(&log, kept).await, [kept + 1]);
            let before = log.head().await.unwrap().as_of();
            assert_eq!(before.position(), kept + 1);
            let third = start(&fresh.database).await;
            let script = format!(
                "BEGIN; UPDATE log_head SET position = {kept}, \
                 chain_hash = (SELECT chain_hash FROM events WHERE position = {kept}) WHERE id = 1; \
                 DELETE FROM events WHERE position > {kept}; COMMIT"
            );
            let mut session = fresh.database.log_session().await.unwrap();
            session.run(&script).await.unwrap();
            session.close().await;
            for n in 0..others {
                third.append(append(&[(stream(100 + 10 * others + n), 0, 1)])).await.unwrap();
            }
            let end = kept + Position::try_from(others).unwrap();
            let deadline = Instant::now() + Duration::from_secs(5);
            while *log.known_position().borrow() != end || !tells_what_is_there(&log, kept).await {
                assert!(Instant::now() < deadline, "{others}: {} {end}", *log.known_position().borrow());
                tokio::task::yield_now().await;
            }
            // What was known up to the lost event says nothing about the event in its place.
            let now = Freshness::new(log.database.restarts() + log.recent.rollbacks(), kept + 1);
            assert!(!now.is_of_another_generation(&log.nothing_read()));
            let seen = |n| SeenStream { stream: stream(100 + 10 * others + n), freshness: now };
            let seen: Vec<_> = (0..others).map(seen).collect();
            // Nor does what was known of the stream that lost it.
            let lost =
                |freshness: Freshness| SeenStream { stream: stream(20 + others), freshness: freshness.at_version(1) };
            let at_first = Freshness::new(0, kept + 1);
            assert!(now.is_of_another_generation(&at_first));
            for as_of in [None, Some(before)] {
                let grown = log.find_grown(&seen, as_of).await.unwrap().grown;
                assert_eq!(grown, seen.iter().map(|seen| seen.stream).collect::<Vec<_>>());
                let grown = log.find_grown(&[lost(at_first)], as_of).await.unwrap().grown;
                assert_eq!(grown, [stream(20 + others)]);
                assert_eq!(log.find_grown(&[lost(now)], as_of).await.unwrap().grown, []);
            }
        }
    }
}

async fn tells_what_is_there(log: &SqlEventLog, after: Position) -> bool {
    let told = log.read_after(after, 10).await.unwrap();
    let there = log.reader.page(after, 10).await.unwrap();
    told.iter().map(|event| &event.header).eq(there.iter().map(|event| &event.header))
}

#[tokio::test]
async fn growth_up_to_a_known_place_is_told_without_asking_where_the_log_ends() {
    for fresh in fresh_databases().await {
        let (log, other) = (start(&fresh.database).await, start(&fresh.database).await);
        let first = log.append(append(&[(stream(1), 0, 1), (stream(2), 0, 1)])).await.unwrap().last_position;
        wait_until_known(&log, first).await;
        let seen = [1, 2].map(|n| SeenStream { stream: stream(n), freshness: Freshness::new(0, first).at_version(1) });
        // This log need not have heard yet of what another node appends.
        let second = other.append(append(&[(stream(1), 1, 1)])).await.unwrap().last_position;
        let as_of = log.head().await.unwrap().as_of();
        let growth = log.find_grown(&seen, Some(as_of)).await.unwrap();
        assert_eq!(growth, Growth { grown: vec![stream(1)], as_of: second });
        fresh.database.execute("ALTER TABLE log_head RENAME TO gone", vec![]).await.unwrap();
        assert_eq!(log.find_grown(&seen, Some(as_of)).await.unwrap(), growth);
        log.find_grown(&seen, None).await.unwrap_err();
    }
}

#[tokio::test]
async fn snapshot_is_found_by_its_fingerprint_only() {
    for fresh in fresh_databases().await {
        let log = start(&fresh.database).await;
        let snapshot = |version| VersionedState { version, state: serde_json::json!({"name": "Grüße"}) };
        log.append(append(&[(stream(1), 0, 6)])).await.unwrap();
        log.save_snapshot(stream(1), "v1", snapshot(5)).await.unwrap();
        log.save_snapshot(stream(1), "v1", snapshot(6)).await.unwrap();
        assert_eq!(log.find_snapshot(stream(1), "v1").await.unwrap(), Some(snapshot(6)));
        assert_eq!(log.find_snapshot(stream(1), "v2").await.unwrap(), None);
        assert_eq!(log.find_snapshot(stream(2), "v1").await.unwrap(), None);
        fresh.database.execute("UPDATE snapshots SET state = 'x'", vec![]).await.unwrap();
        assert_eq!(log.find_snapshot(stream(1), "v1").await.unwrap(), None, "what cannot be used is none");
    }
}

#[tokio::test]
async fn lost_connection_loses_and_doubles_nothing() {
    for fresh in fresh_databases().await {
        if fresh.database.dialect() == Dialect::Sqlite {
            continue;
        }
        let log = Arc::new(start(&fresh.database).await);
        // Enough to fill batches.
        let writers = (0..64_u128).map(|writer| {
            let log = Arc::clone(&log);
            tokio::spawn(async move {
                for version in 0..25 {
                    log.append(repeatable(&[(stream(writer), version, 1)])).await.unwrap();
                }
            })
        });
        let writers: Vec<_> = writers.collect();
        let mut killed = 0;
        while !writers.iter().all(tokio::task::JoinHandle::is_finished) {
            killed += kill_other_sessions(&fresh.database).await;
            SystemClock.sleep(Duration::from_millis(10)).await;
        }
        for writer in writers {
            writer.await.unwrap();
        }
        assert!(killed > 2, "killed {killed}");
        assert_eq!(log.head().await.unwrap().position, 64 * 25);
        assert_eq!(verify_chain(&fresh.database, |_| {}).await.unwrap().position, 64 * 25);
    }
}

async fn kill_other_sessions(database: &Database) -> usize {
    let mut session = database.log_session().await.unwrap();
    let sql = "SELECT ID AS id FROM information_schema.processlist WHERE DB = DATABASE() AND ID <> CONNECTION_ID()";
    let rows = session.query(sql).await.unwrap();
    for row in &rows {
        // It may have gone by itself.
        drop(session.run(&format!("KILL {}", row.int("id").unwrap())).await);
    }
    rows.len()
}

#[tokio::test]
async fn unavailable_database_is_reported_and_the_log_recovers() {
    for fresh in fresh_databases().await {
        let log = start(&fresh.database).await;
        log.append(append(&[(stream(1), 0, 1)])).await.unwrap();
        // Nobody can write while somebody holds the head.
        let mut holder = fresh.database.log_session().await.unwrap();
        head::lock_on(&mut holder).await.unwrap();
        let refused = log.append(append(&[(stream(2), 0, 1)])).await.unwrap_err();
        assert!(matches!(refused, AppendError::Unavailable { .. }), "{refused:?}");
        holder.rollback().await.unwrap();
        holder.close().await;
        log.append(append(&[(stream(3), 0, 1)])).await.unwrap();
        assert!(verify_chain(&fresh.database, |_| {}).await.is_ok());
    }
}

#[tokio::test]
async fn who_was_appended_is_answered_although_the_next_batch_hangs() {
    for fresh in fresh_databases().await {
        if fresh.database.dialect() == Dialect::Sqlite {
            // Its writers come one after the other: none hangs in the middle.
            continue;
        }
        let log = Arc::new(start(&fresh.database).await);
        let appending = |request: AppendRequest| {
            let log = Arc::clone(&log);
            tokio::spawn(async move { log.append(request).await })
        };
        let mut head_holder = fresh.database.log_session().await.unwrap();
        head::lock_on(&mut head_holder).await.unwrap();
        let first = appending(append(&[(stream(1), 0, 1)]));
        SystemClock.sleep(Duration::from_millis(50)).await;
        // Somebody is about to do the same command as one of the crowd.
        let hanging = repeatable(&[(stream(100), 0, 1)]);
        let mut command_holder = fresh.database.log_session().await.unwrap();
        let insert = format!(
            "START TRANSACTION; INSERT INTO command_log (command_id, request_digest, first_position, last_position, \
             recorded_us) VALUES ('{}', X'{}', 1, 1, 1)",
            hanging.command_id,
            "00".repeat(32)
        );
        command_holder.run(&insert).await.unwrap();
        let mut crowd: Vec<_> = (101..150).map(|id| appending(append(&[(stream(id), 0, 1)]))).collect();
        crowd.push(appending(hanging));
        SystemClock.sleep(Duration::from_millis(50)).await;

        head_holder.rollback().await.unwrap();
        let soon = tokio::time::timeout(Duration::from_secs(1), first).await;
        assert_eq!(soon.expect("it does not wait for the others").unwrap().unwrap().last_position, 1);
        assert!(crowd.iter().all(|other| !other.is_finished()), "the others hang");
        command_holder.rollback().await.unwrap();
        for other in crowd {
            other.await.unwrap().unwrap();
        }
        assert!(verify_chain(&fresh.database, |_| {}).await.is_ok());
        head_holder.close().await;
        command_holder.close().await;
    }
}

mod demands;

/// A clock that does not work any more.
struct BrokenClock;

#[async_trait]
impl Clock for BrokenClock {
    fn now(&self) -> Timestamp {
        panic!("as asked")
    }

    async fn sleep(&self, duration: Duration) {
        SystemClock.sleep(duration).await;
    }
}

#[tokio::test]
async fn log_that_has_broken_down_says_so() {
    for fresh in fresh_databases().await {
        let ports = LogPorts { clock: Arc::new(BrokenClock), ..ports() };
        let log = SqlEventLog::start(fresh.database.clone(), ports).await.unwrap();
        assert!(!log.has_broken_down());
        log.head().await.unwrap();
        assert!(matches!(log.append(append(&[(stream(1), 0, 1)])).await, Err(AppendError::Unavailable { .. })));
        assert!(log.has_broken_down());
        assert!(matches!(log.head().await, Err(ReadError::Unavailable { .. })));
    }
}
