//! The address of the live stream: what a client asks for is checked here, and the stream itself is another door's.

mod opening;

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use domain::time::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::extract::{BearerToken, Nothing, Query, Write};
use super::problem::Problem;
use crate::edge::Edge;
use crate::live::{self, Context, Proof, Wanted, ensure_allowed};
use crate::service::stream::Issued;
use crate::service::{Action, Caller, Entrance, Refusal, Services};
use opening::Opening;

/// The pause between two heartbeats of server-sent events, in seconds, unless the client asks for another one.
const HEARTBEAT_SECONDS: u64 = 15;

/// The parameters of a stream of server-sent events.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "StreamQuery")]
pub struct StreamQuery {
    /// The position after which the stream begins, `EPOCH:POSITION`; the end of the log if absent. `Last-Event-ID` counts
    /// more.
    after: Option<String>,
    /// The id of the last event, from clients that repeat it here instead of in `Last-Event-ID`. It counts more than `after`.
    last_event_id: Option<String>,
    /// A ticket instead of a token, for server-sent events of clients that cannot send one.
    ticket: Option<String>,
    /// The seconds between two heartbeats, 1 to 60; 15 if absent.
    #[schemars(range(min = 1, max = 60))]
    heartbeat: Option<u64>,
}

/// Opens a stream in the form that the client asks for.
pub async fn open(
    State(services): State<Arc<Services>>,
    State(edge): State<Arc<Edge>>,
    entrance: Entrance,
    Query(query): Query<StreamQuery>,
    opening: Opening,
) -> Result<Response, Problem> {
    let proof = match (&opening.upgrade, &opening.token, &query.ticket) {
        // A WebSocket shows its token in the first frame.
        (Some(_), _, _) => Proof::Token(String::new()),
        (None, None, Some(ticket)) => {
            ensure_allowed(&opening.headers, &edge.cors_origins)?;
            match services.tickets.take(ticket).await {
                Ok(Some(admission)) => Proof::Ticket(admission),
                // The one answer after which browsers do not come back.
                Ok(None) => return Ok(StatusCode::NO_CONTENT.into_response()),
                Err(_) => Proof::UnknownTicket,
            }
        }
        (None, token, _) => {
            entrance.admit(Action::FollowStream).await?;
            Proof::Token(token.clone().unwrap_or_default())
        }
    };
    ensure_allowed(&opening.headers, &edge.cors_origins)?;
    let context = Context { services, edge, connection: opening.connection.clone(), address: opening.address };
    match opening.upgrade {
        Some(upgrade) => Ok(live::accept(*upgrade, context)),
        None if opening.accepts_events => Ok(live::answer(wanted(query, opening, proof)?, context)),
        None => Err(Problem::not_acceptable("Ask for text/event-stream, or open a WebSocket.")),
    }
}

fn wanted(query: StreamQuery, opening: Opening, proof: Proof) -> Result<Wanted, Refusal> {
    let heartbeat = query.heartbeat.unwrap_or(HEARTBEAT_SECONDS);
    if !(1..=60).contains(&heartbeat) {
        return Err(Refusal::invalid_field("heartbeat", "must be 1 to 60"));
    }
    // Clients repeat the query when they come back, and add the id of the last event.
    let last = [opening.last_event_id, query.last_event_id].into_iter().flatten().find(|id| !id.is_empty());
    let after = last.or(query.after);
    Ok(Wanted { proof, after, heartbeat: Duration::from_secs(heartbeat) })
}

/// A ticket for one stream.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "StreamTicket")]
pub struct Ticket {
    /// What `GET /v1/stream?ticket=` takes.
    ticket: String,
    /// The time until which it must be used first.
    use_by: Timestamp,
    /// The time from which it opens nothing, unless the session ends before.
    ends_at: Timestamp,
}

/// Issues a ticket to the bearer of a token.
pub async fn issue_ticket(
    State(services): State<Arc<Services>>,
    caller: Caller,
    BearerToken(token): BearerToken,
    _: Write<Nothing>,
) -> Result<Response, Problem> {
    let Issued { ticket, use_by, ends_at } = services.tickets.issue(&caller, &token).await?;
    Ok(Json(Ticket { ticket, use_by, ends_at }).into_response())
}

/// The AsyncAPI document.
pub async fn asyncapi() -> Json<&'static Value> {
    Json(live::document())
}
