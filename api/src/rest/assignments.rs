//! Who served a conversation and why, and how it ended.

use application::UseCaseError;
use application::chat::{Parties, ensure_readable};
use application::ports::{AsOf, StreamId};
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use domain::conversation::{Assignment, Conversation, ConversationEvent, Handover, Participant, QueueReason};
use domain::ids::{AgentId, ConversationId, GroupId, ThreadId};
use domain::text::{Name, Note};
use domain::time::Timestamp;
use projections::Page;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{names, paging};
use crate::app::App;
use crate::extract::{Agent, AuthenticatedAt, Fields, OneId, Query};
use crate::openapi::values;
use crate::problem::Problem;
use crate::respond::await_position_as_of;
use crate::views::View;

/// A change of hands, or an end.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AssignmentView {
    version: i64,
    agent_id: Option<AgentId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent_name: Option<Name>,
    previous_agent_id: Option<AgentId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_agent_name: Option<Name>,
    thread_id: Option<ThreadId>,
    assignment: How,
    at: Timestamp,
}

#[derive(Serialize)]
#[serde(untagged)]
enum How {
    Chosen(Assignment),
    Returned(Return),
    Closed(Closing),
}

#[derive(Serialize)]
#[serde(tag = "kind", rename = "returned", rename_all = "camelCase")]
struct Return {
    cause: QueueReason,
    group_id: GroupId,
    #[serde(flatten)]
    handover: Option<Handover>,
}

/// Only agents read it: the notes are theirs.
#[derive(Serialize)]
#[serde(tag = "kind", rename = "closed", rename_all = "camelCase")]
struct Closing {
    closed_by: Participant,
    reason: Name,
    #[serde(skip_serializing_if = "Option::is_none")]
    notes: Option<Note>,
}

impl AssignmentView {
    /// None of what leaves the chat where it is.
    fn of(version: i64, event: ConversationEvent) -> Option<Self> {
        let (agent_id, previous_agent_id, thread_id, assignment, at) = match event {
            ConversationEvent::AgentAssigned { agent_id, previous_agent_id, thread_id, assignment, at } => {
                (Some(agent_id), previous_agent_id, Some(thread_id), How::Chosen(assignment), at)
            }
            ConversationEvent::ChatReturnedToQueue { group_id, previous_agent_id, reason: cause, handover, at } => {
                (None, previous_agent_id, None, How::Returned(Return { cause, group_id, handover }), at)
            }
            ConversationEvent::ChatClosed { by: closed_by, reason, notes, agent_id, thread_id, at } => {
                (None, agent_id, Some(thread_id), How::Closed(Closing { closed_by, reason, notes }), at)
            }
            ConversationEvent::ChatStarted { .. }
            | ConversationEvent::ChatReopened { .. }
            | ConversationEvent::ChatTagged { .. }
            | ConversationEvent::ChatUntagged { .. }
            | ConversationEvent::VisitorCardChanged { .. } => return None,
        };
        let (agent_name, previous_agent_name) = (None, None);
        Some(Self { version, agent_id, agent_name, previous_agent_id, previous_agent_name, thread_id, assignment, at })
    }

    async fn name_agents(app: &App, views: &mut [Self], as_of: AsOf) -> Result<(), Problem> {
        let ids = views.iter().flat_map(|view| [view.agent_id, view.previous_agent_id]);
        let names = names::of_agents(app, ids.flatten().collect(), as_of).await?;
        let name = |id: Option<AgentId>| id.and_then(|id| names.get(&id).cloned());
        for view in views {
            (view.agent_name, view.previous_agent_name) = (name(view.agent_id), name(view.previous_agent_id));
        }
        Ok(())
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AssignmentQuery {
    /// The most items of the page.
    #[schemars(with = "Option<values::Limit>")]
    limit: Option<String>,
    /// The `nextCursor` of the page before.
    #[schemars(with = "Option<values::NumberedCursor>")]
    cursor: Option<String>,
}

/// Every change of hands and every end of this conversation, read from its stream. The cursor is the version of the last one.
pub async fn list(
    State(app): State<App>,
    agent: Agent,
    AuthenticatedAt(as_of): AuthenticatedAt,
    OneId(id): OneId<ConversationId>,
    Query(query): Query<AssignmentQuery>,
    headers: HeaderMap,
) -> Result<Json<Page<AssignmentView>>, Problem> {
    let mut fields = Fields::default();
    let limit = paging::limit(&mut fields, query.limit.as_deref());
    let after = paging::number(&mut fields, "cursor", query.cursor.as_deref(), "must be the nextCursor of a page");
    let limit = fields.finish_with(limit)? as usize;
    let as_of = await_position_as_of(&app, &headers, &[View::Conversations], as_of).await?;
    let conversation = app.bus.read::<Conversation>(id).await?;
    if conversation.visitor_id.is_none() {
        return Err(Problem::not_found("conversation"));
    }
    ensure_readable(&app.bus, agent.principal(), Parties::from(&*conversation)).await?;
    let stream = StreamId::of::<Conversation>(id);
    let events = app.log.read_stream(stream, after.unwrap_or(0)).await.map_err(UseCaseError::from)?;
    let mut data = vec![];
    for event in events {
        let decoded = serde_json::from_value(event.payload).map_err(|error| Problem::internal(&error))?;
        data.extend(AssignmentView::of(event.sequence, decoded));
    }
    let has_more = data.len() > limit;
    data.truncate(limit);
    AssignmentView::name_agents(&app, &mut data, as_of).await?;
    let next_cursor = data.last().filter(|_| has_more).map(|last| last.version.to_string());
    Ok(Json(Page { data, next_cursor }))
}
