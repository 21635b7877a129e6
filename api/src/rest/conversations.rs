//! Conversations: lists, assignment, end and reopening.

use std::sync::Arc;

use application::chat::{AssignAgent, Chooser, CloseChat, IfUnchanged, TagChat, TransferChat};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::ids::{ConversationId, TagId};
use domain::text::{Name, Note};
use schemars::JsonSchema;
use serde::Deserialize;

use super::destination::Destination;
use crate::rest::extract::{AtLeast, KnownVersion, Nothing, OneId, TwoIds, Write, WriteInfo};
use crate::rest::problem::Problem;
use crate::rest::recipient::Recipient;
use crate::rest::respond::Responder;
use crate::rest::values;
use crate::service::reading::NamedConversation;
use crate::service::stream::frames::ActivityState;
use crate::service::{Caller, Entrance, Fields, Services, UseCase};

pub async fn read(
    State(services): State<Arc<Services>>,
    caller: Caller,
    OneId(id): OneId<ConversationId>,
    at_least: AtLeast,
) -> Result<Json<NamedConversation>, Problem> {
    Ok(Json(services.conversations.find(&caller, id, at_least.position()?).await?))
}

/// Makes a change of a conversation and answers with the conversation.
async fn change<U: UseCase>(
    (services, responder): (&Services, &Responder),
    caller: &Caller,
    (id, KnownVersion(known_version)): (ConversationId, KnownVersion),
    info: &WriteInfo,
    use_case: U,
) -> Result<Response, Problem> {
    let principal = caller.principal;
    let use_case = IfUnchanged { principal, conversation_id: id, known_version, change: use_case };
    let changed = async |_| Ok(services.conversations.find_changed(principal, id).await?);
    responder.answer(caller, info, use_case, changed).await
}

/// The agent for a conversation.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "AgentChoice")]
pub struct Choice {
    /// The agent that serves the conversation from now on.
    #[schemars(with = "values::Id")]
    agent_id: String,
    /// Why; it is recorded with the assignment.
    #[schemars(with = "Option<values::OptionalNote>")]
    reason: Option<String>,
}

pub async fn assign(
    State(services): State<Arc<Services>>,
    State(responder): State<Responder>,
    caller: Caller,
    OneId(conversation_id): OneId<ConversationId>,
    known: KnownVersion,
    write: Write<Choice>,
) -> Result<Response, Problem> {
    let Write { body, info } = write;
    let mut fields = Fields::default();
    let agent_id = fields.id("agentId", Some(&body.agent_id));
    let reason = fields.optional("reason", body.reason.as_deref(), Note::parse);
    let agent_id = fields.finish_with(agent_id)?;
    let principal = caller.principal;
    let assign = AssignAgent { conversation_id, agent_id, chooser: Chooser::Person { principal, reason } };
    change((&services, &responder), &caller, (conversation_id, known), &info, assign).await
}

/// To an agent it is an assignment by the caller; in a group's queue the chat waits again.
pub async fn transfer(
    State(services): State<Arc<Services>>,
    State(responder): State<Responder>,
    caller: Caller,
    OneId(conversation_id): OneId<ConversationId>,
    known: KnownVersion,
    write: Write<Destination>,
) -> Result<Response, Problem> {
    let Write { body, info } = write;
    let mut fields = Fields::default();
    let destination = body.check(&mut fields, "");
    let (target, reason) = fields.finish_with(destination)?;
    let (principal, chat) = (caller.principal, (conversation_id, known));
    match target {
        Recipient::Agent(agent_id) => {
            let chooser = Chooser::Transfer { principal, reason };
            let assign = AssignAgent { conversation_id, agent_id, chooser };
            change((&services, &responder), &caller, chat, &info, assign).await
        }
        Recipient::Group(group_id) => {
            let transfer = TransferChat { principal, conversation_id, group_id, reason };
            change((&services, &responder), &caller, chat, &info, transfer).await
        }
    }
}

/// A tag for a conversation.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct TagChoice {
    /// A tag that is not deleted.
    #[schemars(with = "values::Id")]
    tag_id: String,
}

pub async fn add_tag(
    State(services): State<Arc<Services>>,
    State(responder): State<Responder>,
    caller: Caller,
    OneId(conversation_id): OneId<ConversationId>,
    known: KnownVersion,
    write: Write<TagChoice>,
) -> Result<Response, Problem> {
    let mut fields = Fields::default();
    let tag_id = fields.id("tagId", Some(&write.body.tag_id));
    let tag_id = fields.finish_with(tag_id)?;
    let principal = caller.principal;
    let tag = TagChat { principal, conversation_id, tag_id, on: true };
    change((&services, &responder), &caller, (conversation_id, known), &write.info, tag).await
}

pub async fn remove_tag(
    State(services): State<Arc<Services>>,
    State(responder): State<Responder>,
    caller: Caller,
    TwoIds(conversation_id, tag_id): TwoIds<ConversationId, TagId>,
    known: KnownVersion,
    write: Write<Nothing>,
) -> Result<Response, Problem> {
    let principal = caller.principal;
    let tag = TagChat { principal, conversation_id, tag_id, on: false };
    change((&services, &responder), &caller, (conversation_id, known), &write.info, tag).await
}

/// The end of a conversation.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ending {
    /// Why, in a few words.
    #[schemars(with = "values::Name")]
    reason: String,
    /// What the agent wants to remember; visitors neither leave nor see notes.
    #[schemars(with = "Option<values::OptionalNote>")]
    notes: Option<String>,
}

pub async fn close(
    State(services): State<Arc<Services>>,
    State(responder): State<Responder>,
    caller: Caller,
    OneId(conversation_id): OneId<ConversationId>,
    known: KnownVersion,
    write: Write<Ending>,
) -> Result<Response, Problem> {
    let Write { body, info } = write;
    let mut fields = Fields::default();
    let reason = fields.text("reason", &body.reason, Name::parse);
    let notes = fields.optional("notes", body.notes.as_deref(), Note::parse);
    let reason = fields.finish_with(reason)?;
    let principal = caller.principal;
    let close = CloseChat { principal, conversation_id, reason, notes };
    change((&services, &responder), &caller, (conversation_id, known), &info, close).await
}

pub async fn reopen(
    State(services): State<Arc<Services>>,
    State(responder): State<Responder>,
    entrance: Entrance,
    caller: Caller,
    OneId(conversation_id): OneId<ConversationId>,
    KnownVersion(known_version): KnownVersion,
    write: Write<Nothing>,
) -> Result<Response, Problem> {
    let (from, chat) = ((&entrance, &caller), (conversation_id, known_version));
    let execute = async |context| services.arrivals.reopen(from, context, chat).await;
    let changed = async |()| Ok(services.conversations.find_changed(caller.principal, conversation_id).await?);
    responder.answer_executed(&caller, &write.info, execute, changed).await
}

/// Whether the caller writes.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "TypingInput")]
pub struct Typing {
    /// Whether the caller writes.
    state: ActivityState,
    /// What a visitor has written so far; agents see it only if the installation allows it.
    #[schemars(with = "Option<values::Draft>")]
    draft: Option<String>,
}

/// For clients without a stream. Nothing is stored.
pub async fn signal_typing(
    State(services): State<Arc<Services>>,
    caller: Caller,
    OneId(conversation_id): OneId<ConversationId>,
    write: Write<Typing>,
) -> Result<StatusCode, Problem> {
    let Typing { state, draft } = write.body;
    services.activity.type_in(caller.principal, conversation_id, (state, draft.as_deref())).await?;
    Ok(StatusCode::NO_CONTENT)
}
