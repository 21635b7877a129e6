//! A number of connections, each of which sends the next request when it has the answer to the last. It measures how many
//! requests the program can answer; the open loop measures how long each takes.

use std::cell::Cell;
use std::time::{Duration, Instant};

use super::Requests;
use crate::connection::Connection;

/// What came of it.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub struct Rate {
    pub connections: usize,
    pub per_second: f64,
    /// Answers with another status than the expected one, and connections that broke.
    pub errors: u64,
}

/// Measures for this long, after a fifth of it that is not counted.
pub async fn measure(address: &str, connections: usize, duration: Duration, requests: &Requests) -> Rate {
    let begin = Instant::now() + duration / 5;
    let end = begin + duration;
    let (answered, errors) = (Cell::new(0_u64), Cell::new(0_u64));
    let lanes = (0..connections).map(async |lane| {
        let mut connection = Connection::open(address).await.expect("the program listens");
        for n in 0.. {
            let request = (requests.make)(lane, n);
            if Instant::now() >= end {
                break;
            }
            let is_good = connection.ask(&request, requests.expected).await;
            let now = Instant::now();
            if !is_good {
                errors.set(errors.get() + 1);
            } else if now >= begin && now <= end {
                answered.set(answered.get() + 1);
            }
        }
    });
    futures::future::join_all(lanes).await;
    Rate { connections, per_second: answered.get() as f64 / duration.as_secs_f64(), errors: errors.get() }
}
