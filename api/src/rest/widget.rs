//! The widget's request for a session: it begins a visitor's chat.

use std::sync::Arc;

use application::InstallationKey;
use application::visitors::{NewSession, VisitorSession, session_command_id};
use axum::extract::State;
use axum::response::Response;
use domain::ids::{ConversationId, GroupId, ThreadId, VisitorId};
use domain::text::{EmailAddress, MessageText, Metadata, Name, PhoneNumber};
use domain::visitor::VisitorDetails;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::threads::metadata;
use crate::rest::extract::Write;
use crate::rest::problem::Problem;
use crate::rest::respond::{Answer, Responder};
use crate::rest::values;
use crate::service::reading::Standing;
use crate::service::{Fields, Refusal, Services};

/// A visitor's session to begin, with the first message of its chat.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "SessionInput")]
pub struct SessionRequest {
    /// The visitor's name.
    #[schemars(with = "Option<values::Name>")]
    name: Option<String>,
    /// The visitor's e-mail address.
    #[schemars(with = "Option<values::EmailAddress>")]
    email: Option<String>,
    /// The visitor's telephone number.
    #[schemars(with = "Option<values::PhoneNumber>")]
    phone: Option<String>,
    /// The group that shall serve the chat; the default group when absent.
    #[schemars(with = "Option<values::Id>")]
    group_id: Option<String>,
    /// What they say first.
    #[schemars(with = "values::MessageText")]
    initial_message: String,
    /// What the client wants to have back with the message.
    #[schemars(with = "Option<values::Metadata>")]
    metadata: Option<Value>,
    /// The token of a visitor who returns.
    session_token: Option<String>,
}

struct Introduction {
    details: VisitorDetails,
    group_id: Option<GroupId>,
    text: MessageText,
    metadata: Option<Metadata>,
}

/// A chat that has begun or goes on, and the visitor's token.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "WidgetSession")]
pub struct Session {
    /// The visitor's bearer token. A returning visitor continues an open chat with it.
    session_token: String,
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
        let group_id = fields.id("groupId", self.group_id.as_deref());
        let text = fields.text("initialMessage", &self.initial_message, MessageText::parse);
        let metadata = metadata(&mut fields, self.metadata);
        let text = fields.finish_with(text)?;
        let details = VisitorDetails { name, email, phone };
        Ok(Introduction { details, group_id, text, metadata })
    }
}

pub async fn start_session(
    State(services): State<Arc<Services>>,
    State(responder): State<Responder>,
    State(key): State<InstallationKey>,
    write: Write<SessionRequest>,
) -> Result<Response, Problem> {
    let Write { body, info } = write;
    let known = services.authenticator.returning_visitor(body.session_token.as_deref()).await?;
    let command_id = session_command_id(&key, known, info.idempotency_key.as_deref());
    let command_id = command_id.map_err(|error| Refusal::invalid_field("Idempotency-Key", error.to_string()))?;
    let Introduction { details, group_id, text, metadata } = body.check()?;
    let (repeatable, correlation_id) = (command_id.map(|id| (id, info.digest)), info.request_id.uuid());
    let request = NewSession { known, repeatable, correlation_id, details, group_id, text, metadata };
    let executed = services.visitor_sessions.begin(request).await?;
    let done = services.dispatch.settle(executed, info.wait()).await;
    let (VisitorSession { visitor_id, token, chat }, done) = done.split();
    let mut standing = services.conversations.standing(chat.conversation_id).await?;
    if let Some(command_id) = command_id {
        let answer = Answer::created(&standing)?.of(&done, &info);
        let first = responder.keep_first(&info, command_id, &answer).await?;
        standing = serde_json::from_str(&first).map_err(|error| Refusal::internal(&error))?;
    }
    let (conversation_id, thread_id) = (chat.conversation_id, chat.thread_id);
    let session = Session { session_token: token, visitor_id, conversation_id, thread_id, standing };
    Ok(Answer::created(&session)?.of(&done, &info).into_response())
}
