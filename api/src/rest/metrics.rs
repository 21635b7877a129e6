//! The figures of this process, for Prometheus.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use crate::app::App;

/// <https://prometheus.io/docs/instrumenting/exposition_formats/>
const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

pub async fn read(State(app): State<App>) -> Response {
    let text = app.metrics.render(&app).await;
    ([(header::CONTENT_TYPE, TEXT_FORMAT), (header::CACHE_CONTROL, "no-store")], text).into_response()
}
