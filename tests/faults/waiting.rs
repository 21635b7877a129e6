//! Chats that wait cost those that are served nothing.

use std::time::Instant;

use harness::{Client, DatabaseKind, Process, TestDatabase, Visitor, each_database};
use serde_json::json;

use crate::people::{admin, begin_chat, hire, program_on, wait_until_served};
use crate::recovery::RECOVERY;

/// How many chats wait.
const WAITING: usize = 2_000;

/// How many chats are served, each of which sends one message after the other.
const SERVED: usize = 8;

/// How many messages each of them sends in a round.
const MESSAGES: usize = 25;

/// Sends may be this much slower: the rate with many waiting over the rate with none.
const TOLERATED: f64 = 0.9;

/// The least and the most pairs of rounds that are measured: a busy machine needs more of them.
const ROUNDS: std::ops::RangeInclusive<usize> = 7..=25;

each_database!(two_thousand_waiting_chats_do_not_slow_sends_down);
async fn two_thousand_waiting_chats_do_not_slow_sends_down(database: TestDatabase) {
    let other = match database.kind() {
        DatabaseKind::Sqlite => TestDatabase::sqlite(),
        DatabaseKind::MySql => TestDatabase::mysql("the one without waiting chats").await.expect("a second one"),
    };
    let (quiet, busy) = (StaffedProgram::open(&other).await, StaffedProgram::open(&database).await);
    busy.queue_up().await;
    let (mut without, mut with) = (vec![], vec![]);
    loop {
        // In turns, so that whatever else the machine does meets both alike.
        if without.len() % 2 == 0 {
            without.push(quiet.round().await);
            with.push(busy.round().await);
        } else {
            with.push(busy.round().await);
            without.push(quiet.round().await);
        }
        let rounds = without.len();
        let pairs: Vec<_> = with.iter().zip(&without).map(|(with, without)| with / without).collect();
        let (by_median, by_best) = (median(&pairs), best(&with) / best(&without));
        if rounds >= *ROUNDS.start() && by_median.max(by_best) >= TOLERATED {
            println!("{by_median:.2} by the median of pairs, {by_best:.2} by the best of {rounds} rounds");
            println!("{with:.0?} {without:.0?}");
            break;
        }
        assert!(
            rounds < *ROUNDS.end(),
            "sends are {by_median:.2} times as fast by the median of pairs, {by_best:.2} by the best: \
             {with:.0?} {without:.0?}"
        );
    }
}

/// A program with one agent, whose slots are all taken.
struct StaffedProgram {
    process: Process,
    served: Vec<Visitor>,
}

impl StaffedProgram {
    async fn open(database: &TestDatabase) -> Self {
        let process = program_on(database).start().await;
        let client = process.client();
        let boss = admin(client).await;
        hire(client, &boss, ("agent", "online", SERVED as u32)).await;
        let mut served = vec![];
        for n in 0..SERVED {
            served.push(begin_chat(client, &format!("served {n}")).await);
        }
        wait_until_served(client, &served, SERVED, RECOVERY).await;
        Self { process, served }
    }

    /// Lets the others wait.
    async fn queue_up(&self) {
        let client = self.process.client().with_header("prefer", "respond-async");
        let begin = |lane: usize| {
            let client = client.clone();
            async move {
                for n in 0..WAITING / 20 {
                    begin_chat(&client, &format!("waiting {lane}/{n}")).await;
                }
            }
        };
        futures::future::join_all((0..20).map(begin)).await;
        // Waits for the read models.
        let last = begin_chat(self.process.client(), "the last one").await;
        let path = format!("/v1/conversations/{}", last.conversation_id);
        let chat = client.with_token(last.token()).get(&path).await.expect(200).body;
        assert_eq!(chat["queuePosition"], json!(WAITING + 1));
    }

    /// Messages per second.
    async fn round(&self) -> f64 {
        let started = Instant::now();
        futures::future::join_all(self.served.iter().map(|guest| send(self.process.client(), guest))).await;
        (SERVED * MESSAGES) as f64 / started.elapsed().as_secs_f64()
    }
}

async fn send(client: &Client, guest: &Visitor) {
    let client = client.with_token(guest.token());
    let path = format!("/v1/threads/{}/events", guest.thread_id);
    for _ in 0..MESSAGES {
        client.post(&path, &json!({ "content": "Where is my parcel?" })).await.expect(201);
    }
}

fn median(rates: &[f64]) -> f64 {
    let mut sorted = rates.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

fn best(rates: &[f64]) -> f64 {
    rates.iter().copied().fold(0.0, f64::max)
}
