//! The REST endpoints. A handler translates, nothing more.

mod agents;
mod auth;
mod conversations;
mod health;
mod paging;
mod threads;
mod widget;

use std::time::Duration;

use axum::Router;
use axum::extract::{MatchedPath, Request};
use axum::http::StatusCode;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;

use crate::app::App;
use crate::extract::assign_request_id;
use crate::problem::{Problem, render_problems};

/// After this long a request is given up, wherever it hangs.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// All routes with everything around them.
pub fn router(app: App) -> Router {
    let ids = std::sync::Arc::clone(&app.ids);
    Router::new()
        .route("/v1/auth/login", post(auth::log_in))
        .route("/v1/auth/me", get(auth::me))
        .route("/v1/agents", get(agents::list).post(agents::create))
        .route("/v1/agents/{id}", get(agents::read))
        .route("/v1/agents/{id}/status", put(agents::set_status))
        .route("/v1/groups", get(agents::list_groups))
        .route("/v1/widget/session", post(widget::start_session))
        .route("/v1/threads/{id}/events", get(threads::list_events).post(threads::send))
        .route("/v1/conversations", get(conversations::list))
        .route("/v1/conversations/{id}", get(conversations::read))
        .route("/v1/conversations/{id}/events", post(threads::send_to_conversation))
        .route("/v1/conversations/{id}/assign", post(conversations::assign))
        .route("/v1/conversations/{id}/close", post(conversations::close))
        .route("/v1/conversations/{id}/reopen", post(conversations::reopen))
        .route("/v1/conversations/{id}/assignments", get(conversations::assignments))
        .route("/health", get(health::health))
        .route("/livez", get(health::live))
        .route("/readyz", get(health::ready))
        .fallback(|| async { Problem::not_found("resource") })
        .method_not_allowed_fallback(method_not_allowed)
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, REQUEST_TIMEOUT))
        .layer(CatchPanicLayer::custom(after_panic))
        .layer(from_fn(log_request))
        .layer(from_fn(render_problems))
        .layer(from_fn_with_state(ids, assign_request_id))
        .with_state(app)
}

async fn method_not_allowed() -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "The resource does not have this method.")
}

fn after_panic(_panic: Box<dyn std::any::Any + Send>) -> Response {
    // The panic hook has logged what and where.
    Problem::internal(&Panicked).into_response()
}

#[derive(Debug, thiserror::Error)]
#[error("a handler panicked")]
struct Panicked;

/// One line a request: never its query or body, which may hold what people wrote.
async fn log_request(request: Request, next: axum::middleware::Next) -> Response {
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let id = request.extensions().get::<crate::extract::RequestId>().cloned().unwrap_or_default();
    let started = std::time::Instant::now();
    let span = tracing::info_span!("request", id = id.as_str());
    let response = tracing::Instrument::instrument(next.run(request), span).await;
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
