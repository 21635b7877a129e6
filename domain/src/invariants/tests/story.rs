//! Logs of a small company, append by append.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::super::{Invariants, Recorded, Violation};
use crate::agent::{AgentEvent, AgentStatus, ChatLimit, EmailClaimEvent, Role, StatusCause};
use crate::aggregate::AggregateType;
use crate::conversation::{Assignment, ConversationEvent, Participant, QueueReason, VisitorCard};
use crate::event::AnyEvent;
use crate::fixtures::{
    ANNA, BERT, CHAT, MESSAGE, NEXT_THREAD, SALES, SUPPORT, THREAD, VERA, VIP, at, decision, email, name,
};
use crate::group::GroupEvent;
use crate::ids::{
    AgentId, CommandId, ConversationId, EmailClaimId, EntityId, GroupId, TagId, TagNameClaimId, ThreadId, VisitorId,
    WorkspaceId,
};
use crate::routing::{RoutingState, RoutingStrategy};
use crate::tag::{TagEvent, TagNameClaimEvent};
use crate::text::MessageText;
use crate::thread::{GroupChangeReason, JoinCause, LeaveReason, ThreadEvent};
use crate::time::Timestamp;
use crate::visitor::{VisitorDetails, VisitorEvent};
use crate::workspace::WorkspaceEvent;

pub type Entry = (Uuid, AnyEvent);

/// An event as the log has it; tests change what they like.
#[derive(Clone, Debug)]
pub struct Line {
    pub position: i64,
    pub sequence: i64,
    pub recorded_at: Timestamp,
    command: u128,
    id: Uuid,
    pub event: AnyEvent,
}

#[derive(Clone, Debug, Default)]
pub struct Story {
    pub lines: Vec<Line>,
    sequences: BTreeMap<(AggregateType, Uuid), i64>,
    appends: u128,
    /// Whether the queues are lost before the last append.
    pub forgets_queues: bool,
}

impl Story {
    /// Anna is the admin, Bert an agent, Sales the default group of both.
    pub fn of_a_team() -> Self {
        let mut story = Self::default();
        story.append([
            group(
                SALES,
                GroupEvent::GroupCreated { name: name("Sales"), description: None, strategy: STRATEGY, at: at(0) },
            ),
            group(SALES, GroupEvent::AgentsAdded { agent_ids: [ANNA].into(), at: at(0) }),
            workspace(WorkspaceEvent::DefaultGroupChosen { group_id: SALES, at: at(0) }),
            workspace(WorkspaceEvent::AdminAppointed { agent_id: ANNA, at: at(0) }),
            owns(ANNA, "anna@example.com"),
            registered(ANNA, "anna@example.com", Role::Admin),
        ]);
        story.append([
            owns(BERT, "bert@example.com"),
            registered(BERT, "bert@example.com", Role::Agent),
            group(SALES, GroupEvent::AgentsAdded { agent_ids: [BERT].into(), at: at(0) }),
        ]);
        for agent_id in [ANNA, BERT] {
            story.append([status(agent_id, AgentStatus::Online)]);
        }
        let created = TagEvent::TagCreated { name: name("VIP"), color: None, at: at(0) };
        story.append([names(VIP, "VIP"), (VIP.uuid(), AnyEvent::Tag(created))]);
        story
    }

    /// Vera waits.
    pub fn of_a_wait() -> Self {
        let mut story = Self::of_a_team();
        let begins = VisitorEvent::VisitorRegistered { details: VisitorDetails::default(), at: at(1) };
        let mut entries = vec![visitor(VERA, begins)];
        entries.extend(started(VERA, CHAT, THREAD));
        story.append(entries);
        story
    }

    /// Anna serves Vera.
    pub fn of_a_chat() -> Self {
        let mut story = Self::of_a_wait();
        story.append(routed(CHAT, THREAD, ANNA));
        story
    }

    /// Anna served Vera.
    pub fn of_the_past() -> Self {
        let mut story = Self::of_a_chat();
        story.append(closed(CHAT, THREAD, Some(ANNA)));
        story
    }

