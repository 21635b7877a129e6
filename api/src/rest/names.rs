//! The names of what conversations and messages refer to, also after it was deleted.

use std::collections::{BTreeMap, BTreeSet};

use application::ports::{AsOf, Principal};
use domain::agent::Agent;
use domain::ids::{AgentId, EntityId as _, TagId};
use domain::tag::Tag;
use domain::text::{Color, Name};
use futures::future::try_join_all;
use projections::conversations::ConversationView;
use projections::thread_events::{AuthorType, ThreadEventView};
use serde::Serialize;

use crate::app::App;
use crate::problem::Problem;

/// An agent by name.
#[derive(Clone, Debug, Serialize)]
pub struct AgentLabel {
    id: AgentId,
    name: Name,
}

/// A tag as it is shown.
#[derive(Clone, Debug, Serialize)]
pub struct TagLabel {
    id: TagId,
    name: Name,
    color: Option<Color>,
}

/// A conversation with the names of its agents and tags: visitors cannot look them up, and nobody can when they are deleted.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NamedConversation {
    #[serde(flatten)]
    view: ConversationView,
    assigned_agent: Option<AgentLabel>,
    last_agent: Option<AgentLabel>,
    /// What agents call it is not said to visitors.
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<Vec<TagLabel>>,
}

/// An event of a thread with the name of the agent who wrote it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NamedEvent {
    #[serde(flatten)]
    event: ThreadEventView,
    #[serde(skip_serializing_if = "Option::is_none")]
    author_name: Option<Name>,
}

/// The names of these agents.
pub async fn of_agents(app: &App, ids: BTreeSet<AgentId>, as_of: AsOf) -> Result<BTreeMap<AgentId, Name>, Problem> {
    let found = try_join_all(ids.into_iter().map(|id| of_agent(app, id, as_of))).await?;
    Ok(found.into_iter().flatten().collect())
}

async fn of_agent(app: &App, id: AgentId, as_of: AsOf) -> Result<Option<(AgentId, Name)>, Problem> {
    let agent = app.bus.read_as_of::<Agent>(id, as_of).await?;
    Ok(agent.name.clone().map(|name| (id, name)))
}

async fn of_tags(app: &App, ids: BTreeSet<TagId>, as_of: AsOf) -> Result<BTreeMap<TagId, TagLabel>, Problem> {
    let found = try_join_all(ids.into_iter().map(|id| of_tag(app, id, as_of))).await?;
    Ok(found.into_iter().flatten().collect())
}

async fn of_tag(app: &App, id: TagId, as_of: AsOf) -> Result<Option<(TagId, TagLabel)>, Problem> {
    let tag = app.bus.read_as_of::<Tag>(id, as_of).await?;
    Ok(tag.name.clone().map(|name| (id, TagLabel { id, name, color: tag.color.clone() })))
}

/// Conversations with their names, for whoever asks.
pub async fn of_conversations(
    app: &App,
    principal: Principal,
    views: Vec<ConversationView>,
    as_of: AsOf,
) -> Result<Vec<NamedConversation>, Problem> {
    let shows_tags = matches!(principal, Principal::Agent { .. });
    let agents = views.iter().flat_map(|view| [view.assigned_agent_id, view.last_agent_id]).flatten().collect();
    let tags = views.iter().filter(|_| shows_tags).flat_map(|view| view.tag_ids.iter().copied()).collect();
    let (agents, tags) = tokio::try_join!(of_agents(app, agents, as_of), of_tags(app, tags, as_of))?;
    let label = |id: Option<AgentId>| id.and_then(|id| Some(AgentLabel { id, name: agents.get(&id)?.clone() }));
    let named = views.into_iter().map(|view| {
        let (assigned_agent, last_agent) = (label(view.assigned_agent_id), label(view.last_agent_id));
        let tags = shows_tags.then(|| view.tag_ids.iter().filter_map(|id| tags.get(id).cloned()).collect());
        NamedConversation { view, assigned_agent, last_agent, tags }
    });
    Ok(named.collect())
}

/// A conversation with its names, for whoever asks.
pub async fn of_conversation(
    app: &App,
    principal: Principal,
    view: ConversationView,
    as_of: AsOf,
) -> Result<NamedConversation, Problem> {
    let named = of_conversations(app, principal, vec![view], as_of).await?.pop();
    named.ok_or_else(|| Problem::not_found("conversation"))
}

/// The events of a thread with their authors' names.
pub async fn of_events(app: &App, events: Vec<ThreadEventView>, as_of: AsOf) -> Result<Vec<NamedEvent>, Problem> {
    let names = of_agents(app, events.iter().filter_map(agent_of).collect(), as_of).await?;
    let named = events.into_iter().map(|event| {
        let author_name = agent_of(&event).and_then(|id| names.get(&id).cloned());
        NamedEvent { event, author_name }
    });
    Ok(named.collect())
}

fn agent_of(event: &ThreadEventView) -> Option<AgentId> {
    event.author_id.filter(|_| event.author_type == AuthorType::Agent).map(AgentId::from_uuid)
}
