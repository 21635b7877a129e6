//! The personal data of a visitor: exported and erased.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use domain::ids::VisitorId;
use serde::Serialize;

use crate::rest::extract::{AtLeast, Nothing, OneId, Write};
use crate::rest::problem::Problem;
use crate::rest::respond::Answer;
use crate::service::{CallingAgent, Done, Erasure, Services};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ErasureBody {
    visitor_id: VisitorId,
    payloads: u64,
    messages: u64,
    closed_chat: bool,
    answers: u64,
    off_the_disk: bool,
    read_models: bool,
}

pub async fn erase(
    State(services): State<Arc<Services>>,
    agent: CallingAgent,
    OneId(visitor_id): OneId<VisitorId>,
    write: Write<Nothing>,
) -> Result<Response, Problem> {
    let info = write.info;
    let request = info.request(&agent.principal().actor());
    let erasure = services.visitors.erase(agent, &request, visitor_id).await?;
    let Erasure { payloads, messages, closed_chat, answers, off_the_disk, read_models, position } = erasure;
    let body = ErasureBody { visitor_id, payloads, messages, closed_chat, answers, off_the_disk, read_models };
    let done = Done { output: (), position, repeated: false, settled: read_models };
    Ok(Answer::ok(&body)?.of(&done, &info).into_response())
}

/// Sends everything of a visitor as it is read. The body ends in the middle when the log cannot be read on: the client
/// sees that it is no JSON.
pub async fn export(
    State(services): State<Arc<Services>>,
    OneId(visitor_id): OneId<VisitorId>,
    at_least: AtLeast,
) -> Result<Response, Problem> {
    let parts = services.visitors.export(visitor_id, at_least.position()?).await?;
    let mut response = Response::new(Body::from_stream(parts));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}
