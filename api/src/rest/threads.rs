//! Messages and system events.

use application::UseCaseError;
use application::chat::{Parties, SendMessage, ensure_readable};
use application::ports::Principal;
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use domain::conversation::Conversation;
use domain::ids::{ConversationId, ThreadId};
use domain::text::{ClientEventId, MessageText};
use domain::thread::Thread;
use domain::time::Timestamp;
use projections::Page;
use projections::thread_events::ThreadEventView;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::paging;
use crate::app::App;
use crate::extract::{Caller, Fields, OneId, Query, Write, digest};
use crate::problem::Problem;
use crate::respond::{Answer, await_position, settle};
use crate::views::View;

/// The most bytes of a message's or a chat's metadata, as JSON.
const MAX_METADATA_BYTES: usize = 4 * 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct NewMessage {
    r#type: Option<String>,
    content: String,
    author_type: Option<String>,
    client_event_id: Option<String>,
    metadata: Option<Value>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MessageBody<'a> {
    id: domain::ids::EventId,
    position: Option<i64>,
    thread_id: ThreadId,
    r#type: &'static str,
    author_type: &'static str,
    author_id: String,
    content: &'a str,
    client_event_id: Option<&'a str>,
    metadata: Option<&'a Value>,
    created_at: Timestamp,
}

/// Notes what is wrong with metadata, which clients get back as they gave it.
pub fn check_metadata(fields: &mut Fields, metadata: Option<&Value>) {
    let Some(metadata) = metadata else { return };
    if !metadata.is_object() {
        fields.refuse::<()>("metadata", "must be an object");
    } else if metadata.to_string().len() > MAX_METADATA_BYTES {
        fields.refuse::<()>("metadata", format!("must be at most {MAX_METADATA_BYTES} bytes of JSON"));
    }
}

pub async fn send(
    State(app): State<App>,
    Caller(principal): Caller,
    OneId(thread_id): OneId<ThreadId>,
    write: Write<NewMessage>,
) -> Result<Response, Problem> {
    let thread = app.bus.peek::<Thread>(thread_id).await?;
    let conversation_id = thread.conversation_id.ok_or_else(|| Problem::not_found("thread"))?;
    take(&app, principal, conversation_id, Some(thread_id), write).await
}

pub async fn send_to_conversation(
    State(app): State<App>,
    Caller(principal): Caller,
    OneId(conversation_id): OneId<ConversationId>,
    write: Write<NewMessage>,
) -> Result<Response, Problem> {
    take(&app, principal, conversation_id, None, write).await
}

async fn take(
    app: &App,
    principal: Principal,
    conversation_id: ConversationId,
    thread_id: Option<ThreadId>,
    write: Write<NewMessage>,
) -> Result<Response, Problem> {
    let Write { body, info } = write;
    let message = check(body, principal, conversation_id, thread_id)?;
    let (text, client_event_id, metadata) =
        (message.text.clone(), message.client_event_id.clone(), message.metadata.clone());
    let context = info.context(app, principal);
    let context = match message.command_id() {
        Some(command_id) => context.repeatable(command_id, content_digest(&message)),
        None => context,
    };
    let executed = app.bus.execute(context, message).await?;
    settle(app, &info, &executed, &[View::ThreadEvents, View::Conversations]).await;
    let receipt = executed.output;
    let (author_type, author_id) = author(principal);
    let sent = MessageBody {
        id: receipt.message_id,
        position: executed.position(),
        thread_id: receipt.thread_id,
        r#type: "message",
        author_type,
        author_id,
        content: text.as_str(),
        client_event_id: client_event_id.as_ref().map(ClientEventId::as_str),
        metadata: metadata.as_ref(),
        created_at: receipt.at,
    };
    Ok(Answer::created(&sent)?.of(&executed, &info).into_response())
}

fn check(
    body: NewMessage,
    principal: Principal,
    conversation_id: ConversationId,
    thread_id: Option<ThreadId>,
) -> Result<SendMessage, Problem> {
    let mut fields = Fields::default();
    if body.r#type.as_deref().is_some_and(|kind| kind != "message") {
        fields.refuse::<()>("type", "must be message");
    }
    let claimed = body.author_type.as_deref();
    if claimed.is_some_and(|claimed| !["visitor", "agent", "system"].contains(&claimed)) {
        fields.refuse::<()>("authorType", "must be one of visitor, agent");
    }
    let text = fields.text("content", &body.content, MessageText::parse);
    let client_event_id = fields.optional("clientEventId", body.client_event_id.as_deref(), ClientEventId::parse);
    check_metadata(&mut fields, body.metadata.as_ref());
    let text = fields.finish_with(text)?;
    if claimed.is_some_and(|claimed| claimed != author(principal).0) {
        return Err(Problem::forbidden("The author is who the token names; authorType contradicts it."));
    }
    Ok(SendMessage { principal, conversation_id, thread_id, text, client_event_id, metadata: body.metadata })
}

/// What makes a message the same: a client may send it again by another path or with other headers.
fn content_digest(message: &SendMessage) -> application::ports::Hash {
    let metadata = message.metadata.as_ref().map(Value::to_string).unwrap_or_default();
    digest(&[message.text.as_str().as_bytes(), metadata.as_bytes()])
}

fn author(principal: Principal) -> (&'static str, String) {
    match principal {
        Principal::Visitor { id } => ("visitor", id.to_string()),
        Principal::Agent { id, .. } => ("agent", id.to_string()),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventsQuery {
    after: Option<String>,
    cursor: Option<String>,
    limit: Option<String>,
}

pub async fn list_events(
    State(app): State<App>,
    Caller(principal): Caller,
    OneId(thread_id): OneId<ThreadId>,
    Query(query): Query<EventsQuery>,
    headers: HeaderMap,
) -> Result<Json<Page<ThreadEventView>>, Problem> {
    let mut fields = Fields::default();
    let after = position(&mut fields, "after", query.after.as_deref());
    let cursor = position(&mut fields, "cursor", query.cursor.as_deref());
    if query.after.is_some() && query.cursor.is_some() {
        fields.refuse::<()>("cursor", "must not be given together with after");
    }
    let limit = paging::limit(&mut fields, query.limit.as_deref());
    let limit = fields.finish_with(limit)?;
    ensure_thread_readable(&app, principal, thread_id).await?;
    await_position(&app, &headers, &[View::ThreadEvents]).await?;
    Ok(Json(app.threads.list_thread_events(thread_id, after.or(cursor).unwrap_or(0), limit).await?))
}

/// The cursor of a thread is the position of the last event of the page.
fn position(fields: &mut Fields, field: &str, text: Option<&str>) -> Option<i64> {
    let parsed = text?.parse().ok().filter(|position| *position >= 0);
    parsed.or_else(|| fields.refuse(field, "must be a position of the log"))
}

async fn ensure_thread_readable(app: &App, principal: Principal, thread_id: ThreadId) -> Result<(), Problem> {
    // What is asked here never changes, so any state of the thread will do.
    let thread = app.bus.peek::<Thread>(thread_id).await?;
    let hidden = || Problem::not_found("thread");
    let conversation_id = thread.conversation_id.ok_or_else(hidden)?;
    if let Principal::Visitor { id } = principal {
        return if thread.visitor_id == Some(id) { Ok(()) } else { Err(hidden()) };
    }
    let conversation = app.bus.read::<Conversation>(conversation_id).await?;
    match ensure_readable(&app.bus, principal, Parties::from(&*conversation)).await {
        Err(UseCaseError::NotFound(_)) => Err(hidden()),
        other => Ok(other?),
    }
}