    /// Nearly everything that may happen.
    pub fn of_a_day() -> Self {
        let mut story = Self::of_a_chat();
        story.append([message(THREAD, VERA)]);
        let (reader, up_to) = (Participant::Agent(ANNA), story.end());
        let read = ThreadEvent::MessagesRead { conversation_id: CHAT, reader, up_to, unread: 0, at: at(2) };
        story.append([thread(THREAD, read)]);
        story.append([tagged(CHAT, VIP)]);
        story.append(assigned(CHAT, THREAD, Some(ANNA), BERT));
        let created =
            GroupEvent::GroupCreated { name: name("Support"), description: None, strategy: STRATEGY, at: at(2) };
        story.append([group(SUPPORT, created)]);
        story.append([group(SUPPORT, GroupEvent::AgentsAdded { agent_ids: [ANNA].into(), at: at(2) })]);
        let reason = QueueReason::Transferred;
        let back = ConversationEvent::ChatReturnedToQueue {
            group_id: SUPPORT,
            previous_agent_id: Some(BERT),
            reason,
            handover: None,
            at: at(2),
        };
        let (group_id, reason) = (SUPPORT, GroupChangeReason::Transferred);
        let moved = ThreadEvent::GroupChanged { group_id, previous_group_id: SALES, reason, at: at(2) };
        story.append([
            chat(CHAT, back),
            freed(BERT, CHAT),
            left(THREAD, BERT, LeaveReason::Transferred),
            thread(THREAD, moved),
        ]);
        story.append(routed(CHAT, THREAD, ANNA));
        story.append(
            [status(ANNA, AgentStatus::Offline), freed(ANNA, CHAT)]
                .into_iter()
                .chain([chat(CHAT, returned(ANNA, SUPPORT)), left(THREAD, ANNA, LeaveReason::AgentOffline)]),
        );
        story.append(closed(CHAT, THREAD, None));
        story.append(reopened(CHAT, THREAD, NEXT_THREAD, SUPPORT));
        story.append(closed(CHAT, NEXT_THREAD, None));
        story.append([deleted(BERT), gives_back(BERT, "bert@example.com")]);
        story.append([agent(BERT, AgentEvent::AgentRestored { at: at(3) }), owns(BERT, "bert@example.com")]);
        story
    }

    pub fn append(&mut self, entries: impl IntoIterator<Item = Entry>) {
        self.appends += 1;
        for (id, event) in entries {
            let sequence = self.sequences.entry((kind(&event), id)).or_default();
            *sequence += 1;
            let position = self.lines.len() as i64 + 1;
            let (sequence, command) = (*sequence, self.appends);
            self.lines.push(Line { position, sequence, recorded_at: at(position), command, id, event });
        }
    }

    /// The story with one more append.
    pub fn with(mut self, entries: impl IntoIterator<Item = Entry>) -> Self {
        self.append(entries);
        self
    }

    pub fn end(&self) -> i64 {
        self.lines.len() as i64
    }

    pub fn len(&self) -> usize {
        self.appends as usize
    }

    pub fn first(&self, appends: usize) -> Self {
        let lines = self.lines.iter().filter(|line| line.command <= appends as u128).cloned().collect();
        Self { lines, ..Self::default() }
    }

    pub fn last(&mut self) -> &mut Line {
        self.lines.last_mut().unwrap()
    }

    pub fn violations(&self) -> Vec<Violation> {
        let mut invariants = Invariants::default();
        let mut found = vec![];
        for line in &self.lines {
            if self.forgets_queues && line.command == self.appends {
                invariants.routing = RoutingState::default();
            }
            found.extend(invariants.enter(&line.recorded()));
        }
        found.extend(invariants.finish());
        found
    }
}

impl Line {
    fn recorded(&self) -> Recorded<'_> {
        Recorded {
            position: self.position,
            kind: kind(&self.event),
            id: self.id,
            sequence: self.sequence,
            command_id: CommandId::new(Uuid::from_u128(self.command)),
            recorded_at: self.recorded_at,
            event: &self.event,
        }
    }
}

pub const STRATEGY: RoutingStrategy = RoutingStrategy::LeastLoaded;

