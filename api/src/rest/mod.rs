//! The REST endpoints. A handler translates, nothing more.

mod access;
pub(crate) mod agent_stats;
mod agents;
mod assignments;
pub(crate) mod audit;
pub(crate) mod auth;
pub(crate) mod bulk;
pub(crate) mod conversation_lists;
mod conversations;
mod destination;
mod docs;
pub mod endpoints;
pub mod extract;
mod graphql;
mod groups;
pub(crate) mod health;
mod limits;
pub mod openapi;
pub(crate) mod paging;
pub(crate) mod personal_data;
mod positions;
pub(crate) mod presence;
pub mod problem;
pub(crate) mod queue;
mod recipient;
mod request_id;
pub mod respond;
pub mod route;
mod scrape;
pub mod state;
mod stream;
mod tags;
pub(crate) mod threads;
pub mod values;
pub(crate) mod widget;

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use application::ports::Ids;
use axum::Router;
use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderValue, Method, StatusCode, Version, header};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use tower::util::option_layer;
use tower_http::catch_panic::CatchPanicLayer;

use access::{Guard, guard};
pub use endpoints::endpoints;
use limits::{Actions, limit_requests};
use positions::show_positions;
use problem::{Problem, render_problems};
use request_id::{RequestId, assign_request_id};
pub use route::Endpoint;
pub use state::RestState;

pub use crate::service::Access;
use crate::service::Refusal;

/// The longest time for one request; then it is given up, wherever it hangs.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// The methods of endpoints, and those that any server knows.
const KNOWN_METHODS: [Method; 7] =
    [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS];

/// The OpenAPI document of all endpoints.
#[must_use]
pub fn document() -> &'static Value {
    static DOCUMENT: LazyLock<Value> = LazyLock::new(|| openapi::build(&endpoints()));
    &DOCUMENT
}

/// All endpoints with the layers around them. `pages` need no service: they count towards no limit and say no position.
pub fn router(state: RestState, ids: Arc<dyn Ids>, pages: Router<RestState>) -> Router {
    let cors = state.edge.cors_origins.layer();
    let mut router = Router::new();
    for endpoint in endpoints() {
        let Endpoint { path, action, handler, method, .. } = endpoint;
        let takes_body = method != Method::GET;
        let guarded = Guard { edge: Arc::clone(&state.edge), action, takes_body };
        router = router.route(path, handler.route_layer(from_fn_with_state(guarded, guard)));
    }
    router = router.route(graphql::PATH, graphql::route());
    let counted = (state.clone(), Arc::new(Actions::of_endpoints()));
    router
        .fallback(|| async { Problem::from(Refusal::not_found("resource")) })
        .method_not_allowed_fallback(|| async { Problem::method_not_allowed() })
        .layer(from_fn(ensure_one_host))
        .layer(from_fn(limit_time))
        .layer(CatchPanicLayer::custom(after_panic))
        .layer(from_fn_with_state(counted.clone(), limit_requests))
        .layer(from_fn_with_state(counted, show_positions))
        .merge(pages)
        .layer(from_fn(log_request))
        .layer(from_fn(render_problems))
        .layer(from_fn(mark_private))
        // Outside of the limits, so that a page can read that it has met one.
        .layer(option_layer(cors))
        .layer(from_fn_with_state(ids, assign_request_id))
        .with_state(state)
}

/// Refuses a request without a host or with two (RFC 9112 §3.2): two programs on its way could take it for different ones.
async fn ensure_one_host(request: Request, next: axum::middleware::Next) -> Response {
    let hosts = request.headers().get_all(header::HOST).iter().count();
    let is_missing = hosts == 0 && request.version() == Version::HTTP_11;
    if is_missing || hosts > 1 {
        return Problem::from(Refusal::malformed("The request must have one Host header.")).into_response();
    }
    next.run(request).await
}

/// Answers hold tokens and what people wrote: nothing on their way keeps them, unless they say that it may, and nobody takes
/// them for something else than they say that they are.
async fn mark_private(request: Request, next: axum::middleware::Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.entry(header::X_CONTENT_TYPE_OPTIONS).or_insert(HeaderValue::from_static("nosniff"));
    response
}

async fn limit_time(request: Request, next: axum::middleware::Next) -> Response {
    let answer = tokio::time::timeout(ANSWER_WITHIN, next.run(request)).await;
    answer.unwrap_or_else(|_| Problem::request_timeout().into_response())
}

fn after_panic(_panic: Box<dyn std::any::Any + Send>) -> Response {
    // The panic hook has logged what and where.
    Problem::from(Refusal::internal(&Panicked)).into_response()
}

#[derive(Debug, thiserror::Error)]
#[error("a handler panicked")]
struct Panicked;

/// Logs one line per request: never its query or body, which may hold what people wrote.
async fn log_request(request: Request, next: axum::middleware::Next) -> Response {
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let id = request.extensions().get::<RequestId>().cloned().unwrap_or_default();
    let started = std::time::Instant::now();
    let span = request_span(&request, route.as_deref(), &id);
    let response = tracing::Instrument::instrument(next.run(request), span.clone()).await;
    record_status(&span, response.status());
    measure(&method, route.as_deref(), response.status(), started.elapsed());
    tracing::debug!(
        request = id.as_str(),
        %method,
        route = route.as_deref().unwrap_or("none"),
        status = response.status().as_u16(),
        micros = started.elapsed().as_micros(),
        "request"
    );
    response
}

/// The span of a request, with the attributes of the semantic conventions
/// (<https://opentelemetry.io/docs/specs/semconv/http/http-spans/>). Paths have ids, queries what people search for.
fn request_span(request: &Request, route: Option<&str>, id: &RequestId) -> tracing::Span {
    let method = known_method(request.method());
    let span = tracing::info_span!(
        "request",
        id = id.as_str(),
        correlation_id = tracing::field::Empty,
        otel.name = format!("{method} {}", route.unwrap_or_default()).trim_end(),
        otel.kind = "server",
        otel.status_code = tracing::field::Empty,
        http.request.method = method.as_str(),
        http.route = route,
        url.path = request.uri().path(),
        url.scheme = "http",
        http.response.status_code = tracing::field::Empty,
        error.type = tracing::field::Empty,
    );
    span
}

/// A number as the conventions want it: another integer type would arrive as a text. Refusals are no errors of a server.
fn record_status(span: &tracing::Span, status: StatusCode) {
    span.record("http.response.status_code", i64::from(status.as_u16()));
    if status.is_server_error() {
        span.record("otel.status_code", "ERROR");
        span.record("error.type", status.as_str());
    }
}

fn known_method(method: &Method) -> String {
    if KNOWN_METHODS.contains(method) { method.to_string() } else { "_OTHER".to_owned() }
}

/// Labels with routes, not paths: ids would make every request a series of its own, and so would unknown methods.
fn measure(method: &Method, route: Option<&str>, status: StatusCode, took: Duration) {
    let method = if KNOWN_METHODS.contains(method) { method.to_string() } else { "other".to_owned() };
    let labels = [("method", method), ("route", route.unwrap_or("none").to_owned())];
    ::metrics::histogram!("livechatlog_http_request_seconds", &labels).record(took);
    let [method, route] = labels;
    let labels = [method, route, ("status", status.as_str().to_owned())];
    ::metrics::counter!("livechatlog_http_requests_total", &labels).increment(1);
}
