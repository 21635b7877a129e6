//! Whether the service lives and is ready.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;

use crate::edge::Edge;
use crate::service::{Check, Services};

/// The name and version of the service.
#[derive(Serialize, JsonSchema)]
pub struct Health {
    /// Always `livechatlog`.
    #[schemars(with = "String")]
    service: &'static str,
    /// Always `ok`.
    #[schemars(with = "String")]
    status: &'static str,
    /// The version of the program.
    #[schemars(with = "String")]
    version: &'static str,
}

/// The liveness of the service.
#[derive(Serialize, JsonSchema)]
pub struct Liveness {
    /// Always `ok`.
    #[schemars(with = "String")]
    status: &'static str,
}

/// A permanent failure of a part of the service.
#[derive(Serialize, JsonSchema)]
pub struct Broken {
    /// The parts that have failed; the service needs a restart.
    #[schemars(with = "Vec<String>")]
    ended: Vec<&'static str>,
    /// Always `broken`.
    #[schemars(with = "String")]
    status: &'static str,
}

/// Whether the service can work.
#[derive(Serialize, JsonSchema)]
pub struct Readiness {
    /// The checks and their results.
    checks: Vec<Check>,
    /// `ready` or `not ready`.
    #[schemars(with = "String")]
    status: &'static str,
}

/// Answers with the version of the program, in the form of the original service.
pub async fn health() -> Json<Health> {
    Json(Health { status: "ok", service: "livechatlog", version: env!("CARGO_PKG_VERSION") })
}

/// Says whether the process is worth keeping: not when something in it has broken down for good.
pub async fn live(State(services): State<Arc<Services>>) -> Response {
    let ended = services.vitals.broken();
    if ended.is_empty() {
        return Json(Liveness { status: "ok" }).into_response();
    }
    (StatusCode::SERVICE_UNAVAILABLE, Json(Broken { status: "broken", ended })).into_response()
}

/// Says whether the service can do its work; if not, why not.
pub async fn ready(State(services): State<Arc<Services>>, State(edge): State<Arc<Edge>>) -> Response {
    let mut checks = vec![];
    if edge.is_draining() {
        checks.push(Check::required("shutdown", Err("this node is shutting down".to_owned())));
    }
    checks.extend(services.vitals.checks().await);
    if let Some(hint) = edge.proxy_hints.describe() {
        checks.push(Check::optional("proxies", Err(hint)));
    }
    let is_ready = checks.iter().all(|check| check.ok || !check.required);
    let (code, status) =
        if is_ready { (StatusCode::OK, "ready") } else { (StatusCode::SERVICE_UNAVAILABLE, "not ready") };
    (code, Json(Readiness { status, checks })).into_response()
}