fn kind(event: &AnyEvent) -> AggregateType {
    match event {
        AnyEvent::Conversation(_) => AggregateType::Conversation,
        AnyEvent::Thread(_) => AggregateType::Thread,
        AnyEvent::Agent(_) => AggregateType::Agent,
        AnyEvent::Visitor(_) => AggregateType::Visitor,
        AnyEvent::Group(_) => AggregateType::Group,
        AnyEvent::Tag(_) => AggregateType::Tag,
        AnyEvent::EmailClaim(_) => AggregateType::EmailClaim,
        AnyEvent::TagNameClaim(_) => AggregateType::TagNameClaim,
        AnyEvent::Workspace(_) => AggregateType::Workspace,
    }
}

pub fn chat(id: ConversationId, event: ConversationEvent) -> Entry {
    (id.uuid(), AnyEvent::Conversation(event))
}

pub fn thread(id: ThreadId, event: ThreadEvent) -> Entry {
    (id.uuid(), AnyEvent::Thread(event))
}

pub fn agent(id: AgentId, event: AgentEvent) -> Entry {
    (id.uuid(), AnyEvent::Agent(event))
}

pub fn visitor(id: VisitorId, event: VisitorEvent) -> Entry {
    (id.uuid(), AnyEvent::Visitor(event))
}

pub fn group(id: GroupId, event: GroupEvent) -> Entry {
    (id.uuid(), AnyEvent::Group(event))
}

pub fn workspace(event: WorkspaceEvent) -> Entry {
    (WorkspaceId::ONLY.uuid(), AnyEvent::Workspace(event))
}

pub fn owns(agent_id: AgentId, address: &str) -> Entry {
    let claimed = EmailClaimEvent::EmailClaimed { agent_id, at: at(0) };
    (EmailClaimId::of(&email(address)).uuid(), AnyEvent::EmailClaim(claimed))
}

pub fn gives_back(agent_id: AgentId, address: &str) -> Entry {
    let released = EmailClaimEvent::EmailReleased { agent_id, at: at(0) };
    (EmailClaimId::of(&email(address)).uuid(), AnyEvent::EmailClaim(released))
}

pub fn names(tag_id: TagId, text: &str) -> Entry {
    let claimed = TagNameClaimEvent::TagNameClaimed { tag_id, at: at(0) };
    (TagNameClaimId::of(&name(text)).uuid(), AnyEvent::TagNameClaim(claimed))
}

pub fn registered(id: AgentId, address: &str, role: Role) -> Entry {
    let (status, chat_limit) = (AgentStatus::Offline, ChatLimit::new(1).unwrap());
    let (name, email) = (name("Somebody"), email(address));
    let accepting_chats = true;
    agent(
        id,
        AgentEvent::AgentRegistered { name, email, avatar: None, role, status, accepting_chats, chat_limit, at: at(0) },
    )
}

pub fn status(id: AgentId, status: AgentStatus) -> Entry {
    agent(id, AgentEvent::StatusChanged { status, cause: StatusCause::SetBy { id }, at: at(1) })
}

pub fn deleted(id: AgentId) -> Entry {
    agent(id, AgentEvent::AgentDeleted { at: at(3) })
}

pub fn started(visitor_id: VisitorId, id: ConversationId, thread_id: ThreadId) -> Vec<Entry> {
    let card = VisitorCard { id: visitor_id, name: None, email: None, phone: None };
    let (group_id, last_agent_id) = (SALES, None);
    let starts = ConversationEvent::ChatStarted { visitor: card, group_id, thread_id, last_agent_id, at: at(1) };
    vec![
        visitor(visitor_id, VisitorEvent::ChatOpened { conversation_id: id, at: at(1) }),
        chat(id, starts),
        begins(thread_id, id, visitor_id),
        message(thread_id, visitor_id),
    ]
}

pub fn begins(id: ThreadId, conversation_id: ConversationId, visitor_id: VisitorId) -> Entry {
    thread(id, ThreadEvent::ThreadStarted { conversation_id, visitor_id, previous_thread_id: None, at: at(1) })
}

pub fn message(id: ThreadId, visitor_id: VisitorId) -> Entry {
    writes(id, Participant::Visitor(visitor_id))
}

