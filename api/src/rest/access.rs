//! Admits callers to endpoints, by the actions of these.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::extract::bearer_token;
use super::problem::Problem;
use crate::edge::Edge;
use crate::service::{Access, Action, Services};

/// The guard of one endpoint.
#[derive(Clone)]
pub(super) struct Guard {
    pub services: Arc<Services>,
    pub edge: Arc<Edge>,
    pub action: Action,
}

/// Refuses callers that may not take the action, and hands the caller to the handler.
pub(super) async fn guard(State(guard): State<Guard>, mut request: Request, next: Next) -> Response {
    let token = bearer_token(request.headers());
    if guard.action.access() == Access::Monitor && guard.edge.is_monitor(token) {
        return next.run(request).await;
    }
    if guard.action == Action::FollowStream {
        // The token may come later, in the first frame.
        return next.run(request).await;
    }
    match guard.services.authenticator.admit(guard.action, token).await {
        Ok(caller) => {
            if let Some(caller) = caller {
                request.extensions_mut().insert(caller);
            }
            next.run(request).await
        }
        Err(refusal) => Problem::from(refusal).into_response(),
    }
}
