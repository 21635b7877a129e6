//! The figures for Prometheus. The parts of the program count where things happen; this file describes the figures and
//! records those that are only read when they are scraped.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use application::ports::Clock;
use domain::ids::GroupId;
use infrastructure::event_log::{REFUSAL_REASONS, RETRY_CAUSES};
use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use metrics_process::Collector;
use projections::routing::QueueStats;

use crate::service::{SubscriberProgress, Vitals};

/// The bounds of the buckets for durations, in seconds: from a commit on a fast disk to a patient visitor.
const SECONDS: [f64; 17] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1_800.0];

/// The bounds of the buckets for commits, in events.
const EVENTS: [f64; 11] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1_024.0];

/// The longest wait for the database; when it takes longer, the other figures matter all the more.
const PATIENCE: Duration = Duration::from_secs(3);

/// The pause between two sortings of measurements into their buckets: they must not pile up while nobody scrapes.
const SORT_EVERY: Duration = Duration::from_secs(5);

/// The figures of this process. Servers that run in the same one share them.
#[derive(Clone)]
pub struct Metrics {
    recorded: PrometheusHandle,
    process: Collector,
    /// All groups so far: the queue of a deleted group must be reported as empty.
    queues: Arc<Mutex<BTreeSet<GroupId>>>,
}

impl Metrics {
    /// Installs the recorder of this process, unless it is installed already.
    ///
    /// # Errors
    /// When another recorder is installed.
    pub fn start() -> Result<Self, BuildError> {
        static STARTED: Mutex<Option<(PrometheusHandle, Collector)>> = Mutex::new(None);
        // One at a time: only the recorder that is built here may be installed.
        let mut started = STARTED.lock().unwrap_or_else(PoisonError::into_inner);
        let (recorded, process) = match &*started {
            Some(begun) => begun.clone(),
            None => started.insert(Self::begin()?).clone(),
        };
        Ok(Self { recorded, process, queues: Arc::default() })
    }

    fn begin() -> Result<(PrometheusHandle, Collector), BuildError> {
        let builder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?
            .set_buckets_for_metric(Matcher::Suffix("_events".to_owned()), &EVENTS)?;
        let recorded = builder.install_recorder()?;
        let process = Collector::default();
        describe();
        begin_at_zero();
        process.describe();
        Ok((recorded, process))
    }

    /// Sorts measurements into their buckets until the task is dropped.
    pub async fn run(self, clock: Arc<dyn Clock>) {
        loop {
            clock.sleep(SORT_EVERY).await;
            self.recorded.run_upkeep();
        }
    }

    /// All figures, in the text format of Prometheus. While the database does not answer, those of the queues stay.
    pub async fn render(&self, vitals: &Vitals) -> String {
        let looks = async {
            match vitals.queues().await {
                Ok((stats, groups)) => self.record_queues(&stats, groups),
                Err(refusal) => tracing::warn!(code = refusal.code.as_str(), "the queues cannot be measured"),
            }
            record_progress(vitals).await;
        };
        if tokio::time::timeout(PATIENCE, looks).await.is_err() {
            tracing::warn!("the database was too slow to be measured");
        }
        self.process.collect();
        self.recorded.render()
    }

    fn record_queues(&self, stats: &[QueueStats], groups: Vec<GroupId>) {
        let mut known = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        known.extend(stats.iter().map(|queue| queue.group_id).chain(groups));
        for group_id in known.iter() {
            let queue = stats.iter().find(|queue| queue.group_id == *group_id);
            let (waiting, oldest) = queue.map_or((0, 0), |queue| (queue.waiting, queue.longest_wait_seconds));
            gauge!("livechatlog_waiting_chats", "group" => group_id.to_string()).set(waiting as f64);
            gauge!("livechatlog_oldest_wait_seconds", "group" => group_id.to_string()).set(oldest as f64);
        }
    }
}

