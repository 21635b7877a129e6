//! What was asked of the program and what it answered, to be compared with the log.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use application::command_bus::correlation_id;
use application::ports::{Ids as _, LogEvent};
use domain::event::AnyEvent;
use domain::thread::ThreadEvent;
use harness::{Client, Reply};
use infrastructure::system::RandomIds;
use reqwest::Method;
use serde_json::Value;
use uuid::Uuid;

/// A change that is asked for under an id of its own, by which the log knows it.
#[derive(Clone, Debug)]
pub struct Write {
    pub request: Uuid,
    pub method: Method,
    pub path: String,
    pub body: Value,
    pub token: Option<String>,
    /// Whether it may be sent again: the body or this key names it.
    pub key: Option<String>,
}

/// An answer that says that the change is made.
#[derive(Clone, Debug)]
struct Acknowledged {
    /// None where there was nothing to change.
    position: Option<i64>,
    body: Value,
}

/// The writes of a load with what came of each, by the id that the writer gave it.
type Entries = BTreeMap<Uuid, (Write, Option<Acknowledged>)>;

/// Every change that was asked for, with the first answer that acknowledged it; what failed; the longest wait for an answer.
#[derive(Clone, Default)]
pub struct Journal(Arc<Mutex<Entries>>, Arc<Mutex<Vec<String>>>, Arc<Mutex<Duration>>);

impl Write {
    pub fn new(method: Method, path: String, body: Value, token: Option<&str>) -> Self {
        Self { request: RandomIds.new_uuid(), method, path, body, token: token.map(str::to_owned), key: None }
    }

    /// Makes it repeatable by an idempotency key.
    pub fn keyed(self) -> Self {
        Self { key: Some(self.request.to_string()), ..self }
    }

    fn is_message(&self) -> bool {
        self.path.ends_with("/events")
    }
}

impl Journal {
    /// Sends a change and notes both it and its answer. None: the program is gone, or does not know the outcome.
    pub async fn send(&self, client: &Client, write: &Write) -> Option<Reply> {
        self.entries().entry(write.request).or_insert_with(|| (write.clone(), None));
        let mut client = client.with_header("x-request-id", &write.request.to_string());
        client = write.token.iter().fold(client, |client, token| client.with_token(token));
        client = write.key.iter().fold(client, |client, key| client.with_header("idempotency-key", key));
        let asked = Instant::now();
        let reply = client.try_request(write.method.clone(), &write.path, Some(&write.body)).await;
        self.note_wait(asked.elapsed());
        let failure = match &reply {
            Ok(reply) if reply.status < 500 => None,
            Ok(reply) => Some(format!("{} {}: {} {}", write.method, write.path, reply.status, reply.body)),
            Err(error) => Some(format!("{} {}: {error:?}", write.method, write.path)),
        };
        self.1.lock().unwrap().extend(failure);
        let reply = reply.ok()?;
        match reply.status {
            200..300 => self.acknowledge(write, &reply),
            503 => assert_is_clear(&reply),
            403 | 404 | 409 => {}
            _ => panic!("{write:?} was answered {}: {}", reply.status, reply.body),
        }
        (reply.status != 503).then_some(reply)
    }

    fn acknowledge(&self, write: &Write, reply: &Reply) {
        let position = reply.header("event-position").and_then(|text| text.parse().ok());
        let now = Acknowledged { position, body: reply.body.clone() };
        let mut entries = self.entries();
        let (_, before) = entries.get_mut(&write.request).expect("it was noted before it was sent");
        let Some(before) = before else {
            *before = Some(now);
            return;
        };
        assert_eq!(before.position, now.position, "{write:?} was answered differently the second time");
        if write.is_message() {
            assert_eq!(before.body, now.body, "{write:?} was answered differently the second time");
        }
        assert_eq!(reply.header("idempotent-replayed"), Some("true"), "{write:?} was carried out before");
    }

    /// Repeatable changes that were acknowledged: sending one again changes nothing.
    pub fn repeatable(&self) -> Vec<Write> {
        let entries = self.entries();
        let repeatable = |write: &Write| write.key.is_some() || !write.body["clientEventId"].is_null();
        entries
            .values()
            .filter(|(write, answer)| answer.is_some() && repeatable(write))
            .map(|(w, _)| w.clone())
            .collect()
    }

    /// The requests that had no answer, or one that left their outcome open.
    pub fn failed(&self) -> Vec<String> {
        self.1.lock().unwrap().clone()
    }

    /// The longest that anybody has waited for an answer, or for the end of the connection, since this was last asked.
    pub fn take_longest_wait(&self) -> Duration {
        std::mem::take(&mut *self.2.lock().unwrap())
    }

    fn note_wait(&self, wait: Duration) {
        let mut longest = self.2.lock().unwrap();
        *longest = wait.max(*longest);
    }

    /// How many changes were acknowledged, and how many were not.
    pub fn counts(&self) -> (usize, usize) {
        let entries = self.entries();
        let acknowledged = entries.values().filter(|(_, answer)| answer.is_some()).count();
        (acknowledged, entries.len() - acknowledged)
    }

    /// Compares with the log: what was acknowledged is there, where the answer said, and nothing is there twice.
    pub fn check(&self, events: &[Arc<LogEvent>]) {
        let mut commands: BTreeMap<Uuid, BTreeSet<_>> = BTreeMap::new();
        let mut actors = BTreeSet::new();
        for event in events {
            commands.entry(event.header.correlation_id).or_default().insert(event.header.command_id);
            actors.insert(event.header.actor.as_str());
        }
        let entries = self.entries();
        for (request, (write, answer)) in entries.iter() {
            let made_by = |actor: &&str| commands.get(&correlation_id(actor, *request)).map_or(0, BTreeSet::len);
            let made: usize = actors.iter().map(made_by).sum();
            assert!(made <= 1, "{write:?} was carried out {made} times");
            let Some(answer) = answer else { continue };
            let Some(position) = answer.position else {
                assert_eq!(made, 0, "{write:?} was answered as if there were nothing to do");
                continue;
            };
            let found = usize::try_from(position - 1).ok().and_then(|index| events.get(index));
            let event = found.unwrap_or_else(|| panic!("{write:?} was acknowledged at {position} and is lost"));
            let correlated = correlation_id(&event.header.actor, *request);
            assert_eq!(event.header.correlation_id, correlated, "{write:?} is not at {position}");
            if write.is_message() {
                check_message(write, answer, event);
            }
        }
    }

    fn entries(&self) -> MutexGuard<'_, BTreeMap<Uuid, (Write, Option<Acknowledged>)>> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// It says that it is not the caller's fault, and when to come back.
pub fn assert_is_clear(unavailable: &Reply) {
    assert_eq!(unavailable.status, 503, "{unavailable:?}");
    assert_eq!(unavailable.header("content-type"), Some("application/problem+json"), "{unavailable:?}");
    let seconds = unavailable.header("retry-after").and_then(|text| text.parse::<u32>().ok());
    assert!(seconds.is_some_and(|seconds| seconds > 0), "{unavailable:?}");
    assert!(unavailable.body["code"].is_string() && unavailable.body["detail"].is_string(), "{unavailable:?}");
}

fn check_message(write: &Write, answer: &Acknowledged, event: &LogEvent) {
    let AnyEvent::Thread(ThreadEvent::MessageSent { message_id, text, .. }) = &event.event else {
        panic!("{write:?} is no message in the log: {event:?}");
    };
    assert_eq!(answer.body["id"], Value::String(message_id.to_string()), "{write:?}");
    assert_eq!(write.body["content"], Value::String(text.as_str().to_owned()), "{write:?}");
}
