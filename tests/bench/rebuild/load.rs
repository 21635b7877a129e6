//! Visitors who begin chats and write at a fixed rate, whatever the program does meanwhile.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use application::ports::Clock as _;
use harness::Client;
use hdrhistogram::Histogram;
use infrastructure::system::SystemClock;
use serde_json::json;
use tokio::task::JoinSet;

use crate::driver::{Latency, histogram, micros};

/// What the visitors saw.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Seen {
    pub failed: usize,
    pub per_second: f64,
    pub latency: Latency,
}

/// How many messages each chat gets after its first.
const MESSAGES: usize = 20;

/// How many write at the same time, at most.
const LANES: u32 = 32;

struct Lane {
    client: Client,
    times: Arc<Mutex<Histogram<u64>>>,
    failed: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
    every: Duration,
}

/// Writes `per_second` times until `until` has ended.
pub async fn during(client: &Client, per_second: u32, until: impl Future<Output = ()>) -> Seen {
    let times = Arc::new(Mutex::new(histogram()));
    let (failed, stop) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let every = Duration::from_secs(1) * LANES / per_second;
    let begun = Instant::now();
    let mut lanes = JoinSet::new();
    for number in 0..LANES {
        let (times, failed, stop) = (Arc::clone(&times), Arc::clone(&failed), Arc::clone(&stop));
        let lane = Lane { client: client.clone(), times, failed, stop, every };
        lanes.spawn(async move {
            SystemClock.sleep(every / LANES * number).await;
            lane.run().await;
        });
    }
    until.await;
    stop.store(true, Ordering::Relaxed);
    let seconds = begun.elapsed().as_secs_f64();
    lanes.join_all().await;
    let times = times.lock().expect("no lane panics while it holds it");
    Seen {
        failed: failed.load(Ordering::Relaxed),
        per_second: times.len() as f64 / seconds,
        latency: Latency::of(&times),
    }
}

impl Lane {
    async fn run(self) {
        let mut due = Instant::now();
        while !self.stop.load(Ordering::Relaxed) {
            let body = json!({ "name": "Vera", "initialMessage": "Hello" });
            let Some(chat) = self.send(&mut due, &self.client, "/v1/widget/session".to_owned(), body).await else {
                continue;
            };
            let visitor = self.client.with_token(chat["sessionToken"].as_str().unwrap_or_default());
            let path = format!("/v1/conversations/{}/events", chat["conversationId"].as_str().unwrap_or_default());
            for _ in 0..MESSAGES {
                if self.stop.load(Ordering::Relaxed) {
                    return;
                }
                self.send(&mut due, &visitor, path.clone(), json!({ "content": "Is anybody there?" })).await;
            }
        }
    }

    /// Times count from when the request was due: what waits for a slow one before it is slow too.
    async fn send(
        &self,
        due: &mut Instant,
        client: &Client,
        path: String,
        body: serde_json::Value,
    ) -> Option<serde_json::Value> {
        SystemClock.sleep(due.saturating_duration_since(Instant::now())).await;
        let reply = client.try_request(reqwest::Method::POST, &path, Some(&body)).await;
        let micros = micros(due.elapsed());
        self.times.lock().expect("no lane panics while it holds it").saturating_record(micros);
        *due += self.every;
        match reply {
            Ok(reply) if reply.status < 300 => Some(reply.body),
            other => {
                eprintln!("failed: {path}: {other:?}");
                self.failed.fetch_add(1, Ordering::Relaxed);
                None
            }
        }
    }
}
