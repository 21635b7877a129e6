//! Conversations and messages with the names of their agents and tags, also of deleted ones.

use std::collections::{BTreeMap, BTreeSet};

use application::ports::{AsOf, Principal};
use application::{Entity, UseCaseError};
use domain::agent::Agent;
use domain::ids::{AgentId, ConversationId, EntityId as _, TagId, ThreadId, VisitorId};
use domain::tag::Tag;
use domain::text::{Color, Name};
use futures::future::try_join_all;
use projections::conversations::ConversationView;
use projections::thread_events::{AuthorType, ThreadEventView};
use schemars::JsonSchema;
use serde::Serialize;

use super::{Reading, ReadingError};

/// An agent's id and name.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct AgentLabel {
    /// A UUID, assigned at the registration.
    id: AgentId,
    /// The agent's name.
    name: Name,
}

/// A tag's id, name and colour.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct TagLabel {
    /// A UUID, assigned at the creation.
    id: TagId,
    /// The tag's name.
    name: Name,
    /// The tag's colour as #RRGGBB.
    color: Option<Color>,
}

// It includes the names of agents and tags: visitors may not look them up, and lists do not show deleted ones.
/// A conversation: everything between a visitor and the agents about one matter.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Conversation")]
pub struct NamedConversation {
    #[serde(flatten)]
    view: ConversationView,
    /// The messages of the other side that nobody of the caller's side has seen: for agents those of the visitor, for the
    /// visitor those of agents.
    unread: i64,
    /// The agent who serves the conversation now, with the name, which outlasts a deletion.
    assigned_agent: Option<AgentLabel>,
    /// The agent who serves the conversation or served it last, with the name.
    last_agent: Option<AgentLabel>,
    // Tags are the agents' own words.
    /// The conversation's tags with names and colours, which outlast a deletion; absent for visitors.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Vec<TagLabel>")]
    tags: Option<Vec<TagLabel>>,
}

/// A message or a system event.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ThreadEvent")]
pub struct NamedEvent {
    #[serde(flatten)]
    event: ThreadEventView,
    /// The name of the agent who wrote the message, which outlasts a deletion.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    author_name: Option<Name>,
}

/// A thread of a conversation that a caller has been shown, so that its events may be shown as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShownThread(ThreadId);

impl ShownThread {
    /// Finds its events.
    #[must_use]
    pub const fn id(self) -> ThreadId {
        self.0
    }
}

impl NamedConversation {
    /// The one that is open, or was the last to be.
    #[must_use]
    pub fn last_thread(&self) -> Option<ShownThread> {
        self.view.thread_ids.last().copied().map(ShownThread)
    }
}

impl NamedEvent {
    pub(super) const fn thread_id(&self) -> ThreadId {
        self.event.thread_id
    }
}

/// A conversation's id and visitor, and its state for the visitor and for agents.
pub(in crate::service) type ConversationState = (ConversationId, VisitorId, NamedConversation, NamedConversation);

impl Reading {
    /// The display names, also those of deleted agents; unknown ids are left out.
    pub(super) async fn agent_names(
        &self,
        ids: BTreeSet<AgentId>,
        as_of: AsOf,
    ) -> Result<BTreeMap<AgentId, Name>, UseCaseError> {
        let found = try_join_all(ids.into_iter().map(async |id| {
            let agent = self.bus.read_as_of::<Agent>(id, as_of).await?;
            Ok::<_, UseCaseError>(agent.name.clone().map(|name| (id, name)))
        }));
        Ok(found.await?.into_iter().flatten().collect())
    }

    async fn tag_labels(&self, ids: BTreeSet<TagId>, as_of: AsOf) -> Result<BTreeMap<TagId, TagLabel>, UseCaseError> {
        let found = try_join_all(ids.into_iter().map(async |id| {
            let tag = self.bus.read_as_of::<Tag>(id, as_of).await?;
            Ok::<_, UseCaseError>(tag.name.clone().map(|name| (id, TagLabel { id, name, color: tag.color.clone() })))
        }));
        Ok(found.await?.into_iter().flatten().collect())
    }