pub fn writes(id: ThreadId, author: Participant) -> Entry {
    let text = MessageText::parse("Hello").unwrap();
    let (message_id, client_event_id, metadata) = (MESSAGE, None, None);
    let conversation_id = CHAT;
    thread(
        id,
        ThreadEvent::MessageSent { conversation_id, message_id, author, text, client_event_id, metadata, at: at(1) },
    )
}

pub fn taken(id: AgentId, conversation_id: ConversationId, over_limit: bool) -> Entry {
    agent(id, AgentEvent::SlotTaken { conversation_id, over_limit, at: at(1) })
}

pub fn freed(id: AgentId, conversation_id: ConversationId) -> Entry {
    agent(id, AgentEvent::SlotFreed { conversation_id, at: at(2) })
}

pub fn joined(id: ThreadId, agent_id: AgentId) -> Entry {
    thread(id, ThreadEvent::AgentJoined { agent_id, cause: Some(JoinCause::Routed), at: at(1) })
}

pub fn left(id: ThreadId, agent_id: AgentId, reason: LeaveReason) -> Entry {
    thread(id, ThreadEvent::AgentLeft { agent_id, reason, at: at(2) })
}

pub fn returned(agent_id: AgentId, group_id: GroupId) -> ConversationEvent {
    let reason = QueueReason::AgentOffline;
    ConversationEvent::ChatReturnedToQueue {
        group_id,
        previous_agent_id: Some(agent_id),
        reason,
        handover: None,
        at: at(2),
    }
}

/// The router's choice.
pub fn chosen(agent_id: AgentId, thread_id: ThreadId) -> ConversationEvent {
    let assignment = Assignment::Routed { decision: decision(agent_id) };
    ConversationEvent::AgentAssigned { agent_id, previous_agent_id: None, thread_id, assignment, at: at(1) }
}

pub fn routed(id: ConversationId, thread_id: ThreadId, agent_id: AgentId) -> Vec<Entry> {
    vec![chat(id, chosen(agent_id, thread_id)), taken(agent_id, id, false), joined(thread_id, agent_id)]
}

pub fn assigned(
    id: ConversationId,
    thread_id: ThreadId,
    previous_agent_id: Option<AgentId>,
    agent_id: AgentId,
) -> Vec<Entry> {
    let assignment = Assignment::Manual { by: ANNA, reason: None, over_limit: false };
    let event = ConversationEvent::AgentAssigned { agent_id, previous_agent_id, thread_id, assignment, at: at(2) };
    let mut entries = vec![chat(id, event)];
    if let Some(previous) = previous_agent_id {
        entries.extend([freed(previous, id), left(thread_id, previous, LeaveReason::Reassigned)]);
    }
    entries.extend([joined(thread_id, agent_id), taken(agent_id, id, false)]);
    entries
}

pub fn closed(id: ConversationId, thread_id: ThreadId, agent_id: Option<AgentId>) -> Vec<Entry> {
    let by = Participant::Visitor(VERA);
    let event =
        ConversationEvent::ChatClosed { by, reason: name("solved"), notes: None, agent_id, thread_id, at: at(3) };
    let mut entries = vec![chat(id, event), thread(thread_id, ThreadEvent::ThreadClosed { by, at: at(3) })];
    entries.extend(agent_id.map(|agent_id| freed(agent_id, id)));
    entries.push(visitor(VERA, VisitorEvent::ChatEnded { conversation_id: id, last_agent_id: agent_id, at: at(3) }));
    entries
}

pub fn reopened(
    id: ConversationId,
    previous_thread_id: ThreadId,
    thread_id: ThreadId,
    group_id: GroupId,
) -> Vec<Entry> {
    let by = Participant::Visitor(VERA);
    let last_agent_id = None;
    let again =
        ConversationEvent::ChatReopened { by, thread_id, previous_thread_id, group_id, last_agent_id, at: at(4) };
    vec![
        chat(id, again),
        visitor(VERA, VisitorEvent::ChatOpened { conversation_id: id, at: at(4) }),
        begins(thread_id, id, VERA),
    ]
}

pub fn tagged(id: ConversationId, tag_id: TagId) -> Entry {
    chat(id, ConversationEvent::ChatTagged { tag_id, by: ANNA, at: at(1) })
}
