//! Writers that do all that is allowed, and some of what is not.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use application::ports::{AppendError, EventLog as _, Ids as _, Receipt, Sequence, StreamAppend};
use domain::ids::{EntityId as _, EventId};
use futures::future::join_all;
use infrastructure::database::Database;
use infrastructure::system::RandomIds;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

use super::checker::Seen;
use crate::support::{Node, event_ids, of_streams, pause, stream, with_payload};

const WRITERS: usize = 8;
const APPENDS: usize = 40;

/// The streams that all writers share.
const STREAMS: usize = 6;

/// One append that a writer tries.
#[derive(Clone, Debug)]
struct Step {
    /// Which streams, and how many events for each.
    streams: Vec<(usize, usize)>,
    /// How far the expected versions lag behind.
    stale: Sequence,
    text_length: usize,
    pause_millis: u64,
}

fn step() -> impl Strategy<Value = Step> {
    let streams = proptest::sample::subsequence((0..STREAMS).collect::<Vec<_>>(), 1..=3);
    let sizes = proptest::collection::vec(1..=5_usize, 3);
    let stale = prop_oneof![5 => Just(0), 1 => 1..3_i64];
    let length = prop_oneof![4 => 0..200_usize, 1 => 0..20_000_usize];
    let pause_millis = prop_oneof![3 => Just(0), 1 => 0..8_u64];
    (streams, sizes, stale, length, pause_millis).prop_map(|(streams, sizes, stale, text_length, pause_millis)| Step {
        streams: streams.into_iter().zip(sizes).collect(),
        stale,
        text_length,
        pause_millis,
    })
}

/// What the writers are going to do.
pub struct Writers {
    plans: Vec<Vec<Step>>,
    versions: Arc<Mutex<[Sequence; STREAMS]>>,
}

/// What the log has acknowledged.
#[derive(Default)]
pub struct Appended {
    pub receipts: Vec<(Receipt, Vec<EventId>)>,
    pub refused: usize,
}

impl Writers {
    /// At random: what comes of it depends on the machine, too, so that a seed would not bring it back.
    pub fn random(nodes: &[Node]) -> Self {
        let plans = proptest::collection::vec(proptest::collection::vec(step(), APPENDS), WRITERS * nodes.len());
        let plans = plans.new_tree(&mut TestRunner::default()).unwrap().current();
        Self { plans, versions: Arc::default() }
    }

    pub async fn run(self, nodes: &[Node]) -> Appended {
        let writers = self.plans.into_iter().enumerate().map(|(number, plan)| {
            let writer = Writer {
                log: Arc::clone(&nodes[number % nodes.len()].log),
                versions: Arc::clone(&self.versions),
                appended: Appended::default(),
            };
            tokio::spawn(writer.run(plan))
        });
        let mut all = Appended::default();
        for writer in join_all(writers).await {
            let one = writer.unwrap();
            all.receipts.extend(one.receipts);
            all.refused += one.refused;
        }
        all
    }
}

struct Writer {
    log: Arc<infrastructure::event_log::SqlEventLog>,
    versions: Arc<Mutex<[Sequence; STREAMS]>>,
    appended: Appended,
}

impl Writer {
    async fn run(mut self, plan: Vec<Step>) -> Appended {
        for step in plan {
            self.step(&step).await;
            if step.pause_millis > 0 {
                pause(step.pause_millis).await;
            }
        }
        self.appended
    }

    async fn step(&mut self, step: &Step) {
        let request = of_streams(self.appends(step));
        let ids = event_ids(&request);
        let ends: Vec<_> =
            step.streams.iter().zip(&request.streams).map(|((index, _), append)| (*index, end(append))).collect();
        match self.log.append(request).await {
            Ok(receipt) => {
                let mut versions = self.versions.lock().unwrap_or_else(PoisonError::into_inner);
                ends.into_iter().for_each(|(index, end)| versions[index] = versions[index].max(end));
                self.appended.receipts.push((receipt, ids));
            }
            Err(AppendError::Conflict { .. }) => self.appended.refused += 1,
            Err(error) => panic!("{error:?}"),
        }
    }

    fn appends(&self, step: &Step) -> Vec<StreamAppend> {
        let versions = *self.versions.lock().unwrap_or_else(PoisonError::into_inner);
        let text = "x".repeat(step.text_length);
        let payload = format!(r#"{{"type":"TagDeleted","at":"2024-01-02T03:04:05.000006Z","text":"{text}"}}"#);
        let append = |(index, count): &(usize, usize)| StreamAppend {
            stream: stream(*index as u128),
            expected_version: (versions[*index] - step.stale).max(0),
            events: (0..*count).map(|_| with_payload(&payload)).collect(),
        };
        step.streams.iter().map(append).collect()
    }
}

fn end(append: &StreamAppend) -> Sequence {
    append.expected_version + Sequence::try_from(append.events.len()).unwrap()
}

impl Appended {
    pub fn events(&self) -> usize {
        self.receipts.iter().map(|(_, ids)| ids.len()).sum()
    }

    /// Every acknowledged event is where its receipt says, and there is nothing else.
    pub fn is_what_was_seen(&self, history: &[Seen]) {
        assert_eq!(self.events(), history.len());
        for (receipt, ids) in &self.receipts {
            let positions =
                usize::try_from(receipt.first_position - 1).unwrap()..usize::try_from(receipt.last_position).unwrap();
            let seen: Vec<_> = history[positions].iter().map(|seen| seen.event_id).collect();
            assert_eq!(seen, ids.iter().map(|id| id.uuid()).collect::<Vec<_>>());
        }
    }
}

/// Takes the next position again and again, writes an event there, and rolls both back after a while. Returns how often.
pub async fn interfere(database: Database, done: Arc<AtomicBool>) -> usize {
    let mut times = 0;
    let begin = database.dialect().begin();
    while !done.load(Ordering::SeqCst) {
        let mut session = database.log_session().await.unwrap();
        let id = RandomIds.new_uuid();
        let hash = format!("X'{}'", "00".repeat(32));
        let script = format!(
            "{begin}; UPDATE log_head SET position = position + 1 WHERE id = 1; \
             INSERT INTO events (position, aggregate_type, aggregate_id, sequence, event_type, event_version, payload, \
             metadata, event_id, command_id, correlation_id, actor, recorded_us, payload_digest, chain_hash) \
             SELECT position, 'tag', '{id}', 1, 'TagDeleted', '1.0', '{{}}', '{{}}', '{id}', '{id}', '{id}', 'nobody', \
             0, {hash}, {hash} FROM log_head"
        );
        // A writer that waited too long for the head may try again.
        if session.run(&script).await.is_ok() {
            pause((RandomIds.fraction() * 12.0) as u64).await;
            times += 1;
        }
        session.rollback().await.unwrap();
        session.close().await;
        pause(5).await;
    }
    times
}
