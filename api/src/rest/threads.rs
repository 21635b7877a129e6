//! Messages and system events.

use application::chat::SendMessage;
use application::ports::Principal;
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use domain::ids::{ConversationId, ThreadId};
use domain::text::{ClientEventId, MessageText, Metadata, Name};
use domain::thread::Thread;
use domain::time::Timestamp;
use projections::Page;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::paging;
use crate::app::App;
use crate::openapi::values;
use crate::rest::extract::{AuthenticatedAt, Caller, Fields, OneId, Query, Write, WriteInfo, digest};
use crate::rest::problem::Problem;
use crate::rest::respond::{Answer, await_position_as_of, first_answer, keep_answer, settle};
use crate::service::reading::NamedEvent;
use crate::views::View;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct NewMessage {
    /// Clients send messages; system events are the server's.
    #[schemars(with = "Option<values::SentType>")]
    r#type: Option<String>,
    /// What is said.
    #[schemars(with = "values::MessageText")]
    content: String,
    /// Must agree with the token, if it is given.
    #[schemars(with = "Option<values::ClaimedAuthor>")]
    author_type: Option<String>,
    /// The client's own id of the message: sent again with it, the message is taken once.
    #[schemars(with = "Option<values::ClientEventId>")]
    client_event_id: Option<String>,
    /// What the client wants to have back with the message.
    #[schemars(with = "Option<values::Metadata>")]
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
    #[serde(skip_serializing_if = "Option::is_none")]
    author_name: Option<Name>,
    content: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_event_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<&'a Metadata>,
    created_at: Timestamp,
}

/// Parses the `metadata` of a message, or records what is wrong with it.
pub fn metadata(fields: &mut Fields, value: Option<Value>) -> Option<Metadata> {
    Metadata::parse(value?).map_or_else(|error| fields.refuse("metadata", error.to_string()), Some)
}

pub async fn send(
    State(app): State<App>,
    Caller(principal): Caller,
    OneId(thread_id): OneId<ThreadId>,
    write: Write<NewMessage>,
) -> Result<Response, Problem> {
    let Write { body, info } = write;
    // Before the thread is looked for: who may not know of it must not learn from other refusals that it exists.
    let message = body.check(principal)?;
    let thread = app.bus.peek::<Thread>(thread_id).await?;
    let conversation_id = thread.conversation_id.ok_or_else(|| Problem::not_found("thread"))?;
    take(&app, &info, message.to(principal, conversation_id, Some(thread_id))).await
}

pub async fn send_to_conversation(
    State(app): State<App>,
    Caller(principal): Caller,
    OneId(conversation_id): OneId<ConversationId>,
    write: Write<NewMessage>,
) -> Result<Response, Problem> {
    let Write { body, info } = write;
    let message = body.check(principal)?;
    take(&app, &info, message.to(principal, conversation_id, None)).await
}

async fn take(app: &App, info: &WriteInfo, message: SendMessage) -> Result<Response, Problem> {
    let principal = message.principal;
    let scope = principal.actor();
    // Only so that another request with this key is refused: the log may know the message by its client's id instead.
    first_answer(app, info, &scope).await?;
    let (text, client_event_id, metadata) =
        (message.text.clone(), message.client_event_id.clone(), message.metadata.clone());
    let context = info.context(app, principal);
    let context = match message.command_id() {
        Some(command_id) => context.repeatable(command_id, content_digest(app, &message)),
        None => context,
    };
    let executed = app.bus.execute(context, message).await?;
    settle(app, info, &executed, &[View::ThreadEvents, View::Conversations]).await;
    let receipt = executed.output;
    let (author_type, author_id) = author(principal);
    let sent = MessageBody {
        id: receipt.message_id,
        position: executed.position(),
        thread_id: receipt.thread_id,
        r#type: "message",
        author_type,
        author_id,
        author_name: app.reading.author_name(principal).await?,
        content: text.as_str(),
        client_event_id: client_event_id.as_ref().map(ClientEventId::as_str),
        metadata: metadata.as_ref(),
        created_at: receipt.at,
    };
    let answer = Answer::created(&sent)?.of(&executed, info);
    Ok(keep_answer(app, info, &scope, answer).await?.into_response())
}

