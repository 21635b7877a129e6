//! What an append does, all of it or nothing, and what it answers.

use std::sync::Arc;
use std::time::Duration;

use application::ports::{AppendError, AppendRequest, EventLog, Receipt, StreamVersion};
use futures::future::join_all;
use harness::{TestDatabase, each_database};
use infrastructure::sql_args;
use tokio::task::JoinHandle;

use crate::support::{
    Node, all_nodes, event_ids, of_streams, pause, repeatable, request, stored_ids, stream, with_payload,
};

type Answer = Result<Receipt, AppendError>;

/// Appends all of them at once: they queue until everybody is there.
async fn in_one_batch(node: &Node, requests: Vec<AppendRequest>) -> Vec<Answer> {
    let mut holder = node.database.log_session().await.unwrap();
    let begin = holder.dialect().begin();
    holder.run(&format!("{begin}; UPDATE log_head SET position = position")).await.unwrap();
    // The first is taken by itself and waits for the head; the others are one batch.
    let first = spawn(node, request(&[(stream(u128::MAX), 0, 1)]));
    pause(50).await;
    let queued: Vec<_> = requests.into_iter().map(|request| spawn(node, request)).collect();
    pause(100).await;
    holder.rollback().await.unwrap();
    holder.close().await;
    first.await.unwrap().unwrap();
    join_all(queued).await.into_iter().map(Result::unwrap).collect()
}

fn spawn(node: &Node, request: AppendRequest) -> JoinHandle<Answer> {
    let log = Arc::clone(&node.log);
    tokio::spawn(async move { log.append(request).await })
}

fn first_of(answers: &[Answer]) -> Vec<i64> {
    let mut positions: Vec<_> = answers.iter().flatten().map(|receipt| receipt.first_position).collect();
    positions.sort_unstable();
    positions
}

each_database!(append_to_several_streams_happens_as_a_whole_or_not_at_all);
async fn append_to_several_streams_happens_as_a_whole_or_not_at_all(database: TestDatabase) {
    let node = Node::start(&database).await;
    node.append(3, 0, 2).await;
    let before = node.log.head().await.unwrap();
    // Known to the log that has appended, and to be found out by one that has not.
    for log in [&node.log, &node.newcomer().await.log] {
        let three = [(stream(1), 0, 2), (stream(2), 0, 1), (stream(3), 1, 1)];
        let refused = log.append(repeatable(request(&three), 1)).await.unwrap_err();
        assert!(matches!(refused, AppendError::Conflict { stream: named } if named == stream(3)), "{refused:?}");
        assert_eq!(log.head().await.unwrap(), before);
    }
    assert_eq!(stored_ids(&node.database).await.len(), 2);
    assert!(node.database.fetch_all("SELECT 1 FROM command_log", sql_args![]).await.unwrap().is_empty());

    let request = request(&[(stream(1), 0, 2), (stream(2), 0, 1), (stream(3), 2, 1)]);
    let receipt = node.log.append(request.clone()).await.unwrap();
    assert_eq!((receipt.first_position, receipt.last_position), (3, 6));
    assert_eq!(stored_ids(&node.database).await[2..], event_ids(&request));
    node.ends_at(6).await;
}

each_database!(stale_request_fails_alone_in_its_batch);
async fn stale_request_fails_alone_in_its_batch(database: TestDatabase) {
    let node = Node::start(&database).await;
    node.append(7, 0, 1).await;
    // A log that does not know yet how far the stream has come.
    let node = node.newcomer().await;
    let requests = (0..60).map(|id| request(&[(stream(id), 0, 1), (stream(1_000 + id), 0, 1)])).collect();
    let answers = in_one_batch(&node, requests).await;
    let refused: Vec<_> = (0..).zip(&answers).filter(|(_, answer)| answer.is_err()).collect();
    assert!(
        matches!(refused[..], [(7, Err(AppendError::Conflict { stream: named }))] if *named == stream(7)),
        "{refused:?}"
    );
    // One from before, one that the batch waited for.
    assert_eq!(first_of(&answers), (0..59).map(|n| 3 + 2 * n).collect::<Vec<_>>());
    assert!(node.log.read_stream(stream(1_007), 0).await.unwrap().is_empty());
    node.ends_at(2 + 59 * 2).await;
}

each_database!(one_of_those_who_build_on_the_same_version_succeeds);
async fn one_of_those_who_build_on_the_same_version_succeeds(database: TestDatabase) {
    let node = Node::start(&database).await;
    node.append(1, 0, 4).await;
    let requests = (0..20).map(|_| request(&[(stream(1), 4, 1)])).collect();
    let answers = in_one_batch(&node.newcomer().await, requests).await;
    assert_eq!(first_of(&answers).len(), 1);
    let conflict = |answer: &&Answer| matches!(answer, Err(AppendError::Conflict { stream: s }) if *s == stream(1));
    assert_eq!(answers.iter().filter(conflict).count(), 19);
    node.ends_at(6).await;
}

