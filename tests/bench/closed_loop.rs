//! So many connections, each of which sends the next request when it has the answer to the last.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use crate::connection::Connection;

/// What came of it.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub struct Measured {
    pub connections: usize,
    pub per_second: f64,
    pub p50_ms: f64,
    pub p99_ms: f64,
    /// Answers with another status than the expected one.
    pub refused: u64,
}

/// What is sent, by the number of the connection and the number of the request.
pub type Requests = Rc<dyn Fn(usize, u64) -> Vec<u8>>;

/// Measures for this long, after a fifth of it that is not counted.
pub async fn measure(
    address: &str,
    connections: usize,
    duration: Duration,
    (requests, expected): (Requests, u16),
) -> Measured {
    let begin = Instant::now() + duration / 5;
    let end = begin + duration;
    let refused = Rc::new(Cell::new(0));
    let lanes = (0..connections).map(|lane| {
        let (requests, refused) = (Rc::clone(&requests), Rc::clone(&refused));
        async move {
            let mut connection = Connection::open(address).await.expect("the program listens");
            let mut times = histogram();
            for n in 0.. {
                let request = requests(lane, n);
                let sent = Instant::now();
                if sent >= end {
                    break;
                }
                let answer = connection.send(&request).await.expect("the program answers");
                let now = Instant::now();
                if answer.status != expected {
                    refused.set(refused.get() + 1);
                } else if now >= begin && now <= end {
                    times.saturating_record(micros(now - sent));
                }
            }
            times
        }
    });
    let mut times = histogram();
    for lane in futures::future::join_all(lanes).await {
        times.add(lane).expect("histograms of the same bounds");
    }
    Measured {
        connections,
        per_second: times.len() as f64 / duration.as_secs_f64(),
        p50_ms: quantile_ms(&times, 0.5),
        p99_ms: quantile_ms(&times, 0.99),
        refused: refused.get(),
    }
}

/// For times in microseconds, up to a minute, with three digits.
pub fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000, 3).expect("these bounds are valid")
}

pub fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

pub fn quantile_ms(times: &Histogram<u64>, quantile: f64) -> f64 {
    times.value_at_quantile(quantile) as f64 / 1_000.0
}
