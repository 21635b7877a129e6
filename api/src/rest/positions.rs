//! Says in each answer of which history it is, and in each read how much of it the answer includes.

use std::sync::Arc;

use axum::extract::{FromRequestParts as _, MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::Response;

use super::extract::AtLeast;
use super::limits::Actions;
use super::state::RestState;
use crate::service::Action;

const EVENT_EPOCH: HeaderName = HeaderName::from_static("event-epoch");
const EVENT_POSITION: HeaderName = HeaderName::from_static("event-position");

/// Adds `Event-Epoch` to every answer and `Event-Position` to reads.
pub async fn show_positions(
    State((state, actions)): State<(RestState, Arc<Actions>)>,
    request: Request,
    next: Next,
) -> Response {
    let positions = &state.services.positions;
    // Before the read: whatever it reads later includes this.
    let shown = read_action(&request, &actions).map(|action| positions.shown(action));
    let (mut parts, body) = request.into_parts();
    let Ok(at_least) = AtLeast::from_request_parts(&mut parts, &()).await;
    let mut response = next.run(Request::from_parts(parts, body)).await;
    let is_done = response.status().is_success();
    let headers = response.headers_mut();
    if let Ok(epoch) = HeaderValue::from_str(&positions.epoch().to_string()) {
        headers.insert(EVENT_EPOCH, epoch);
    }
    if let Some(shown) = shown.filter(|_| is_done) {
        // A read that was to show a position has waited for it.
        let demanded = at_least.position().ok().flatten();
        headers.insert(EVENT_POSITION, HeaderValue::from(demanded.unwrap_or_default().max(shown)));
    }
    response
}

fn read_action(request: &Request, actions: &Actions) -> Option<Action> {
    let path = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str)?;
    let reads = matches!(*request.method(), Method::GET | Method::HEAD) && path.starts_with("/v1/");
    let action = actions.find(&Method::GET, path).filter(|_| reads);
    action.filter(|action| *action != Action::FollowStream)
}
