//! The personal data of a visitor: exported and erased.

use std::sync::Arc;

use application::ports::Position;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use domain::ids::{ConversationId, VisitorId};
use domain::time::Timestamp;
use domain::visitor::VisitorDetails;
use schemars::JsonSchema;
use serde::Serialize;

use crate::rest::extract::{AtLeast, Nothing, OneId, Write};
use crate::rest::problem::Problem;
use crate::rest::respond::Answer;
use crate::service::reading::NamedEvent;
use crate::service::{Caller, Done, Erasure, PersonalDataItem, ReadingItem, Services};

/// The result of an erasure. The numbers count this request: repeated, they are 0.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Erasure")]
pub struct ErasureBody {
    /// The visitor whose data the request is about.
    visitor_id: VisitorId,
    /// The number of stored payloads that were replaced.
    payloads: u64,
    /// The number of messages among them.
    messages: u64,
    /// Whether an open chat of the visitor was closed.
    closed_chat: bool,
    /// The number of deleted answers to requests with an Idempotency-Key.
    answers: u64,
    /// Whether SQLite's write-ahead log holds nothing of the data any more. MySQL is not examined: see the manual about
    /// its logs.
    off_the_disk: bool,
    /// Whether the read models show the erasure. If not, they follow; repeat the request to be sure.
    read_models: bool,
}

/// Everything that is stored about a visitor.
#[derive(JsonSchema)]
#[schemars(rename = "PersonalData", rename_all = "camelCase")]
#[expect(dead_code, reason = "the document is written piece by piece; the type gives its schema")]
pub struct PersonalDataDocument {
    /// The visitor whose data the document holds.
    visitor_id: VisitorId,
    /// The time of the export.
    exported_at: Timestamp,
    /// The last position of the log that the export covers.
    position: Position,
    /// Whether the visitor's personal data was erased.
    erased: bool,
    /// The latest name and contact data of the visitor; empty after an erasure.
    profile: VisitorDetails,
    /// The visitor's events, with every name and contact data that they gave.
    history: Vec<PersonalDataItem>,
    /// The visitor's conversations, oldest first.
    conversations: Vec<PersonalConversation>,
}

/// A conversation of a visitor.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "the document is written piece by piece; the type gives its schema")]
struct PersonalConversation {
    /// A UUID, assigned when the conversation began.
    id: ConversationId,
    /// The conversation's events.
    history: Vec<PersonalDataItem>,
    /// The messages and system events of its threads.
    events: Vec<NamedEvent>,
    /// When the visitor had read how far.
    reads: Vec<ReadingItem>,
}

pub async fn erase(
    State(services): State<Arc<Services>>,
    caller: Caller,
    OneId(visitor_id): OneId<VisitorId>,
    write: Write<Nothing>,
) -> Result<Response, Problem> {
    let info = write.info;
    let erasure = services.visitors.erase(&caller, &info.request(&caller), visitor_id).await?;
    let Erasure { payloads, messages, closed_chat, answers, off_the_disk, read_models, position } = erasure;
    let body = ErasureBody { visitor_id, payloads, messages, closed_chat, answers, off_the_disk, read_models };
    let done = Done { output: (), position, repeated: false, settled: read_models };
    Ok(Answer::ok(&body)?.of(&done, &info).into_response())
}

/// Sends everything of a visitor as it is read. The body ends in the middle when the log cannot be read on: the client
/// sees that it is no JSON.
pub async fn export(
    State(services): State<Arc<Services>>,
    caller: Caller,
    OneId(visitor_id): OneId<VisitorId>,
    at_least: AtLeast,
) -> Result<Response, Problem> {
    let parts = services.visitors.export(&caller, visitor_id, at_least.position()?).await?;
    let mut response = Response::new(Body::from_stream(parts));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}
