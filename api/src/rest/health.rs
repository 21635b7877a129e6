//! Whether the service lives and is ready.

use std::sync::atomic::Ordering;
use std::time::Duration;

use application::ports::LogHead;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use infrastructure::subscription::{MOST_BEHIND, RunnerStatus, StopReason};
use infrastructure::wake_ups::WakeUpStatus;
use serde::Serialize;
use serde_json::json;
use tokio::time::timeout;

use crate::app::App;

/// What does not answer within this time does not work. Who asks for probes does not wait long.
const PATIENCE: Duration = Duration::from_secs(2);

/// A chat that waits for so many seconds is told.
const LONG_WAIT: u64 = 300;

#[derive(Serialize)]
struct Check {
    name: String,
    ok: bool,
    /// Whether the service can do its work without it.
    required: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl Check {
    fn new(name: impl Into<String>, outcome: Result<(), String>) -> Self {
        Self { name: name.into(), ok: outcome.is_ok(), required: true, reason: outcome.err() }
    }
}

/// Like the seed's: that the process answers.
pub async fn health() -> Response {
    Json(json!({ "status": "ok", "service": "livechatlog", "version": env!("CARGO_PKG_VERSION") })).into_response()
}

/// Whether the process is worth keeping: not when something in it has broken down for good.
pub async fn live(State(app): State<App>) -> Response {
    let mut ended: Vec<_> = app.tasks.ended().collect();
    let panicked = RunnerStatus::Stopped(StopReason::Panicked);
    ended.extend(app.views.status().into_iter().filter(|(_, _, status)| *status == panicked).map(|(name, ..)| name));
    if app.log.has_broken_down() {
        ended.push("eventLog");
    }
    if ended.is_empty() {
        return Json(json!({ "status": "ok" })).into_response();
    }
    (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "status": "broken", "ended": ended }))).into_response()
}

/// Whether it can do its work; if not, why not.
pub async fn ready(State(app): State<App>) -> Response {
    let mut checks = vec![];
    if app.draining.load(Ordering::Relaxed) {
        checks.push(Check::new("shutdown", Err("this node is shutting down".to_owned())));
    }
    let (head, fault, queue) = tokio::join!(head(&app), app.write_probe.find_fault(&*app.clock), queue(&app));
    checks.push(Check::new("eventLog", head.as_ref().map(|_| ()).map_err(Clone::clone)));
    checks.push(Check::new("database", fault.map_or(Ok(()), Err)));
    let head = head.map_or(0, |head| head.position);
    for (name, position, status) in app.views.status() {
        checks.push(Check::new(format!("projection:{name}"), projection(head - position, &status)));
    }
    for name in app.tasks.ended() {
        let reason = "has ended; the cause is in the log, and a restart is needed".to_owned();
        checks.push(Check::new(format!("task:{name}"), Err(reason)));
    }
    checks.push(Check { required: false, ..Check::new("queue", queue) });
    if let Some(status) = (app.signals)() {
        let outcome = match status {
            WakeUpStatus::Connected => Ok(()),
            other => Err(format!("{other}; other nodes are followed by polling")),
        };
        checks.push(Check { required: false, ..Check::new("redis", outcome) });
    }
    let is_ready = checks.iter().all(|check| check.ok || !check.required);
    let (code, status) =
        if is_ready { (StatusCode::OK, "ready") } else { (StatusCode::SERVICE_UNAVAILABLE, "not ready") };
    (code, Json(json!({ "status": status, "checks": checks }))).into_response()
}

async fn head(app: &App) -> Result<LogHead, String> {
    let head = timeout(PATIENCE, app.log.head()).await.map_err(|_| "the log does not answer".to_owned())?;
    head.map_err(|error| error.to_string())
}

/// Chats that wait long are no reason to send visitors elsewhere, but one to tell people.
async fn queue(app: &App) -> Result<(), String> {
    let stats = timeout(PATIENCE, app.queue.stats(app.clock.now())).await;
    let stats = stats.ok().and_then(Result::ok).ok_or_else(|| "cannot be read".to_owned())?;
    let longest = stats.iter().map(|queue| queue.longest_wait_seconds).max().unwrap_or_default();
    if longest < LONG_WAIT {
        return Ok(());
    }
    let waiting: i64 = stats.iter().map(|queue| queue.waiting).sum();
    Err(format!("{waiting} chats wait, the first of them for {longest} seconds"))
}

fn projection(lag: i64, status: &RunnerStatus) -> Result<(), String> {
    match status {
        // The cause may quote what people wrote; it is in the log.
        RunnerStatus::Stopped(reason @ StopReason::Panicked) => Err(reason.to_string()),
        RunnerStatus::Stopped(reason @ StopReason::HistoryForked { .. }) => {
            Err(format!("{reason}: the database was exchanged, and this node has to be started anew"))
        }
        RunnerStatus::Stopped(StopReason::Poison { position, .. }) => {
            Err(format!("stopped at position {position}; the cause is in the log"))
        }
        RunnerStatus::Stopped(reason @ StopReason::Superseded { .. }) => Err(reason.to_string()),
        _ if lag > MOST_BEHIND => Err(format!("{lag} events behind")),
        _ => Ok(()),
    }
}
