//! Whether the service lives and is ready.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::edge::Edge;
use crate::service::{Check, Services};

/// Says that the process answers, in the seed's form.
pub async fn health() -> Response {
    Json(json!({ "status": "ok", "service": "livechatlog", "version": env!("CARGO_PKG_VERSION") })).into_response()
}

/// Says whether the process is worth keeping: not when something in it has broken down for good.
pub async fn live(State(services): State<Arc<Services>>) -> Response {
    let ended = services.vitals.broken();
    if ended.is_empty() {
        return Json(json!({ "status": "ok" })).into_response();
    }
    (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "status": "broken", "ended": ended }))).into_response()
}

/// Says whether the service can do its work; if not, why not.
pub async fn ready(State(services): State<Arc<Services>>, State(edge): State<Arc<Edge>>) -> Response {
    let mut checks = vec![];
    if edge.is_draining() {
        checks.push(Check::required("shutdown", Err("this node is shutting down".to_owned())));
    }
    checks.extend(services.vitals.checks().await);
    let is_ready = checks.iter().all(|check| check.ok || !check.required);
    let (code, status) =
        if is_ready { (StatusCode::OK, "ready") } else { (StatusCode::SERVICE_UNAVAILABLE, "not ready") };
    (code, Json(json!({ "status": status, "checks": checks }))).into_response()
}
