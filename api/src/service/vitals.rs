use std::sync::Arc;
use std::time::Duration;

use application::ports::{Clock, EventLog, LogHead, Position};
use domain::ids::GroupId;
use infrastructure::subscription::{MOST_BEHIND, RunnerStatus, StopReason, mending_command};
use infrastructure::wake_ups::WakeUpStatus;
use infrastructure::write_probe::WriteProbe;
use projections::agents::AgentQueries;
use projections::routing::{QueueStats, RoutingQueries};
use schemars::JsonSchema;
use serde::Serialize;
use tokio::time::timeout;

use super::views::Views;
use super::{BackgroundTasks, Refusal};

/// A part that does not answer within this time counts as broken: probers do not wait long.
const PATIENCE: Duration = Duration::from_secs(2);

/// The wait of a chat, in seconds, from which on it is reported.
const LONG_WAIT: u64 = 300;

/// Reports the connection to other nodes; `None` where there are none.
pub type SignalStatus = Arc<dyn Fn() -> Option<WakeUpStatus> + Send + Sync>;

/// The check of a part of the service.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Check {
    /// The name of the checked part.
    pub name: String,
    /// Whether it works.
    pub ok: bool,
    /// Whether the service needs it.
    pub required: bool,
    /// The reason of a failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub reason: Option<String>,
}

impl Check {
    /// A check of a part without which the service cannot work.
    #[must_use]
    pub fn required(name: impl Into<String>, outcome: Result<(), String>) -> Self {
        Self { name: name.into(), ok: outcome.is_ok(), required: true, reason: outcome.err() }
    }

    /// A check of a part without which the service works on.
    #[must_use]
    pub fn optional(name: &str, outcome: Result<(), String>) -> Self {
        Self { required: false, ..Self::required(name, outcome) }
    }
}

/// The progress of one subscriber of the log.
#[derive(Clone, Debug)]
pub struct SubscriberProgress {
    /// The subscriber's name.
    pub name: &'static str,
    /// The position that it has reached.
    pub position: Position,
    /// Whether it still follows the log.
    pub follows: bool,
}

/// Watches the parts of the program: the log, the read models, the background tasks, the database.
pub struct Vitals {
    /// Says whether it can be read, and where it ends.
    pub log: Arc<dyn EventLog>,
    /// The progress of the read models.
    pub views: Arc<Views>,
    /// The tasks that must not end.
    pub tasks: BackgroundTasks,
    /// Reads the queue.
    pub queue: RoutingQueries,
    /// Reads the groups.
    pub agents: AgentQueries,
    /// Tries whether the database takes writes.
    pub write_probe: WriteProbe,
    /// Reports the connection to other nodes.
    pub signals: SignalStatus,
    /// The present time.
    pub clock: Arc<dyn Clock>,
}

