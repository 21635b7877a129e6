//! The rate limits at this door: which request is which action, and what the answer says about its limit.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::endpoints::endpoints;
use super::extract::bearer_token;
use super::problem::{Problem, has_rate_limit, write_rate_limit};
use super::state::RestState;
use crate::service::Action;

/// The actions of requests by path and method.
pub struct Actions(HashMap<&'static str, Vec<(Method, Action)>>);

impl Actions {
    /// The actions of the table of endpoints.
    pub fn of_endpoints() -> Self {
        let mut actions: HashMap<_, Vec<_>> = HashMap::new();
        for endpoint in endpoints() {
            actions.entry(endpoint.path).or_default().push((endpoint.method, endpoint.action));
        }
        Self(actions)
    }

    /// The action of a request; none where nothing is served. A method that the path does not have counts as a read.
    pub(super) fn find(&self, method: &Method, path: &str) -> Option<Action> {
        let actions = self.0.get(path)?;
        let of = |wanted: &Method| actions.iter().find(|(method, _)| method == wanted).map(|(_, action)| *action);
        of(method).or_else(|| of(&Method::GET))
    }
}

/// Finds the client's address and enters the service with the request, which refuses it beyond its limit before anything
/// else is done for it.
pub async fn limit_requests(
    State((state, actions)): State<(RestState, Arc<Actions>)>,
    mut request: Request,
    next: Next,
) -> Response {
    let address = state.edge.client_of(&request);
    request.extensions_mut().insert(address);
    let path = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let action = actions.find(request.method(), path);
    let entered = state.services.gate.enter(action, bearer_token(request.headers()), address.to_string()).await;
    let entrance = match entered {
        Ok(entrance) => entrance,
        Err(refusal) => return Problem::from(refusal).into_response(),
    };
    let standing = entrance.standing();
    request.extensions_mut().insert(entrance);
    let mut response = next.run(request).await;
    // A handler that has counted more closely has said so.
    if let Some(standing) = standing.filter(|_| !has_rate_limit(response.headers())) {
        write_rate_limit(response.headers_mut(), standing);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_is_the_action_of_its_endpoint() {
        let actions = Actions::of_endpoints();
        let found = |method: Method, path| actions.find(&method, path);
        assert_eq!(found(Method::POST, "/v1/threads/{id}/events"), Some(Action::SendMessage));
        assert_eq!(found(Method::POST, "/v1/conversations/{id}/events"), Some(Action::SendMessage));
        assert_eq!(found(Method::GET, "/v1/threads/{id}/events"), Some(Action::ReadEvents));
        assert_eq!(found(Method::HEAD, "/livez"), Some(Action::CheckHealth));
        assert_eq!(found(Method::POST, "/livez"), Some(Action::CheckHealth));
        assert_eq!(found(Method::GET, "/v1/widget/session"), None);
        assert_eq!(found(Method::GET, ""), None);
    }
}
