//! Admits callers to endpoints, by the actions of these.

use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::extract::{bearer_token, entrance, read_body};
use super::problem::Problem;
use crate::edge::Edge;
use crate::service::{Access, Action, Refusal};

/// How many turns of the connection's task a body that came together with its head may take to be read.
const TURNS_AT_ONCE: u32 = 8;

/// The guard of one endpoint.
#[derive(Clone)]
pub(super) struct Guard {
    pub edge: Arc<Edge>,
    pub action: Action,
    /// Whether the endpoint takes a body.
    pub takes_body: bool,
}

/// Refuses callers that may not take the action, and hands the caller to the handler.
pub(super) async fn guard(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    if guard.action.access() == Access::Monitor && guard.edge.is_monitor(bearer_token(request.headers())) {
        return next.run(request).await;
    }
    if guard.action == Action::FollowStream {
        // The token may come later, in the first frame.
        return next.run(request).await;
    }
    match guard.admit(request).await {
        Ok(request) => next.run(request).await,
        Err(refusal) => Problem::from(refusal).into_response(),
    }
}

impl Guard {
    /// The request with its caller. Rights may end while a body is on its way, for as long as its sender likes: a caller who
    /// is refused need not send it, and a caller who is admitted is judged again when it is there.
    async fn admit(&self, request: Request) -> Result<Request, Refusal> {
        let (mut parts, body) = request.into_parts();
        let entrance = entrance(&parts)?;
        let Some(mut caller) = entrance.admit(self.action).await? else {
            return Ok(Request::from_parts(parts, body));
        };
        let mut rest = body;
        if self.takes_body {
            let (bytes, was_late) = read(rest).await?;
            if was_late {
                caller = entrance.admit(self.action).await?.unwrap_or(caller);
            }
            rest = Body::from(bytes);
        }
        parts.extensions.insert(caller);
        Ok(Request::from_parts(parts, rest))
    }
}

/// Reads a body. Also, whether it was still on its way.
async fn read(body: Body) -> Result<(Bytes, bool), Refusal> {
    let mut reading = pin!(read_body(body));
    for _ in 0..TURNS_AT_ONCE {
        if let Poll::Ready(bytes) = futures::poll!(&mut reading) {
            return Ok((bytes?, false));
        }
        tokio::task::yield_now().await;
    }
    Ok((reading.await?, true))
}
