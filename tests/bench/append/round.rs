//! One contender appends, for a short time.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use tokio::task::JoinSet;

/// Appends, and waits until it is durable.
#[async_trait]
pub trait Writer: Send + 'static {
    /// The number of events.
    async fn write(&mut self) -> u64;
}

/// A way to append.
pub trait Contender {
    type Writer: Writer;

    /// Somebody with streams of their own.
    fn writer(&self) -> Self::Writer;
}

/// Events a second that this number of writers append, each as fast as it can; the first fifth is not counted. Of what was under way
/// at the beginning or the end, the part counts that lies between.
pub async fn round<C: Contender>(contender: &C, writers: usize, duration: Duration) -> f64 {
    let begin = Instant::now() + duration / 5;
    let end = begin + duration;
    let mut lanes = JoinSet::new();
    for mut writer in (0..writers).map(|_| contender.writer()) {
        lanes.spawn(async move {
            let mut counted = 0.0;
            loop {
                let started = Instant::now();
                if started >= end {
                    break counted;
                }
                let written = writer.write().await as f64;
                let ended = Instant::now();
                let within = ended.min(end).saturating_duration_since(started.max(begin));
                counted += written * within.as_secs_f64() / (ended - started).as_secs_f64();
            }
        });
    }
    let counted: f64 = lanes.join_all().await.into_iter().sum();
    counted / duration.as_secs_f64()
}
