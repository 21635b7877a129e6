//! The REST endpoints. A handler translates, nothing more.

mod access;
mod agent_stats;
mod agents;
mod assignments;
pub(crate) mod audit;
pub(crate) mod auth;
mod bulk;
pub(crate) mod conversation_lists;
mod conversations;
mod docs;
pub mod extract;
mod groups;
mod health;
mod metrics;
pub(crate) mod paging;
pub(crate) mod personal_data;
mod presence;
pub mod problem;
mod queue;
pub mod respond;
mod tags;
pub(crate) mod threads;
pub(crate) mod widget;

use std::time::Duration;

use axum::Router;
use axum::extract::{MatchedPath, Request};
use axum::http::{Method, StatusCode};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use tower::util::option_layer;
use tower_http::catch_panic::CatchPanicLayer;

use access::guard;
pub use access::{Access, Endpoint};

use crate::app::App;
use crate::limits::limit_requests;
use crate::openapi::route as on;
use crate::rest::extract::assign_request_id;
use crate::rest::problem::{Problem, render_problems};

/// After this long a request is given up, wherever it hangs.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// The methods of endpoints, and those that any server knows.
const KNOWN_METHODS: [Method; 7] =
    [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS];

/// All routes with everything around them.
pub fn router(app: App) -> Router {
    let ids = std::sync::Arc::clone(&app.ids);
    let cors = app.cors_origins.layer();
    let mut router = Router::new();
    for Endpoint { path, access, handler, .. } in endpoints() {
        let guarded = handler.handler.route_layer(from_fn_with_state((app.clone(), access), guard));
        router = router.route(path, guarded);
    }
    router
        .fallback(|| async { Problem::not_found("resource") })
        .method_not_allowed_fallback(method_not_allowed)
        .layer(from_fn(limit_time))
        .layer(CatchPanicLayer::custom(after_panic))
        .layer(from_fn_with_state(app.clone(), limit_requests))
        .layer(from_fn(log_request))
        .layer(from_fn(render_problems))
        // Outside of the limits, so that a page can read that it has met one.
        .layer(option_layer(cors))
        .layer(from_fn_with_state(ids, assign_request_id))
        .with_state(app)
}

