//! What events show besides themselves: states from the views and names from the log, read once for a run of events.

use std::collections::{BTreeMap, BTreeSet};

use application::chat::Parties;
use application::ports::{LogEvent, Position};
use domain::agent::AgentEvent;
use domain::event::AnyEvent;
use domain::ids::{AgentId, ConversationId, EntityId as _, GroupId, TagId, ThreadId, VisitorId};
use domain::thread::ThreadEvent;
use domain::visitor::VisitorEvent;
use domain::workspace::WorkspaceEvent;
use projections::conversations::SeenUpTo;

use super::change::{Body, Change, Ends, Scope, small};
use super::frames::{Content, ErasedVisitor, Kind, Reading, Thing};
use super::history::Stage;

/// The things whose states a run of events shows.
#[derive(Debug, Default)]
pub(super) struct Needs {
    pub(super) conversations: BTreeSet<ConversationId>,
    pub(super) agents: BTreeSet<AgentId>,
    pub(super) groups: BTreeSet<GroupId>,
    pub(super) tags: BTreeSet<TagId>,
    /// The agents who have a new name: visitors of their chats see it.
    pub(super) renamed: BTreeSet<AgentId>,
    /// The conversations of erased visitors.
    pub(super) erased: BTreeSet<ConversationId>,
    /// The position at which the views must have the states.
    pub(super) position: Position,
}

impl Needs {
    pub(super) fn of<'a>(events: impl Iterator<Item = &'a LogEvent>) -> Self {
        let mut needs = Self::default();
        for event in events {
            needs.add(event);
        }
        needs
    }

    fn add(&mut self, event: &LogEvent) {
        let id = event.header.aggregate_id;
        match &event.event {
            AnyEvent::Conversation(_) => drop(self.conversations.insert(ConversationId::from_uuid(id))),
            AnyEvent::Agent(change) => {
                self.agents.insert(AgentId::from_uuid(id));
                if matches!(change, AgentEvent::ProfileChanged { .. }) {
                    self.renamed.insert(AgentId::from_uuid(id));
                }
            }
            AnyEvent::Group(_) => drop(self.groups.insert(GroupId::from_uuid(id))),
            AnyEvent::Tag(_) => drop(self.tags.insert(TagId::from_uuid(id))),
            AnyEvent::Workspace(WorkspaceEvent::DefaultGroupChosen { group_id, .. }) => {
                self.groups.insert(*group_id);
            }
            AnyEvent::Visitor(VisitorEvent::PersonalDataErased { conversation_ids, .. }) => {
                self.erased.extend(conversation_ids);
                return;
            }
            AnyEvent::Visitor(_)
            | AnyEvent::Thread(_)
            | AnyEvent::EmailClaim(_)
            | AnyEvent::TagNameClaim(_)
            | AnyEvent::Workspace(WorkspaceEvent::AdminAppointed { .. } | WorkspaceEvent::AdminDismissed { .. }) => {
                return;
            }
        }
        self.position = event.header.position;
    }
}

/// A conversation's state for its visitor and for agents.
#[derive(Debug)]
pub(super) struct ConversationState {
    pub(super) visitor_id: VisitorId,
    pub(super) visitor: Body,
    pub(super) agents: Body,
}

/// What a run of events shows, rendered.
#[derive(Debug, Default)]
pub(super) struct Prepared {
    pub(super) conversations: BTreeMap<ConversationId, ConversationState>,
    pub(super) agents: BTreeMap<AgentId, Body>,
    pub(super) groups: BTreeMap<GroupId, Body>,
    pub(super) tags: BTreeMap<TagId, Body>,
    /// The chats of agents who have a new name.
    pub(super) slots: BTreeMap<AgentId, Vec<ConversationId>>,
    /// The parties of erased visitors' conversations.
    pub(super) erased: BTreeMap<ConversationId, Parties>,
    /// Messages and system events by position.
    pub(super) thread_events: BTreeMap<Position, Body>,
}

impl Prepared {
    /// An event as a change; `None` if it means nothing to anybody.
    pub(super) fn change(&self, event: &LogEvent, stage: Stage) -> Option<Change> {
        let (scope, ends) = (self.scope(event, stage).unwrap_or(Scope::Nobody), ends(event));
        let matters = ends.is_some() || !matches!(scope, Scope::Nobody);
        matters.then_some(Change { position: event.header.position, scope, ends })
    }