impl Vitals {
    /// The names of the parts that have broken down for good, so that only a restart of the process helps.
    #[must_use]
    pub fn broken(&self) -> Vec<&'static str> {
        let mut broken: Vec<_> = self.tasks.ended().collect();
        let panicked = RunnerStatus::Stopped(StopReason::Panicked);
        let views = self.views.status().into_iter();
        broken.extend(views.filter(|(_, _, status)| *status == panicked).map(|(name, ..)| name));
        if self.log.has_broken_down() {
            broken.push("eventLog");
        }
        if self.write_probe.was_exchanged() {
            broken.push("database");
        }
        broken
    }

    /// Checks everything that the service needs for its work, and some of what it does not.
    pub async fn checks(&self) -> Vec<Check> {
        let (head, fault, queue) = tokio::join!(self.head(), self.write_probe.find_fault(&*self.clock), self.queue());
        let mut checks = vec![
            Check::required("eventLog", head.as_ref().map(|_| ()).map_err(Clone::clone)),
            Check::required("database", fault.map_or(Ok(()), Err)),
        ];
        let head = head.map_or(0, |head| head.position);
        for (name, position, status) in self.views.status() {
            checks.push(Check::required(format!("projection:{name}"), projection(name, head - position, &status)));
        }
        for name in self.tasks.ended() {
            let reason = "has ended; the cause is in the log, and a restart is needed".to_owned();
            checks.push(Check::required(format!("task:{name}"), Err(reason)));
        }
        checks.push(Check::optional("queue", queue));
        if let Some(status) = self.signals() {
            let outcome = match status {
                WakeUpStatus::Connected => Ok(()),
                WakeUpStatus::Alone | WakeUpStatus::Connecting | WakeUpStatus::Disconnected => {
                    Err(format!("{status}; other nodes are followed by polling"))
                }
            };
            checks.push(Check::optional("redis", outcome));
        }
        checks
    }

    async fn head(&self) -> Result<LogHead, String> {
        let head = timeout(PATIENCE, self.log.head()).await.map_err(|_| "the log does not answer".to_owned())?;
        head.map_err(|error| error.to_string())
    }

    /// Long waits are no reason to send visitors to another node, but one to alert people.
    async fn queue(&self) -> Result<(), String> {
        let stats = timeout(PATIENCE, self.queue.stats(self.clock.now())).await;
        let stats = stats.ok().and_then(Result::ok).ok_or_else(|| "cannot be read".to_owned())?;
        let longest = stats.iter().map(|queue| queue.longest_wait_seconds).max().unwrap_or_default();
        if longest < LONG_WAIT {
            return Ok(());
        }
        // No figures: everybody may ask, and they would show how busy a company is.
        Err("a chat has waited for long; the metrics say how many and how long".to_owned())
    }

    fn signals(&self) -> Option<WakeUpStatus> {
        (self.signals)()
    }

    /// Whether the connection to other nodes stands; `None` where there are none.
    #[must_use]
    pub fn is_connected(&self) -> Option<bool> {
        self.signals().map(|status| status == WakeUpStatus::Connected)
    }

    /// The position of the last event, unless the log does not answer.
    pub async fn log_position(&self) -> Option<Position> {
        self.log.head().await.ok().map(|head| head.position)
    }

    /// The progress of every subscriber.
    #[must_use]
    pub fn progress(&self) -> Vec<SubscriberProgress> {
        let status = self.views.status().into_iter();
        let progress = status.map(|(name, position, status)| {
            let follows = !matches!(status, RunnerStatus::Stopped(_));
            SubscriberProgress { name, position, follows }
        });
        progress.collect()
    }

    /// The figures of every group's queue, and the ids of all groups.
    ///
    /// # Errors
    /// When the database does not work.
    pub async fn queues(&self) -> Result<(Vec<QueueStats>, Vec<GroupId>), Refusal> {
        Ok((self.queue.stats(self.clock.now()).await?, self.agents.group_ids().await?))
    }
}

fn projection(name: &str, lag: i64, status: &RunnerStatus) -> Result<(), String> {
    match status {
        // The cause may quote what people wrote; it is in the log.
        RunnerStatus::Stopped(reason @ StopReason::Panicked) => Err(reason.to_string()),
        RunnerStatus::Stopped(reason @ StopReason::HistoryForked { .. }) => {
            Err(format!("{reason}: the database was exchanged; restart this node"))
        }
        RunnerStatus::Stopped(reason @ StopReason::ForeignCheckpoint { .. }) => {
            Err(format!("{reason}: `{}` mends it", mending_command(name)))
        }
        RunnerStatus::Stopped(StopReason::Poison { position, .. }) => {
            Err(format!("stopped at position {position}; the cause is in the log"))
        }
        RunnerStatus::Stopped(reason @ StopReason::Superseded { .. }) => Err(reason.to_string()),
        _ if lag > MOST_BEHIND => Err(format!("{lag} events behind")),
        _ => Ok(()),
    }
}
