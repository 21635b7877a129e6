//! The address of the live stream: what a client asks for is checked here, and the stream itself is another door's.

mod opening;

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::extract::Query;
use super::problem::Problem;
use crate::edge::Edge;
use crate::live::{self, Context, Wanted, ensure_allowed};
use crate::service::{Action, Refusal, Services};
use opening::Opening;

/// The pause between two heartbeats of server-sent events, in seconds, unless the client asks for another one.
const HEARTBEAT_SECONDS: u64 = 15;

/// The parameters of a stream of server-sent events.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "StreamQuery")]
pub struct StreamQuery {
    /// The position after which the stream begins, `EPOCH:POSITION`; the end of the log if absent. `Last-Event-ID` counts
    /// more.
    after: Option<String>,
    /// The seconds between two heartbeats, 1 to 60; 15 if absent.
    #[schemars(range(min = 1, max = 60))]
    heartbeat: Option<u64>,
}

/// Opens a stream in the form that the client asks for.
pub async fn open(
    State(services): State<Arc<Services>>,
    State(edge): State<Arc<Edge>>,
    Query(query): Query<StreamQuery>,
    opening: Opening,
) -> Result<Response, Problem> {
    if opening.upgrade.is_none() {
        // A WebSocket shows its token in the first frame.
        services.authenticator.admit(Action::FollowStream, opening.token.as_deref()).await?;
    }
    ensure_allowed(&opening.headers, &edge.cors_origins)?;
    let context = Context { services, edge, connection: opening.connection.clone(), address: opening.address };
    match opening.upgrade {
        Some(upgrade) => Ok(live::accept(*upgrade, context)),
        None if opening.accepts_events => Ok(live::answer(wanted(query, opening)?, context)),
        None => Err(Problem::not_acceptable("Ask for text/event-stream, or open a WebSocket.")),
    }
}

fn wanted(query: StreamQuery, opening: Opening) -> Result<Wanted, Refusal> {
    let heartbeat = query.heartbeat.unwrap_or(HEARTBEAT_SECONDS);
    if !(1..=60).contains(&heartbeat) {
        return Err(Refusal::invalid_field("heartbeat", "must be 1 to 60"));
    }
    // Browsers repeat the query when they come back, and add the id of the last event.
    let after = opening.last_event_id.filter(|id| !id.is_empty()).or(query.after);
    Ok(Wanted { token: opening.token.unwrap_or_default(), after, heartbeat: Duration::from_secs(heartbeat) })
}

/// The AsyncAPI document.
pub async fn asyncapi() -> Json<&'static Value> {
    Json(live::document())
}
