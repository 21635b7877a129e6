//! The figures of this process, as Prometheus scrapes them.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use crate::edge::Edge;
use crate::service::Services;

/// <https://prometheus.io/docs/instrumenting/exposition_formats/>
const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

pub async fn read(State(services): State<Arc<Services>>, State(edge): State<Arc<Edge>>) -> Response {
    let text = edge.metrics.render(&services.vitals).await;
    ([(header::CONTENT_TYPE, TEXT_FORMAT), (header::CACHE_CONTROL, "no-store")], text).into_response()
}