    fn scope(&self, event: &LogEvent, stage: Stage) -> Option<Scope> {
        let id = event.header.aggregate_id;
        match &event.event {
            AnyEvent::Thread(ThreadEvent::MessagesRead { conversation_id, reader, up_to, unread, .. }) => {
                let reader = SeenUpTo { position: *up_to, ..(*reader).into() };
                let data = Reading { thread_id: ThreadId::from_uuid(id), reader, unread: *unread };
                Some(of_both_sides(stage, &small(&Content::Read { conversation_id: *conversation_id, data })))
            }
            AnyEvent::Thread(_) => Some(of_both_sides(stage, self.thread_events.get(&event.header.position)?)),
            AnyEvent::Conversation(_) => Some(self.conversation(ConversationId::from_uuid(id), stage)),
            AnyEvent::Agent(_) => self.agent(AgentId::from_uuid(id)),
            AnyEvent::Group(_) => staff(self.groups.get(&GroupId::from_uuid(id))),
            AnyEvent::Tag(_) => staff(self.tags.get(&TagId::from_uuid(id))),
            AnyEvent::Workspace(WorkspaceEvent::DefaultGroupChosen { group_id, .. }) => {
                staff(self.groups.get(group_id))
            }
            AnyEvent::Visitor(VisitorEvent::PersonalDataErased { conversation_ids, .. }) => {
                let conversations = conversation_ids.iter().filter_map(|id| self.erased.get(id).copied()).collect();
                let data = ErasedVisitor { visitor_id: VisitorId::from_uuid(id) };
                Some(Scope::Erased { conversations, agents: small(&Content::Erased { data }) })
            }
            AnyEvent::Visitor(_)
            | AnyEvent::EmailClaim(_)
            | AnyEvent::TagNameClaim(_)
            | AnyEvent::Workspace(WorkspaceEvent::AdminAppointed { .. } | WorkspaceEvent::AdminDismissed { .. }) => {
                None
            }
        }
    }

    fn conversation(&self, id: ConversationId, Stage { before, now }: Stage) -> Scope {
        let thing = Thing { kind: Kind::Conversation, id: id.uuid() };
        let removed = before.filter(|before| *before != now).map(|_| small(&Content::Removed { data: thing }));
        let changed = || small(&Content::Changed { data: thing });
        let (visitor, agents) = match self.conversations.get(&id) {
            Some(state) => (Body::clone(&state.visitor), Body::clone(&state.agents)),
            // Nobody who reads this may see its state.
            None => (changed(), changed()),
        };
        Scope::Conversation { before, now, visitor, agents, removed }
    }

    fn agent(&self, id: AgentId) -> Option<Scope> {
        let agents = Body::clone(self.agents.get(&id)?);
        let chats = self.slots.get(&id).into_iter().flatten().filter_map(|chat| self.conversations.get(chat));
        let visitors = chats.map(|state| (state.visitor_id, Body::clone(&state.visitor))).collect();
        Some(Scope::Staff { agents, visitors })
    }
}

/// What the visitor and the agents of a conversation see alike.
fn of_both_sides(stage: Stage, body: &Body) -> Scope {
    let (visitor, agents) = (Body::clone(body), Body::clone(body));
    Scope::Conversation { before: None, now: stage.now, visitor, agents, removed: None }
}

fn staff(agents: Option<&Body>) -> Option<Scope> {
    Some(Scope::Staff { agents: Body::clone(agents?), visitors: vec![] })
}

/// The readers whose rights an event changes.
pub(super) fn ends(event: &LogEvent) -> Option<Ends> {
    use domain::group::GroupEvent;
    let id = event.header.aggregate_id;
    match &event.event {
        AnyEvent::Visitor(VisitorEvent::PersonalDataErased { .. }) => Some(Ends::Erased(VisitorId::from_uuid(id))),
        AnyEvent::Agent(AgentEvent::AgentDeleted { .. }) => Some(Ends::Deleted(AgentId::from_uuid(id))),
        AnyEvent::Agent(AgentEvent::RoleChanged { .. }) => Some(Ends::Role(AgentId::from_uuid(id))),
        AnyEvent::Group(GroupEvent::AgentsAdded { agent_ids, .. }) => {
            Some(Ends::Groups(agent_ids.iter().copied().collect()))
        }
        AnyEvent::Group(GroupEvent::AgentRemoved { agent_id, .. }) => Some(Ends::Groups(vec![*agent_id])),
        AnyEvent::Visitor(_)
        | AnyEvent::Agent(_)
        | AnyEvent::Group(_)
        | AnyEvent::Conversation(_)
        | AnyEvent::Thread(_)
        | AnyEvent::Tag(_)
        | AnyEvent::EmailClaim(_)
        | AnyEvent::TagNameClaim(_)
        | AnyEvent::Workspace(_) => None,
    }
}

/// Whether an event erases words in earlier ones.
pub(super) const fn erases(event: &LogEvent) -> bool {
    matches!(event.event, AnyEvent::Visitor(VisitorEvent::PersonalDataErased { .. }))
}