/// A message whose fields are valid.
struct Message {
    text: MessageText,
    client_event_id: Option<ClientEventId>,
    metadata: Option<Metadata>,
}

impl NewMessage {
    fn check(self, principal: Principal) -> Result<Message, Problem> {
        let mut fields = Fields::default();
        if self.r#type.as_deref().is_some_and(|kind| kind != "message") {
            fields.refuse::<()>("type", "must be message");
        }
        let claimed = self.author_type.as_deref();
        if claimed.is_some_and(|claimed| !["visitor", "agent", "system"].contains(&claimed)) {
            fields.refuse::<()>("authorType", "must be one of visitor, agent");
        }
        let text = fields.text("content", &self.content, MessageText::parse);
        let client_event_id = fields.optional("clientEventId", self.client_event_id.as_deref(), ClientEventId::parse);
        let metadata = metadata(&mut fields, self.metadata);
        let text = fields.finish_with(text)?;
        if claimed.is_some_and(|claimed| claimed != author(principal).0) {
            return Err(Problem::forbidden("authorType does not match the token."));
        }
        Ok(Message { text, client_event_id, metadata })
    }
}

impl Message {
    fn to(self, principal: Principal, conversation_id: ConversationId, thread_id: Option<ThreadId>) -> SendMessage {
        let Self { text, client_event_id, metadata } = self;
        SendMessage { principal, conversation_id, thread_id, text, client_event_id, metadata }
    }
}

/// What makes a message the same: a client may send it again by another path or with other headers.
fn content_digest(app: &App, message: &SendMessage) -> application::ports::Hash {
    let metadata = message.metadata.as_ref().map(|metadata| metadata.as_value().to_string()).unwrap_or_default();
    digest(&app.digest_key, &[message.text.as_str().as_bytes(), metadata.as_bytes()])
}

fn author(principal: Principal) -> (&'static str, String) {
    match principal {
        Principal::Visitor { id } => ("visitor", id.to_string()),
        Principal::Agent { id, .. } => ("agent", id.to_string()),
    }
}

const POSITION: &str = "must be a position of the log";

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EventsQuery {
    /// Only what came after this position; not together with `cursor`.
    #[schemars(with = "Option<values::Position>")]
    after: Option<String>,
    /// The `nextCursor` of the page before.
    #[schemars(with = "Option<values::NumberedCursor>")]
    cursor: Option<String>,
    /// The most items of the page.
    #[schemars(with = "Option<values::Limit>")]
    limit: Option<String>,
}

pub async fn list_events(
    State(app): State<App>,
    Caller(principal): Caller,
    AuthenticatedAt(as_of): AuthenticatedAt,
    OneId(thread_id): OneId<ThreadId>,
    Query(query): Query<EventsQuery>,
    headers: HeaderMap,
) -> Result<Json<Page<NamedEvent>>, Problem> {
    let mut fields = Fields::default();
    // The cursor of a thread is the position of the last event of the page.
    let after = paging::number(&mut fields, "after", query.after.as_deref(), POSITION);
    let cursor = paging::number(&mut fields, "cursor", query.cursor.as_deref(), POSITION);
    if query.after.is_some() && query.cursor.is_some() {
        fields.refuse::<()>("cursor", "must not be given together with after");
    }
    let limit = paging::limit(&mut fields, query.limit.as_deref());
    let limit = fields.finish_with(limit)?;
    app.reading.ensure_thread_readable(principal, thread_id).await?;
    let as_of = await_position_as_of(&app, &headers, &[View::ThreadEvents], as_of).await?;
    let from = (after.or(cursor).unwrap_or(0), limit);
    Ok(Json(app.reading.list_thread_events(thread_id, from, as_of).await?))
}