each_database!(stream_goes_on_from_the_version_that_is_read_after_each_conflict);
async fn stream_goes_on_from_the_version_that_is_read_after_each_conflict(database: TestDatabase) {
    let nodes = all_nodes(&database).await;
    let mut appended = 0;
    for round in 0..40 {
        // On the node that has appended before, on another one, and on one that knows nothing yet.
        let newcomer = if round % 8 == 0 { Some(nodes[0].newcomer().await) } else { None };
        let node = newcomer.as_ref().unwrap_or(&nodes[round % nodes.len()]);
        // Behind and ahead, alone and next to a stream that would do.
        for wrong in [appended - 1, appended + 1 + round as i64 % 3] {
            for streams in [vec![(stream(1), wrong, 1)], vec![(stream(2), appended, 1), (stream(1), wrong, 2)]] {
                let refused = node.log.append(request(&streams)).await;
                let is_expected = matches!(
                    &refused,
                    Err(AppendError::Conflict { stream: named }) if *named == stream(1)
                ) || matches!(refused, Err(AppendError::Invalid { .. }) if wrong < 0);
                assert!(is_expected, "{wrong} instead of {appended}: {refused:?}");
            }
        }
        let version = node.log.read_stream(stream(1), 0).await.unwrap().len() as i64;
        assert_eq!(version, appended);
        node.log.append(request(&[(stream(1), version, 1), (stream(2), version, 1)])).await.unwrap();
        appended += 1;
    }
    nodes[0].ends_at(2 * appended).await;
}

each_database!(each_kind_of_expectation_is_checked_whether_right_or_wrong);
async fn each_kind_of_expectation_is_checked_whether_right_or_wrong(database: TestDatabase) {
    let nodes = all_nodes(&database).await;
    nodes[0].append(2, 0, 2).await;
    let mut next = 100;
    // A stream that must not exist, that must exist, and that must stand at a version; 1 is new, 2 stands at 2.
    for (id, version) in [(1, 0), (2, 0), (1, 1), (2, 1), (1, 2), (2, 2), (1, 3), (2, 3)] {
        let is_right = (id, version) == (1, 0) || (id, version) == (2, 2);
        for node in nodes.iter().chain([&nodes[0].newcomer().await]) {
            // What is only looked at changes nothing, so that each expectation is met again by the next node.
            next += 1;
            let looks = AppendRequest {
                observed: vec![StreamVersion { stream: stream(id), version }],
                ..request(&[(stream(next), 0, 1)])
            };
            let answer = node.log.append(looks).await;
            assert_eq!(answer.is_ok(), is_right, "{id} seen at {version}: {answer:?}");
            if !is_right {
                let writes = node.log.append(request(&[(stream(id), version, 1)])).await;
                let is_conflict =
                    matches!(&writes, Err(AppendError::Conflict { stream: named }) if *named == stream(id));
                assert!(is_conflict, "{id} written at {version}: {writes:?}");
            }
        }
    }
    nodes[0].append(1, 0, 1).await;
    nodes[0].append(2, 2, 1).await;
}

each_database!(repeated_command_gets_the_first_receipt);
async fn repeated_command_gets_the_first_receipt(database: TestDatabase) {
    let nodes = all_nodes(&database).await;
    let first = repeatable(request(&[(stream(1), 0, 2), (stream(2), 0, 1)]), 1);
    let receipt = nodes[0].log.append(first.clone()).await.unwrap();
    // The same request, and others under its id; on the same node and on others.
    let newer = AppendRequest { command_id: first.command_id, ..repeatable(request(&[(stream(1), 2, 1)]), 2) };
    let elsewhere = AppendRequest { command_id: first.command_id, ..repeatable(request(&[(stream(9), 0, 1)]), 3) };
    for node in nodes.iter().chain([&nodes[0].newcomer().await]) {
        for request in [&first, &newer, &elsewhere] {
            let Err(AppendError::Repeated { command_id, record }) = node.log.append(request.clone()).await else {
                panic!("carried out twice");
            };
            assert_eq!((command_id, record.receipt), (first.command_id, receipt.clone()));
            assert_eq!(record.request_digest, [1; 32], "a caller with another request can see it");
        }
    }
    assert_eq!(nodes[0].log.find_command(first.command_id).await.unwrap().unwrap().receipt, receipt);
    nodes[0].ends_at(3).await;
}

