//! Requests that are due at fixed times, whether or not earlier ones have been answered. Times count from when a request was
//! due, so that those that had to wait for slow ones are slow too (no coordinated omission).

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use tokio::sync::{Mutex, mpsc};

use super::{Latency, Requests, histogram, micros};
use crate::connection::Connection;

/// How many requests can be under way; the next one waits, and its time runs.
pub const CONNECTIONS: usize = 64;

/// What came of it.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub struct Paced {
    /// How many requests were due each second.
    pub due_per_second: f64,
    pub errors: u64,
    pub latency: Latency,
}

/// The times of good answers in microseconds, and the number of others.
pub struct Times {
    pub good: Histogram<u64>,
    pub errors: u64,
}

/// Measures this number of requests a second for this long.
pub async fn measure(address: &str, per_second: f64, duration: Duration, requests: &Requests) -> Paced {
    let Times { good, errors } = times(address, per_second, duration, requests).await;
    Paced { due_per_second: per_second, errors, latency: Latency::of(&good) }
}

/// The same, with all times.
pub async fn times(address: &str, per_second: f64, duration: Duration, requests: &Requests) -> Times {
    let mut connections = vec![];
    for _ in 0..CONNECTIONS {
        connections.push(Connection::open(address).await.expect("the program listens"));
    }
    let (beat, due) = mpsc::unbounded_channel();
    let due = Mutex::new(due);
    let metronome = std::thread::spawn(move || keep_time(per_second, duration, &beat));
    let (good, errors) = (RefCell::new(histogram()), Cell::new(0));
    let next = async || due.lock().await.recv().await;
    let lanes = connections.into_iter().enumerate().map(async |(lane, mut connection)| {
        let mut n = 0;
        while let Some(due) = next().await {
            let is_good = connection.ask(&(requests.make)(lane, n), requests.expected).await;
            n += 1;
            if is_good {
                good.borrow_mut().saturating_record(micros(Instant::now() - due));
            } else {
                errors.set(errors.get() + 1);
            }
        }
    });
    futures::future::join_all(lanes).await;
    metronome.join().expect("the metronome does not fail");
    Times { good: good.into_inner(), errors: errors.into_inner() }
}

/// On a thread of its own: the timers of the runtime know only whole milliseconds.
fn keep_time(per_second: f64, duration: Duration, beat: &mpsc::UnboundedSender<Instant>) {
    let begin = Instant::now() + Duration::from_millis(20);
    let count = (per_second * duration.as_secs_f64()) as u64;
    for n in 0..count {
        let due = begin + Duration::from_secs_f64(n as f64 / per_second);
        let early = due.saturating_duration_since(Instant::now());
        if !early.is_zero() {
            std::thread::sleep(early);
        }
        if beat.send(due).is_err() {
            return;
        }
    }
}
