//! Chats are closed at fixed times; each frees a slot for the next of a thousand and more that wait.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::{Duration, Instant};

use application::ports::Position;
use domain::agent::AgentEvent;
use domain::conversation::ConversationEvent;
use domain::event::AnyEvent;
use harness::{ADMIN_EMAIL, History, Process, TestDatabase, eventually};
use hdrhistogram::Histogram;
use tokio::time::sleep_until;

use super::{AGENTS, due, until_served};
use crate::connection::{Connection, request};
use crate::driver::{Latency, histogram, micros};
use crate::team::{Chat, begin, hire, log_in, program};

const LIMIT: usize = 5;
const SERVED: usize = AGENTS * LIMIT;

/// How many wait when the last chat is closed.
const WAITING: usize = 1_000;

/// Each chat that is served at first is closed once.
const PER_SECOND: u32 = 50;

/// What was found.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub struct Slots {
    pub agents: usize,
    pub per_second: u32,
    pub closed: usize,
    /// At first, and at last.
    pub waiting: [usize; 2],
    /// From the moment in which the request was due until its answer.
    pub answered: Latency,
    /// From the moment in which the request was due until the visitor whose turn it was saw the chat served.
    pub seen: Latency,
    /// From the end of one chat to the agent's next, as the log recorded them.
    pub in_the_log: Latency,
}

pub async fn run(database: &TestDatabase) -> Slots {
    let process = program(database).start().await;
    let admin = log_in(process.client(), ADMIN_EMAIL).await;
    for _ in 0..AGENTS {
        hire(process.client(), &admin, LIMIT).await;
    }
    let chats = begin(process.client(), SERVED + WAITING + SERVED).await;
    let history = History::open(database).await;
    let Room { served, waiting, position } = Room::full(&history, chats).await;
    let begin = Instant::now() + Duration::from_millis(100);
    let turns = served.iter().zip(&waiting).enumerate();
    let turns = turns.map(|(n, (ends, next))| turn(&process, due(begin, n, PER_SECOND), &admin, ends, next));
    let (mut answered, mut seen) = (histogram(), histogram());
    for (answer, service) in futures::future::join_all(turns).await {
        answered.saturating_record(micros(answer));
        seen.saturating_record(micros(service));
    }
    Slots {
        agents: AGENTS,
        per_second: PER_SECOND,
        closed: served.len(),
        waiting: [waiting.len(), waiting.len() - served.len()],
        answered: Latency::of(&answered),
        seen: Latency::of(&seen),
        in_the_log: Latency::of(&by_log(&history, position).await),
    }
}

/// The chats that are served and those that wait, both in the order in which they came.
struct Room {
    served: Vec<Chat>,
    waiting: Vec<Chat>,
    /// Of the last event until now.
    position: Position,
}

impl Room {
    /// When no agent has a free slot any more.
    async fn full(history: &History, chats: Vec<Chat>) -> Self {
        let full = eventually(Duration::from_secs(30), "no agent has a free slot", async || {
            let (mut order, mut served, mut position) = (vec![], HashSet::new(), 0);
            for event in history.events().await {
                let id = event.header.aggregate_id.to_string();
                position = event.header.position;
                match event.event {
                    AnyEvent::Conversation(ConversationEvent::ChatStarted { .. }) => order.push(id),
                    AnyEvent::Conversation(ConversationEvent::AgentAssigned { .. }) => drop(served.insert(id)),
                    _ => {}
                }
            }
            if served.len() == SERVED {
                Ok((order, served, position))
            } else {
                Err(format!("{} are served", served.len()))
            }
        });
        let (order, is_served, position) = full.await;
        let mut by_id: HashMap<_, _> = chats.into_iter().map(|chat| (chat.conversation_id.clone(), chat)).collect();
        let in_order = order.iter().filter_map(|id| by_id.remove(id));
        let (served, waiting) = in_order.partition(|chat| is_served.contains(&chat.conversation_id));
        Self { served, waiting, position }
    }
}

/// One chat ends, and the next one begins.
async fn turn(process: &Process, due: Instant, admin: &str, ends: &Chat, next: &Chat) -> (Duration, Duration) {
    sleep_until(due.into()).await;
    let address = process.base().trim_start_matches("http://");
    let (mut closing, mut looking) = (
        Connection::open(address).await.expect("the program listens"),
        Connection::open(address).await.expect("the program listens"),
    );
    let path = format!("/v1/conversations/{}/close", ends.conversation_id);
    let close = request("POST", &path, Some(admin), r#"{"reason":"solved"}"#);
    let close = async {
        let answer = closing.send(&close).await.expect("an answer");
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
        due.elapsed()
    };
    let look = async {
        until_served(&mut looking, &next.conversation_id, &next.visitor_token).await;
        due.elapsed()
    };
    tokio::join!(close, look)
}

async fn by_log(history: &History, after: Position) -> Histogram<u64> {
    let mut freed: HashMap<_, VecDeque<_>> = HashMap::new();
    let mut times = histogram();
    for event in history.events_after(after).await {
        let at = event.header.recorded_at;
        match &event.event {
            AnyEvent::Agent(AgentEvent::SlotFreed { .. }) => {
                freed.entry(event.header.aggregate_id).or_default().push_back(at);
            }
            AnyEvent::Agent(AgentEvent::SlotTaken { .. }) => {
                let begun = freed.get_mut(&event.header.aggregate_id).and_then(VecDeque::pop_front);
                times.saturating_record(micros(at.since(begun.expect("a slot was freed before"))).max(1));
            }
            _ => {}
        }
    }
    times
}
