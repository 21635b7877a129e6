use axum::extract::FromRequestParts;
use axum::extract::ws::WebSocketUpgrade;
use axum::http::header::{ACCEPT, UPGRADE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue};

use crate::rest::extract::bearer_token;
use crate::rest::problem::Problem;
use crate::rest::route::Input;
use crate::server::OpenConnection;
use crate::server::client_address::ClientAddress;
use crate::service::Refusal;

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// A request for a stream.
pub struct Opening {
    pub(super) headers: HeaderMap,
    /// Present if the client asks for a WebSocket.
    pub(super) upgrade: Option<Box<WebSocketUpgrade>>,
    /// Absent if the request comes through no connection of the server.
    pub(super) connection: Option<OpenConnection>,
    pub(super) address: ClientAddress,
    /// The token of the Authorization header.
    pub(super) token: Option<String>,
    /// Whether the client takes server-sent events.
    pub(super) accepts_events: bool,
    /// The id of the last event that the client has.
    pub(super) last_event_id: Option<String>,
}

impl Input for Opening {}

impl<S: Send + Sync> FromRequestParts<S> for Opening {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Ok(address) = ClientAddress::from_request_parts(parts, state).await;
        let upgrade = match parts.headers.contains_key(UPGRADE) {
            true => Some(upgrade(parts, state).await?),
            false => None,
        };
        let connection = parts.extensions.get::<OpenConnection>().cloned();
        let headers = parts.headers.clone();
        let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        let accepts_events = text(ACCEPT).is_some_and(|types| types.contains("text/event-stream"));
        let (token, last_event_id) =
            (bearer_token(&headers).map(str::to_owned), text(LAST_EVENT_ID).map(str::to_owned));
        Ok(Self { upgrade, connection, address, token, accepts_events, last_event_id, headers })
    }
}

async fn upgrade<S: Send + Sync>(parts: &mut Parts, state: &S) -> Result<Box<WebSocketUpgrade>, Problem> {
    let upgrade = <WebSocketUpgrade as FromRequestParts<S>>::from_request_parts(parts, state).await;
    let upgrade = upgrade.map_err(|rejection| Refusal::malformed(format!("{}.", rejection.body_text())))?;
    Ok(Box::new(upgrade))
}
