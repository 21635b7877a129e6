//! The widget's request for a session: it begins a visitor's chat.

use application::visitors::{NewSession, session_command_id};
use axum::extract::State;
use axum::response::Response;
use domain::ids::{ConversationId, GroupId, ThreadId, VisitorId};
use domain::text::{EmailAddress, MessageText, Metadata, Name, PhoneNumber};
use domain::visitor::VisitorDetails;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::threads::metadata;
use crate::app::App;
use crate::openapi::values;
use crate::rest::extract::{Fields, Write, optional_visitor};
use crate::rest::problem::Problem;
use crate::rest::respond::{Answer, keep_first, settle};
use crate::service::reading::Standing;
use crate::views::View;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "NewSession")]
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

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Session {
    session_token: String,
    visitor_id: VisitorId,
    conversation_id: ConversationId,
    thread_id: ThreadId,
    #[serde(flatten)]
    standing: Standing,
}

impl SessionRequest {
    fn check(self) -> Result<Introduction, Problem> {
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

pub async fn start_session(State(app): State<App>, write: Write<SessionRequest>) -> Result<Response, Problem> {
    let Write { body, info } = write;
    let known = optional_visitor(&app, body.session_token.as_deref()).await?;
    let command_id = session_command_id(known, info.idempotency_key.as_deref());
    let command_id = command_id.map_err(|error| Problem::invalid_field("Idempotency-Key", error.to_string()))?;
    let Introduction { details, group_id, text, metadata } = body.check()?;
    let repeatable = command_id.map(|id| (id, info.digest));
    let correlation_id = info.request_id.uuid();
    let request = NewSession { known, repeatable, correlation_id, details, group_id, text, metadata };
    let executed = app.visitor_sessions.begin(request).await?;
    settle(&app, &info, &executed, &[View::Conversations, View::ThreadEvents]).await;
    let chat = executed.output.chat;
    let mut standing = app.reading.standing(chat.conversation_id).await?;
    if let Some(command_id) = command_id {
        let answer = Answer::created(&standing)?.of(&executed, &info);
        let first = keep_first(&app, &info, command_id, &answer).await?;
        standing = serde_json::from_str(&first).map_err(|error| Problem::internal(&error))?;
    }
    let session = Session {
        session_token: executed.output.token.clone(),
        visitor_id: executed.output.visitor_id,
        conversation_id: chat.conversation_id,
        thread_id: chat.thread_id,
        standing,
    };
    Ok(Answer::created(&session)?.of(&executed, &info).into_response())
}
