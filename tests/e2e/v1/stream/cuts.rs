//! Connections that are cut again and again under load: every client gets every event once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use harness::{Client, HalfOpenProxy, Stream, TestDatabase, Visitor, each_database};
use serde_json::json;

use super::{listed, messages, nodes as two_nodes, served, token};

/// How a client comes back after a cut.
#[derive(Clone, Copy, PartialEq)]
enum Resume {
    FromItsPosition,
    /// As with a hub that keeps nothing.
    FromNow,
}

const CUTS: usize = 12;

/// How a connection ends.
#[derive(Clone, Copy)]
enum Cut {
    /// The client closes it.
    Closed,
    /// One end resets it.
    Reset,
    /// Nothing passes any more, and nobody says so.
    Silent,
}

/// The nodes of a client.
struct Ways {
    nodes: [String; 2],
    /// What stands before them and can fall silent. A visitor may have few streams, and a silent one counts until the server
    /// notices: so visitors have none.
    proxies: Option<[HalfOpenProxy; 2]>,
}

impl Ways {
    fn direct(nodes: &[String; 2]) -> Self {
        Self { nodes: nodes.clone(), proxies: None }
    }

    async fn through_proxies(nodes: &[String; 2]) -> Self {
        let proxies = [HalfOpenProxy::before(&nodes[0]).await, HalfOpenProxy::before(&nodes[1]).await];
        let nodes = [0, 1].map(|number: usize| proxies[number].base().to_owned());
        Self { nodes, proxies: Some(proxies) }
    }

    fn cut(&self, stream: Stream, cuts: usize) {
        match ([Cut::Closed, Cut::Reset, Cut::Silent][cuts % 3], &self.proxies) {
            (Cut::Closed, _) | (Cut::Silent, None) => drop(stream),
            (Cut::Reset, _) => stream.reset(),
            (Cut::Silent, Some(proxies)) => proxies[cuts % 2].fall_silent(),
        }
    }
}

/// Follows with cuts at odd moments, until it has seen the last message. The result is how often each event came.
async fn follow(
    ways: Ways,
    (token, start): (String, String),
    resume: Resume,
    done: Arc<AtomicBool>,
) -> BTreeMap<String, usize> {
    let mut seen = BTreeMap::new();
    let (mut stream, frames) = Stream::join(&ways.nodes[0], &token, Some(&start)).await;
    frames.iter().for_each(|frame| count(&mut seen, frame));
    let mut cuts = 0;
    loop {
        let patience = Duration::from_millis(20 + (cuts as u64 * 37) % 90);
        let until = tokio::time::Instant::now() + patience;
        while let Ok(Some(Ok(frame))) = tokio::time::timeout_at(until, stream.next_within(harness::DEADLINE)).await {
            count(&mut seen, &frame);
        }
        let is_over = done.load(Ordering::SeqCst) && cuts >= CUTS;
        let cursor = (resume == Resume::FromItsPosition).then(|| stream.cursor());
        ways.cut(stream, cuts);
        cuts += 1;
        let frames;
        (stream, frames) = Stream::join(&ways.nodes[cuts % 2], &token, cursor.as_deref()).await;
        frames.iter().for_each(|frame| count(&mut seen, frame));
        if is_over {
            return seen;
        }
    }
}

fn count(seen: &mut BTreeMap<String, usize>, frame: &serde_json::Value) {
    if let (true, Some(id)) = (frame["type"] == "thread_event", frame["data"]["id"].as_str()) {
        *seen.entry(id.to_owned()).or_default() += 1;
    }
}

/// The events that were missed, and those that came more than once.
async fn faults(client: &Client, visitor: &Visitor, start: i64, seen: &BTreeMap<String, usize>) -> (usize, usize) {
    let all = listed(client, &messages(visitor)).await;
    let later = all.iter().filter(|event| event["position"].as_i64() > Some(start));
    let missed = later.filter(|event| !seen.contains_key(event["id"].as_str().unwrap())).count();
    (missed, seen.values().filter(|count| **count > 1).count())
}

each_database!(nothing_is_missed_and_nothing_comes_twice);
async fn nothing_is_missed_and_nothing_comes_twice(database: TestDatabase) {
    let servers = two_nodes(&database).await;
    let (one, other) = (&servers[0], servers.last().unwrap());
    let nodes = [one.base().to_owned(), other.base().to_owned()];
    let (agent, visitor) = served(one).await;
    let head = one.app().log.head().await.unwrap();
    let (from, start) = (head.position, format!("{}:{}", head.epoch, head.position));
    let done = Arc::new(AtomicBool::new(false));
    let follow = |client: &Client, ways, resume| {
        tokio::spawn(follow(ways, (token(client).to_owned(), start.clone()), resume, Arc::clone(&done)))
    };
    let theirs = follow(&visitor.client, Ways::direct(&nodes), Resume::FromItsPosition);
    let ours = follow(&agent.client, Ways::through_proxies(&nodes).await, Resume::FromItsPosition);
    let forgetful = follow(&visitor.client, Ways::direct(&nodes), Resume::FromNow);
    for number in 0..150 {
        let by = if number % 3 == 0 { &visitor.client } else { &agent.client };
        by.post(&messages(&visitor), &json!({ "content": number.to_string() })).await.expect(201);
    }
    done.store(true, Ordering::SeqCst);
    let (theirs, ours, forgetful) = (theirs.await.unwrap(), ours.await.unwrap(), forgetful.await.unwrap());
    assert_eq!(faults(&visitor.client, &visitor, from, &theirs).await, (0, 0));
    assert_eq!(faults(&agent.client, &visitor, from, &ours).await, (0, 0));
    let (missed, _) = faults(&visitor.client, &visitor, from, &forgetful).await;
    assert!(missed > 0, "this test would not notice a loss");
}
