//! Messages and system events.

use std::sync::Arc;

use crate::service::rows::Page;
use application::chat::ReadReceipt;
use application::ports::Principal;
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use domain::ids::{ConversationId, ThreadId};
use domain::text::{ClientEventId, MessageText, Metadata, Name, is_blank};
use domain::time::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::paging;
use crate::rest::extract::{AtLeast, OneId, Query, Write, required_integer};
use crate::rest::problem::Problem;
use crate::rest::respond::{Answer, Responder};
use crate::rest::values;
use crate::service::reading::NamedEvent;
use crate::service::{Caller, EventsRequest, Fields, NewMessage, Place, Refusal, Services};

/// A message to send.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "MessageInput")]
pub struct MessageRequest {
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
    metadata: Option<Box<RawValue>>,
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
pub fn metadata(fields: &mut Fields, json: Option<&RawValue>) -> Option<Metadata> {
    Metadata::parse(json?.get()).map_or_else(|error| fields.refuse("metadata", error.to_string()), Some)
}

pub async fn send(
    State(services): State<Arc<Services>>,
    State(responder): State<Responder>,
    caller: Caller,
    OneId(thread_id): OneId<ThreadId>,
    write: Write<MessageRequest>,
) -> Result<Response, Problem> {
    take((&services, &responder), caller, Place::Thread(thread_id), write).await
}

pub async fn send_to_conversation(
    State(services): State<Arc<Services>>,
    State(responder): State<Responder>,
    caller: Caller,
    OneId(conversation_id): OneId<ConversationId>,
    write: Write<MessageRequest>,
) -> Result<Response, Problem> {
    take((&services, &responder), caller, Place::Conversation(conversation_id), write).await
}

async fn take(
    (services, responder): (&Services, &Responder),
    caller: Caller,
    place: Place,
    write: Write<MessageRequest>,
) -> Result<Response, Problem> {
    let Write { body, info } = write;
    let scope = caller.principal.actor();
    // Before the thread is looked for: a caller who may not know of it must not learn from other refusals that it exists.
    let message = body.check(caller.principal)?;
    // The kept answer itself is not sent: the log may know the message by its client's id instead.
    responder.ensure_key_is_its_own(&info, &scope).await?;
    let done = services.messages.send(&caller, &info.request(&caller), (place, message.clone())).await?;
    let (author_type, author_id) = author(caller.principal);
    let sent = MessageBody {
        id: done.output.receipt.message_id,
        position: done.position,
        thread_id: done.output.receipt.thread_id,
        r#type: "message",
        author_type,
        author_id,
        author_name: done.output.author_name.clone(),
        content: message.text.as_str(),
        client_event_id: message.client_event_id.as_ref().map(ClientEventId::as_str),
        metadata: message.metadata.as_ref(),
        created_at: done.output.receipt.at,
    };
    let answer = Answer::created(&sent)?.of(&done, &info);
    // Late views do not matter: nothing of the answer comes from them.
    responder.finish(&info, &scope, (answer, true)).await
}

impl MessageRequest {
    fn check(self, principal: Principal) -> Result<NewMessage, Refusal> {
        let mut fields = Fields::default();
        if given(self.r#type.as_deref()).is_some_and(|kind| kind != "message") {
            fields.refuse::<()>("type", "must be message");
        }
        let claimed = given(self.author_type.as_deref());
        if claimed.is_some_and(|claimed| !["visitor", "agent", "system"].contains(&claimed)) {
            fields.refuse::<()>("authorType", "must be one of visitor, agent");
        }
        let text = fields.text("content", &self.content, MessageText::parse);
        let client_event_id = fields.optional("clientEventId", self.client_event_id.as_deref(), ClientEventId::parse);
        let metadata = metadata(&mut fields, self.metadata.as_deref());
        let text = fields.finish_with(text)?;
        if claimed.is_some_and(|claimed| claimed != author(principal).0) {
            return Err(Refusal::forbidden("authorType does not match the token."));
        }
        Ok(NewMessage { text, client_event_id, metadata })
    }
}

/// An empty word is an absent one.
fn given(word: Option<&str>) -> Option<&str> {
    word.filter(|word| !is_blank(word))
}

fn author(principal: Principal) -> (&'static str, String) {
    match principal {
        Principal::Visitor { id } => ("visitor", id.to_string()),
        Principal::Agent { id, .. } => ("agent", id.to_string()),
    }
}

const POSITION: &str = "must be a position of the log";

/// The page of a thread's events.
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
    State(services): State<Arc<Services>>,
    caller: Caller,
    OneId(thread_id): OneId<ThreadId>,
    Query(query): Query<EventsQuery>,
    at_least: AtLeast,
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
    let after = after.or(cursor).unwrap_or(0);
    let request = EventsRequest { thread_id, after, limit, at_least: at_least.position()? };
    Ok(Json(services.conversations.list_events(&caller, request).await?))
}

/// How far the caller has read.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "ReadingMark")]
pub struct ReadingMark {
    /// The position of the last event that the caller has seen.
    #[serde(deserialize_with = "required_integer")]
    #[schemars(with = "values::Position")]
    up_to: i64,
}

/// How far the caller has read, as it is stored.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ReadingProgress")]
pub struct ReadingProgress {
    /// The thread that was read.
    thread_id: ThreadId,
    /// The position of the last message that the caller has seen; 0 if there is none.
    up_to: i64,
}

pub async fn mark_read(
    State(services): State<Arc<Services>>,
    State(responder): State<Responder>,
    caller: Caller,
    OneId(thread_id): OneId<ThreadId>,
    write: Write<ReadingMark>,
) -> Result<Response, Problem> {
    let Write { body, info } = write;
    if body.up_to < 0 {
        return Err(Refusal::invalid_field("upTo", POSITION).into());
    }
    let mark = services.receipts.mark(&caller, thread_id, body.up_to).await?;
    let shown = async |receipt: ReadReceipt| Ok(ReadingProgress { thread_id, up_to: receipt.up_to });
    responder.answer(&caller, &info, mark, shown).await
}
