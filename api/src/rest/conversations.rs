//! Conversations: lists, assignment, end and reopening.

use application::UseCaseError;
use application::chat::{AssignAgent, Chooser, CloseChat, Parties, ReopenChat, ensure_readable};
use application::command_bus::{Executed, UseCase};
use application::ports::{Principal, StreamId};
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use domain::agent::Role;
use domain::conversation::{Conversation, ConversationEvent, ConversationStatus};
use domain::ids::ConversationId;
use domain::text::{Name, Note};
use projections::conversations::{ConversationFilter, ConversationOrder, ConversationView, Visibility};
use projections::{Page, QueryError};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::paging;
use crate::app::App;
use crate::extract::{Agent, Caller, Fields, OneId, Query, Write, WriteInfo};
use crate::problem::Problem;
use crate::respond::{Answer, await_position, first_answer, keep_answer, settle};
use crate::views::View;

pub async fn read(
    State(app): State<App>,
    Caller(principal): Caller,
    OneId(id): OneId<ConversationId>,
    headers: HeaderMap,
) -> Result<Json<ConversationView>, Problem> {
    await_position(&app, &headers, &[View::Conversations]).await?;
    let view = view(&app, id).await?;
    let parties = Parties {
        visitor_id: Some(view.visitor.id),
        agent_id: view.assigned_agent_id,
        last_agent_id: view.last_agent_id,
        group_id: Some(view.group_id),
    };
    ensure_readable(&app.bus, principal, parties).await?;
    Ok(Json(view))
}

async fn view(app: &App, id: ConversationId) -> Result<ConversationView, Problem> {
    app.conversations.find_conversation(id).await?.ok_or_else(|| Problem::not_found("conversation"))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ConversationQuery {
    status: Option<String>,
    agent_id: Option<String>,
    group_id: Option<String>,
    tag_id: Option<String>,
    sort: Option<String>,
    limit: Option<String>,
    cursor: Option<String>,
}

pub async fn list(
    State(app): State<App>,
    agent: Agent,
    Query(query): Query<ConversationQuery>,
    headers: HeaderMap,
) -> Result<Json<Page<ConversationView>>, Problem> {
    let mut fields = Fields::default();
    let statuses = "pending, active, closed";
    let status = query.status.as_deref();
    let status = status.and_then(|text| fields.word("status", text, ConversationStatus::parse, statuses));
    let agent_id = fields.id("agentId", query.agent_id.as_deref());
    let group_id = fields.id("groupId", query.group_id.as_deref());
    let tag_id = fields.id("tagId", query.tag_id.as_deref());
    let sort = query.sort.as_deref();
    let order = sort.and_then(|text| fields.word("sort", text, ConversationOrder::parse, "newest, oldest"));
    let limit = paging::limit(&mut fields, query.limit.as_deref());
    let page = paging::page(fields, limit, query.cursor)?;
    await_position(&app, &headers, &[View::Conversations]).await?;
    let visible_to = visible_to(&app, agent).await?;
    let filter = ConversationFilter { status, agent_id, group_id, tag_id, visible_to };
    Ok(Json(app.conversations.list_conversations(&filter, order.unwrap_or_default(), &page).await?))
}

/// Agents see theirs and their groups'; supervisors see all.
async fn visible_to(app: &App, agent: Agent) -> Result<Option<Visibility>, QueryError> {
    if agent.role >= Role::Supervisor {
        return Ok(None);
    }
    let group_ids = app.agents.groups_of(agent.id).await?;
    Ok(Some(Visibility { agent_id: agent.id, group_ids }))
}

/// Carries a change of a conversation out and answers with the conversation.
async fn change<U: UseCase>(
    app: &App,
    principal: Principal,
    id: ConversationId,
    info: &WriteInfo,
    use_case: U,
) -> Result<Response, Problem> {
    let scope = principal.actor();
    if let Some(answer) = first_answer(app, info, &scope).await? {
        return Ok(answer.into_response());
    }
    let executed: Executed<U::Output> = app.bus.execute(info.context(app, principal), use_case).await?;
    settle(app, info, &executed, &[View::Conversations, View::ThreadEvents, View::Agents]).await;
    let answer = Answer::ok(&view(app, id).await?)?.of(&executed, info);
    keep_answer(app, info, &scope, &answer).await;
    Ok(answer.into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Choice {
    agent_id: String,
    reason: Option<String>,
}

pub async fn assign(
    State(app): State<App>,
    agent: Agent,
    OneId(conversation_id): OneId<ConversationId>,
    write: Write<Choice>,
) -> Result<Response, Problem> {
    let Write { body, info } = write;
    let mut fields = Fields::default();
    let agent_id = fields.id("agentId", Some(&body.agent_id));
    let reason = fields.optional("reason", body.reason.as_deref(), Note::parse);
    let agent_id = fields.finish_with(agent_id)?;
    let principal = agent.principal();
    let assign = AssignAgent { conversation_id, agent_id, chooser: Chooser::Person { principal, reason } };
    change(&app, principal, conversation_id, &info, assign).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ending {
    reason: String,
    notes: Option<String>,
}

pub async fn close(
    State(app): State<App>,
    Caller(principal): Caller,
    OneId(conversation_id): OneId<ConversationId>,
    write: Write<Ending>,
) -> Result<Response, Problem> {
    let Write { body, info } = write;
    let mut fields = Fields::default();
    let reason = fields.text("reason", &body.reason, Name::parse);
    let notes = fields.optional("notes", body.notes.as_deref(), Note::parse);
    let reason = fields.finish_with(reason)?;
    let close = CloseChat { principal, conversation_id, reason, notes };
    change(&app, principal, conversation_id, &info, close).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

pub async fn reopen(
    State(app): State<App>,
    Caller(principal): Caller,
    OneId(conversation_id): OneId<ConversationId>,
    write: Write<Nothing>,
) -> Result<Response, Problem> {
    let reopen = ReopenChat { principal, conversation_id };
    change(&app, principal, conversation_id, &write.info, reopen).await
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AssignmentView {
    version: i64,
    agent_id: domain::ids::AgentId,
    previous_agent_id: Option<domain::ids::AgentId>,
    thread_id: domain::ids::ThreadId,
    assignment: domain::conversation::Assignment,
    at: domain::time::Timestamp,
}

/// Every choice of an agent for this conversation, read from its stream: there is nothing to be late.
pub async fn assignments(
    State(app): State<App>,
    agent: Agent,
    OneId(id): OneId<ConversationId>,
) -> Result<Json<Value>, Problem> {
    let conversation = app.bus.read::<Conversation>(id).await?;
    ensure_readable(&app.bus, agent.principal(), Parties::from(&*conversation)).await?;
    let events = app.log.read_stream(StreamId::of::<Conversation>(id), 0).await.map_err(UseCaseError::from)?;
    let mut data = vec![];
    for event in events {
        let decoded = serde_json::from_value(event.payload).map_err(|error| Problem::internal(&error))?;
        if let ConversationEvent::AgentAssigned { agent_id, previous_agent_id, thread_id, assignment, at } = decoded {
            let version = event.sequence;
            data.push(AssignmentView { version, agent_id, previous_agent_id, thread_id, assignment, at });
        }
    }
    Ok(Json(serde_json::json!({ "data": data, "nextCursor": null })))
}