/// Every endpoint: what is not in this table is not served.
#[must_use]
pub fn endpoints() -> Vec<Endpoint> {
    use Access::{Admin, Agent, Monitor, Participant, Public, Supervisor};
    let get = |path, access, handler| Endpoint { method: Method::GET, path, access, handler };
    let post = |path, access, handler| Endpoint { method: Method::POST, path, access, handler };
    let put = |path, access, handler| Endpoint { method: Method::PUT, path, access, handler };
    let patch = |path, access, handler| Endpoint { method: Method::PATCH, path, access, handler };
    let delete = |path, access, handler| Endpoint { method: Method::DELETE, path, access, handler };
    vec![
        post("/v1/auth/login", Public, on::post(auth::log_in)),
        post("/v1/auth/refresh", Public, on::post(auth::refresh)),
        post("/v1/auth/logout", Agent, on::post(auth::log_out)),
        post("/v1/auth/password", Agent, on::post(auth::change_password)),
        get("/v1/auth/me", Agent, on::get(auth::me)),
        get("/v1/agents", Agent, on::get(agents::list)),
        post("/v1/agents", Admin, on::post(agents::create)),
        get("/v1/agents/{id}", Agent, on::get(agents::read)),
        patch("/v1/agents/{id}", Agent, on::patch(agents::change)),
        delete("/v1/agents/{id}", Admin, on::delete(agents::delete)),
        post("/v1/agents/{id}/restore", Admin, on::post(agents::restore)),
        get("/v1/agents/{id}/stats", Agent, on::get(agent_stats::read)),
        post("/v1/agents/me/heartbeat", Agent, on::post(presence::heartbeat)),
        put("/v1/agents/{id}/status", Agent, on::put(agents::set_status)),
        get("/v1/groups", Agent, on::get(groups::list)),
        post("/v1/groups", Supervisor, on::post(groups::create)),
        get("/v1/groups/{id}", Agent, on::get(groups::read)),
        patch("/v1/groups/{id}", Supervisor, on::patch(groups::change)),
        delete("/v1/groups/{id}", Supervisor, on::delete(groups::delete)),
        post("/v1/groups/{id}/restore", Supervisor, on::post(groups::restore)),
        post("/v1/groups/{id}/agents", Supervisor, on::post(groups::add_agents)),
        delete("/v1/groups/{id}/agents/{agentId}", Supervisor, on::delete(groups::remove_agent)),
        get("/v1/tags", Agent, on::get(tags::list)),
        post("/v1/tags", Supervisor, on::post(tags::create)),
        get("/v1/tags/{id}", Agent, on::get(tags::read)),
        patch("/v1/tags/{id}", Supervisor, on::patch(tags::change)),
        delete("/v1/tags/{id}", Supervisor, on::delete(tags::delete)),
        post("/v1/tags/{id}/restore", Supervisor, on::post(tags::restore)),
        post("/v1/widget/session", Public, on::post(widget::start_session)),
        get("/v1/threads/{id}/events", Participant, on::get(threads::list_events)),
        post("/v1/threads/{id}/events", Participant, on::post(threads::send)),
        get("/v1/conversations", Agent, on::get(conversation_lists::list)),
        get("/v1/conversations/counts", Agent, on::get(conversation_lists::count)),
        post("/v1/conversations/bulk", Agent, on::post(bulk::change)),
        get("/v1/conversations/{id}", Participant, on::get(conversations::read)),
        post("/v1/conversations/{id}/events", Participant, on::post(threads::send_to_conversation)),
        post("/v1/conversations/{id}/assign", Agent, on::post(conversations::assign)),
        post("/v1/conversations/{id}/transfer", Agent, on::post(conversations::transfer)),
        post("/v1/conversations/{id}/close", Participant, on::post(conversations::close)),
        post("/v1/conversations/{id}/reopen", Participant, on::post(conversations::reopen)),
        post("/v1/conversations/{id}/tags", Agent, on::post(conversations::add_tag)),
        delete("/v1/conversations/{id}/tags/{tagId}", Agent, on::delete(conversations::remove_tag)),
        get("/v1/conversations/{id}/assignments", Agent, on::get(assignments::list)),
        get("/v1/queue", Supervisor, on::get(queue::list)),
        get("/v1/queue/stats", Supervisor, on::get(queue::stats)),
        get("/v1/visitors/{id}/personal-data", Admin, on::get(personal_data::export)),
        delete("/v1/visitors/{id}/personal-data", Admin, on::delete(personal_data::erase)),
        get("/v1/audit", Admin, on::get(audit::list)),
        get("/health", Public, on::get(health::health)),
        get("/livez", Public, on::get(health::live)),
        get("/readyz", Public, on::get(health::ready)),
        get("/metrics", Monitor, on::get(metrics::read)),
        get("/openapi.json", Public, on::get(docs::openapi)),
        get("/docs", Public, on::get(docs::page)),
        get("/docs/rapidoc-min.js", Public, on::get(docs::script)),
    ]
}

async fn method_not_allowed() -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "The resource does not have this method.")
}

async fn limit_time(request: Request, next: axum::middleware::Next) -> Response {
    let answer = tokio::time::timeout(REQUEST_TIMEOUT, next.run(request)).await;
    answer.unwrap_or_else(|_| {
        let detail = "The request took too long. Whether a change was made may be unknown.";
        Problem::new(StatusCode::REQUEST_TIMEOUT, "request_timeout", detail).into_response()
    })
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
    let id = request.extensions().get::<crate::rest::extract::RequestId>().cloned().unwrap_or_default();
    let started = std::time::Instant::now();
    let span = tracing::info_span!(
        "request",
        id = id.as_str(),
        correlation_id = %id.uuid(),
        otel.name = format!("{method} {}", route.as_deref().unwrap_or_default()),
        otel.kind = "server",
        http.response.status_code = tracing::field::Empty,
    );
    let response = tracing::Instrument::instrument(next.run(request), span.clone()).await;
    span.record("http.response.status_code", response.status().as_u16());
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

/// Routes, not paths: ids would make every request a series of its own. The same holds for methods that nobody knows.
fn measure(method: &Method, route: Option<&str>, status: StatusCode, took: Duration) {
    let method = if KNOWN_METHODS.contains(method) { method.to_string() } else { "other".to_owned() };
    let labels = [("method", method), ("route", route.unwrap_or("none").to_owned())];
    ::metrics::histogram!("livechatlog_http_request_seconds", &labels).record(took);
    let [method, route] = labels;
    let labels = [method, route, ("status", status.as_str().to_owned())];
    ::metrics::counter!("livechatlog_http_requests_total", &labels).increment(1);
}
