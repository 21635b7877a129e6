//! The widget's request for a session: it begins a visitor's chat.

use std::sync::Arc;

use application::InstallationKey;
use application::ports::Principal;
use application::visitors::{NewSession, VisitorSession, session_command_id};
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::ids::{ConversationId, GroupId, ThreadId, VisitorId};
use domain::text::{ClientEventId, EmailAddress, MessageText, Metadata, Name, PhoneNumber, is_blank};
use domain::visitor::VisitorDetails;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::threads::metadata;
use crate::rest::extract::{Write, WriteInfo};
use crate::rest::problem::{Problem, write_rate_limit};
use crate::rest::respond::{Answer, Responder};
use crate::rest::values;
use crate::service::reading::Standing;
use crate::service::{Arrival, Entrance, Fields, Refusal, Services};

/// A visitor's session to begin, with the first message of its chat.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "SessionInput")]
pub struct SessionRequest {
    /// The visitor's name.
    #[schemars(with = "Option<values::OptionalName>")]
    name: Option<String>,
    /// The visitor's e-mail address.
    #[schemars(with = "Option<values::OptionalEmailAddress>")]
    email: Option<String>,
    /// The visitor's telephone number.
    #[schemars(with = "Option<values::PhoneNumber>")]
    phone: Option<String>,
    /// The group that shall serve the chat; the default group when absent.
    #[schemars(with = "Option<values::Id>")]
    group_id: Option<String>,
    /// The visitor's first message.
    #[schemars(with = "values::MessageText")]
    initial_message: String,
    /// The client's own id of the message: sent again with it to the thread, the message is taken once.
    #[schemars(with = "Option<values::ClientEventId>")]
    client_event_id: Option<String>,
    /// Data that the server returns with the message.
    #[schemars(with = "Option<values::Metadata>")]
    metadata: Option<Box<RawValue>>,
    /// The token of a visitor who returns.
    session_token: Option<String>,
}

struct Introduction {
    details: VisitorDetails,
    group_id: Option<GroupId>,
    text: MessageText,
    client_event_id: Option<ClientEventId>,
    metadata: Option<Metadata>,
}

/// A chat that has begun or goes on, and the visitor's token.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "WidgetSession")]
pub struct Session {
    /// The visitor's bearer token. A returning visitor continues an open chat with it.
    session_token: String,
    /// The lifetime of the token in seconds. Renew it before it ends.
    expires_in: i64,
    /// A UUID; the same in all sessions of the visitor.
    visitor_id: VisitorId,
    /// The conversation that the message has begun or continued.
    conversation_id: ConversationId,
    /// The id of the thread that accepts messages.
    thread_id: ThreadId,
    #[serde(flatten)]
    standing: Standing,
}

impl SessionRequest {
    fn check(self) -> Result<Introduction, Refusal> {
        let mut fields = Fields::default();
        let name = fields.optional("name", self.name.as_deref(), Name::parse);
        let email = fields.optional("email", self.email.as_deref(), EmailAddress::parse);
        let phone = fields.optional("phone", self.phone.as_deref(), PhoneNumber::parse);
        let group_id = fields.optional_id("groupId", self.group_id.as_deref());
        let text = fields.text("initialMessage", &self.initial_message, MessageText::parse);
        let client_event_id = fields.optional("clientEventId", self.client_event_id.as_deref(), ClientEventId::parse);
        let metadata = metadata(&mut fields, self.metadata.as_deref());
        let text = fields.finish_with(text)?;
        let details = VisitorDetails { name, email, phone };
        Ok(Introduction { details, group_id, text, client_event_id, metadata })
    }
}

pub async fn start_session(
    State(services): State<Arc<Services>>,
    State(responder): State<Responder>,
    State(key): State<InstallationKey>,
    entrance: Entrance,
    write: Write<SessionRequest>,
) -> Result<Response, Problem> {
    let Write { mut body, info } = write;
    let session_token = body.session_token.take().filter(|token| !is_blank(token));
    let arrival = services.arrivals.arrive(&entrance, session_token).await?;
    let standing = arrival.standing();
    let begun = begin((&services, &responder, &key), (arrival, body), info).await;
    let mut response = begun.unwrap_or_else(IntoResponse::into_response);
    if let Some(standing) = standing {
        write_rate_limit(response.headers_mut(), standing);
    }
    Ok(response)
}

async fn begin(
    (services, responder, key): (&Services, &Responder, &InstallationKey),
    (arrival, body): (Arrival, SessionRequest),
    info: WriteInfo,
) -> Result<Response, Problem> {
    let known = services.arrivals.recognise(&arrival).await?;
    let command_id = session_command_id(key, known, info.idempotency_key.as_deref());
    let command_id = command_id.map_err(|error| Refusal::invalid_field("Idempotency-Key", error.to_string()))?;
    let Introduction { details, group_id, text, client_event_id, metadata } = body.check()?;
    let (repeatable, request_id) = (command_id.map(|id| (id, info.digest)), info.request_id.uuid());
    let request = NewSession { known, repeatable, request_id, details, group_id, text, client_event_id, metadata };
    let executed = services.arrivals.begin(arrival, request).await?;
    let done = services.dispatch.settle(executed, info.wait()).await;
    let (VisitorSession { visitor_id, token, expires_in, chat }, done) = done.split();
    let mut standing = services.conversations.standing(chat.conversation_id).await?;
    if let Some(command_id) = command_id {
        let visitor = Principal::Visitor { id: visitor_id };
        let answer = Answer::created(&standing)?.of(&done, &info);
        let first = responder.keep_first(&info, (command_id, &visitor.actor()), &answer).await?;
        standing = serde_json::from_str(&first).map_err(|error| Refusal::internal(&error))?;
    }
    let (conversation_id, thread_id) = (chat.conversation_id, chat.thread_id);
    let session = Session { session_token: token, expires_in, visitor_id, conversation_id, thread_id, standing };
    Ok(Answer::created(&session)?.of(&done, &info).into_response())
}

/// A request for a newer token of a visitor's session.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "SessionRenewal")]
pub struct SessionRenewal {
    /// The token of the last answer.
    session_token: String,
}

/// A visitor's new token.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "RenewedSession")]
pub struct RenewedSession {
    /// The visitor's bearer token.
    session_token: String,
    /// The lifetime of the token in seconds.
    expires_in: i64,
    /// A UUID; the same in all sessions of the visitor.
    visitor_id: VisitorId,
}

pub async fn renew_session(
    State(services): State<Arc<Services>>,
    entrance: Entrance,
    write: Write<SessionRenewal>,
) -> Result<Json<RenewedSession>, Problem> {
    let renewed = services.arrivals.renew(&entrance, &write.body.session_token).await?;
    let (visitor_id, session_token, expires_in) = renewed;
    Ok(Json(RenewedSession { session_token, expires_in, visitor_id }))
}