    /// Conversations with their names, as the caller may see them.
    pub(super) async fn named_conversations(
        &self,
        principal: Principal,
        views: Vec<ConversationView>,
        as_of: AsOf,
    ) -> Result<Vec<NamedConversation>, ReadingError> {
        self.named(matches!(principal, Principal::Agent { .. }), views, as_of).await
    }

    async fn named(
        &self,
        for_agents: bool,
        views: Vec<ConversationView>,
        as_of: AsOf,
    ) -> Result<Vec<NamedConversation>, ReadingError> {
        let agents = views.iter().flat_map(|view| [view.assigned_agent_id, view.last_agent_id]).flatten().collect();
        let tags = views.iter().filter(|_| for_agents).flat_map(|view| view.tag_ids.iter().copied()).collect();
        let (agents, tags) = tokio::try_join!(self.agent_names(agents, as_of), self.tag_labels(tags, as_of))?;
        let names = Names { agents, tags, for_agents };
        Ok(views.into_iter().map(|view| names.of_conversation(view)).collect())
    }

    /// A conversation with its names, as the caller may see it.
    pub(super) async fn named_conversation(
        &self,
        principal: Principal,
        view: ConversationView,
        as_of: AsOf,
    ) -> Result<NamedConversation, ReadingError> {
        let named = self.named_conversations(principal, vec![view], as_of).await?.pop();
        named.ok_or_else(|| UseCaseError::NotFound(Entity::Conversation).into())
    }

    /// The states of conversations for their visitors and for agents, as far as the view has them.
    pub(in crate::service) async fn conversation_states(
        &self,
        ids: &[ConversationId],
        as_of: AsOf,
    ) -> Result<Vec<ConversationState>, ReadingError> {
        if ids.is_empty() {
            return Ok(vec![]);
        }
        let views = self.conversations.find_conversations(ids).await?;
        let keys: Vec<_> = views.iter().map(|view| (view.id, view.visitor.id)).collect();
        let (for_visitors, for_agents) =
            tokio::try_join!(self.named(false, views.clone(), as_of), self.named(true, views, as_of))?;
        let pairs = for_visitors.into_iter().zip(for_agents);
        Ok(keys.into_iter().zip(pairs).map(|((id, visitor), (one, other))| (id, visitor, one, other)).collect())
    }

    /// Events without an agent's message, which need no names.
    pub(in crate::service) fn nameless_events(events: Vec<ThreadEventView>) -> Vec<NamedEvent> {
        events.into_iter().map(|event| NamedEvent { event, author_name: None }).collect()
    }

    /// The events of a thread with the names of their authors.
    pub(in crate::service) async fn named_events(
        &self,
        events: Vec<ThreadEventView>,
        as_of: AsOf,
    ) -> Result<Vec<NamedEvent>, ReadingError> {
        let names = self.agent_names(events.iter().filter_map(author_of).collect(), as_of).await?;
        let named = events.into_iter().map(|event| {
            let author_name = author_of(&event).and_then(|id| names.get(&id).cloned());
            NamedEvent { event, author_name }
        });
        Ok(named.collect())
    }
}

/// The names of a page of conversations.
struct Names {
    agents: BTreeMap<AgentId, Name>,
    tags: BTreeMap<TagId, TagLabel>,
    for_agents: bool,
}

impl Names {
    fn of_conversation(&self, view: ConversationView) -> NamedConversation {
        let (assigned_agent, last_agent) = (self.agent(view.assigned_agent_id), self.agent(view.last_agent_id));
        let labels = || view.tag_ids.iter().filter_map(|id| self.tags.get(id).cloned()).collect();
        let tags = self.for_agents.then(labels);
        let unread = if self.for_agents { view.unread_by_agents } else { view.unread_by_visitor };
        NamedConversation { view, unread, assigned_agent, last_agent, tags }
    }

    fn agent(&self, id: Option<AgentId>) -> Option<AgentLabel> {
        let id = id?;
        Some(AgentLabel { id, name: self.agents.get(&id)?.clone() })
    }
}

fn author_of(event: &ThreadEventView) -> Option<AgentId> {
    event.author_id.filter(|_| event.author_type == AuthorType::Agent).map(AgentId::from_uuid)
}