each_database!(same_command_at_the_same_time_is_carried_out_once);
async fn same_command_at_the_same_time_is_carried_out_once(database: TestDatabase) {
    let nodes = all_nodes(&database).await;
    for round in 0..10 {
        let request = repeatable(request(&[(stream(round), 0, 1)]), 1);
        // Also for another stream, where only the command's id shows the repetition.
        let elsewhere = crate::support::request(&[(stream(100 + round), 0, 1)]);
        let twin = AppendRequest { command_id: request.command_id, ..repeatable(elsewhere, 1) };
        let tries = (0..12).map(|n| {
            let request = if n % 3 == 0 { &twin } else { &request };
            spawn(&nodes[n % nodes.len()], request.clone())
        });
        let answers: Vec<_> = join_all(tries.collect::<Vec<_>>()).await.into_iter().map(Result::unwrap).collect();
        let done: Vec<_> = answers.iter().flatten().collect();
        assert_eq!(done.len(), 1, "{answers:?}");
        for answer in answers.iter().filter_map(|answer| answer.as_ref().err()) {
            let AppendError::Repeated { record, .. } = answer else { panic!("{answer:?}") };
            assert_eq!(record.receipt, *done[0]);
        }
    }
    nodes[0].ends_at(10).await;
}

each_database!(invalid_requests_are_refused_without_harm);
async fn invalid_requests_are_refused_without_harm(database: TestDatabase) {
    let node = Node::start(&database).await;
    let mut without_events = request(&[(stream(1), 0, 1)]);
    without_events.streams[0].events.clear();
    let mut large = request(&[(stream(1), 0, 1)]);
    large.streams[0].events[0] = with_payload(&format!(r#"{{"text":"{}"}}"#, "x".repeat(4 << 20)));
    let mut broken = request(&[(stream(1), 0, 1)]);
    broken.streams[0].events[0] = with_payload("{");
    let twice = request(&[(stream(1), 0, 1), (stream(1), 1, 1)]);
    let many = request(&[(stream(1), 0, 1_001)]);
    let negative = request(&[(stream(1), -1, 1)]);
    let mut requests = vec![of_streams(vec![]), without_events, large, broken, twice, many, negative];
    let count = requests.len();
    requests.insert(3, request(&[(stream(2), 0, 1)]));
    let answers = in_one_batch(&node, requests).await;
    assert_eq!(first_of(&answers), [2], "the one that is valid");
    let invalid = answers.iter().filter(|answer| matches!(answer, Err(AppendError::Invalid { .. })));
    assert_eq!(invalid.count(), count, "{answers:?}");
    node.ends_at(2).await;
}

each_database!(largest_request_fits);
async fn largest_request_fits(database: TestDatabase) {
    let node = Node::start(&database).await;
    let mut large = request(&[(stream(1), 0, 1_000)]);
    for event in &mut large.streams[0].events {
        let text = "\u{e4}".repeat(2_000);
        event.payload = event.payload.replacen('{', &format!(r#"{{"text":"{text}","#), 1);
    }
    assert_eq!(node.log.append(large).await.unwrap().last_position, 1_000);
    node.ends_at(1_000).await;
}

each_database!(restarted_log_goes_on_where_it_ended);
async fn restarted_log_goes_on_where_it_ended(database: TestDatabase) {
    let node = Node::start(&database).await;
    node.append(1, 0, 3).await;
    let before = node.log.head().await.unwrap();
    drop(node);
    let node = Node::start(&database).await;
    let head = node.log.head().await.unwrap();
    assert_eq!(head, before, "position, hash, time and epoch");
    assert_eq!(*node.log.known_position().borrow(), 3);
    assert_eq!(node.append(1, 3, 1).await, 4);
    assert_eq!(node.log.head().await.unwrap().epoch, before.epoch);
    // The chain goes on, too, or it would not verify.
    node.ends_at(4).await;
}

each_database!(recorded_time_never_goes_back);
async fn recorded_time_never_goes_back(database: TestDatabase) {
    let node = Node::start(&database).await;
    node.clock.advance(Duration::from_secs(3_600));
    let early = node.log.append(request(&[(stream(1), 0, 1)])).await.unwrap().recorded_at;
    // Another process, with the real clock.
    let late = node.newcomer().await;
    for id in 2..5 {
        let receipt = late.log.append(request(&[(stream(id), 0, 1)])).await.unwrap();
        assert_eq!(receipt.recorded_at, early);
    }
    late.clock.advance(Duration::from_secs(7_200));
    let receipt = late.log.append(request(&[(stream(9), 0, 1)])).await.unwrap();
    assert!(receipt.recorded_at.since(early) > Duration::from_secs(3_000));
    node.ends_at(5).await;
}