fn describe() {
    describe_counter!("livechatlog_http_requests_total", "Requests by method, route and status.");
    describe_histogram!("livechatlog_http_request_seconds", Unit::Seconds, "From a request to its answer.");
    describe_histogram!("livechatlog_append_seconds", Unit::Seconds, "From an append's call to its answer.");
    describe_counter!("livechatlog_append_refusals_total", "Appends that were refused, by reason.");
    describe_histogram!("livechatlog_commit_seconds", Unit::Seconds, "How long a commit of the log took.");
    describe_histogram!("livechatlog_commit_events", Unit::Count, "How many events were committed together.");
    describe_counter!("livechatlog_commit_retries_total", "Commits that were tried again, by cause.");
    describe_counter!("livechatlog_command_retries_total", "Commands that met a conflict and were decided again.");
    describe_counter!("livechatlog_projected_events_total", "Events that this node has projected.");
    describe_counter!(
        "livechatlog_projection_batches_failed_total",
        "Batches of statements that were done again one by one, to learn which of them failed."
    );
    describe_gauge!("livechatlog_projection_lag_events", Unit::Count, "Events that a read model has yet to take in.");
    describe_gauge!("livechatlog_projection_running", "1 unless a read model has stopped.");
    describe_gauge!("livechatlog_log_position", Unit::Count, "The position of the last event.");
    describe_gauge!("livechatlog_waiting_chats", Unit::Count, "Chats that wait for an agent, by group.");
    describe_gauge!("livechatlog_oldest_wait_seconds", Unit::Seconds, "How long the first of them has waited.");
    describe_histogram!("livechatlog_assignment_seconds", Unit::Seconds, "How long a chat had waited for its agent.");
    describe_counter!("livechatlog_database_reads_total", "Queries outside of transactions.");
    describe_gauge!("livechatlog_streams_open", "Open live streams, by form.");
    describe_counter!("livechatlog_stream_frames_total", "Frames that were sent to live streams.");
    describe_counter!("livechatlog_stream_bytes_total", Unit::Bytes, "Bytes of these frames.");
    describe_counter!("livechatlog_stream_closes_total", "Live streams that have ended, by reason.");
    describe_histogram!(
        "livechatlog_stream_lag_seconds",
        Unit::Seconds,
        "From a commit until live streams may take it."
    );
    describe_gauge!("livechatlog_redis_connected", "1 while the connection to Redis stands.");
    describe_counter!("livechatlog_log_lines_lost_total", "Log lines that were lost, because nothing read them.");
    describe_gauge!("livechatlog_build_info", "1, with the version of the program.");
}

/// The counters whose first event would otherwise be their first sample, which `rate` cannot see. Names of projections are
/// added once they run; routes once they are called.
fn begin_at_zero() {
    counter!("livechatlog_command_retries_total").increment(0);
    for cause in RETRY_CAUSES {
        counter!("livechatlog_commit_retries_total", "cause" => cause).increment(0);
    }
    for reason in REFUSAL_REASONS {
        counter!("livechatlog_append_refusals_total", "reason" => reason).increment(0);
    }
    for (name, _) in projections::all_subscriber_ids() {
        counter!("livechatlog_projection_batches_failed_total", "projection" => name).increment(0);
        counter!("livechatlog_projected_events_total", "projection" => name).increment(0);
    }
    for method in ["GET", "POST"] {
        let labels = [("method", method), ("route", "none"), ("status", "500")];
        counter!("livechatlog_http_requests_total", &labels).increment(0);
    }
}

/// Without an answer from the log there is no lag to record; `/readyz` says why.
async fn record_progress(vitals: &Vitals) {
    gauge!("livechatlog_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    if let Some(connected) = vitals.is_connected() {
        gauge!("livechatlog_redis_connected").set(f64::from(connected));
    }
    let Some(head) = vitals.log_position().await else { return };
    gauge!("livechatlog_log_position").set(head as f64);
    for SubscriberProgress { name, position, follows } in vitals.progress() {
        let lag = head.saturating_sub(position).max(0) as f64;
        gauge!("livechatlog_projection_lag_events", "projection" => name).set(lag);
        gauge!("livechatlog_projection_running", "projection" => name).set(f64::from(follows));
    }
}
