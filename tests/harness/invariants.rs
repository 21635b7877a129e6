//! What is true of every log, whatever happened while it was written.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use application::ports::{LogEvent, StreamId};
use domain::agent::{AgentEvent, AgentStatus};
use domain::conversation::{Assignment, ConversationEvent, ConversationStatus, Participant};
use domain::event::AnyEvent;
use domain::group::GroupEvent;
use domain::ids::{AgentId, CommandId, ConversationId, EntityId, EventId, GroupId, ThreadId, VisitorId};
use domain::thread::ThreadEvent;
use domain::time::Timestamp;
use domain::visitor::VisitorEvent;
use infrastructure::database::Database;

/// How things stand at the end of a log.
#[derive(Debug, Default)]
pub struct Standing {
    /// The position of its last event.
    pub position: i64,
    /// Every chat that ever began.
    pub chats: BTreeMap<ConversationId, Chat>,
    /// Every agent that was ever registered.
    pub agents: BTreeMap<AgentId, Seat>,
    groups: BTreeMap<GroupId, Team>,
    visitors: BTreeMap<VisitorId, Option<ConversationId>>,
    threads: BTreeMap<ThreadId, Phase>,
    sequences: HashMap<StreamId, i64>,
    event_ids: HashSet<EventId>,
    commands: HashSet<CommandId>,
    recorded_at: Timestamp,
}

/// A chat.
#[derive(Clone, Debug)]
pub struct Chat {
    /// Whose it is.
    pub visitor_id: VisitorId,
    /// Whose queue it waits in.
    pub group_id: GroupId,
    /// Whether it waits, is served or has ended.
    pub status: ConversationStatus,
    /// Who serves it.
    pub agent_id: Option<AgentId>,
    /// The position that began its present wait.
    pub waiting_since: i64,
    active_thread: Option<ThreadId>,
    open_threads: BTreeSet<ThreadId>,
    holders: BTreeSet<AgentId>,
}

/// An agent.
#[derive(Clone, Debug)]
pub struct Seat {
    /// Whether they are at work.
    pub status: AgentStatus,
    /// Whether they take new chats.
    pub accepting: bool,
    /// The most chats at once.
    pub limit: usize,
    /// The chats they serve.
    pub slots: BTreeSet<ConversationId>,
    deleted: bool,
}

#[derive(Debug, Default)]
struct Team {
    members: BTreeSet<AgentId>,
    deleted: bool,
}

#[derive(Debug)]
struct Phase {
    conversation_id: ConversationId,
    closed: bool,
}

impl Seat {
    fn could_take_a_chat(&self) -> bool {
        self.status == AgentStatus::Online && self.accepting && !self.deleted && self.slots.len() < self.limit
    }
}

impl Standing {
    /// Walks a log from its first event.
    ///
    /// # Panics
    /// When it holds what must never happen: a hole, a command that was carried out twice, a slot over a limit that no
    /// supervisor ordered, a chat with two agents, a message in a closed thread, a visitor with two open chats.
    #[must_use]
    pub fn of(events: &[Arc<LogEvent>]) -> Self {
        let mut standing = Self::default();
        for append in events.chunk_by(|a, b| a.header.command_id == b.header.command_id) {
            for event in append {
                standing.enter(event);
            }
            standing.check_append(append);
        }
        standing
    }

    /// The chats that wait.
    pub fn waiting(&self) -> impl Iterator<Item = (&ConversationId, &Chat)> {
        self.chats.iter().filter(|(_, chat)| chat.status == ConversationStatus::Pending)
    }

    /// A chat that waits although somebody of its group could take it.
    #[must_use]
    pub fn waits_in_vain(&self) -> Option<(ConversationId, AgentId)> {
        self.waiting().find_map(|(id, chat)| {
            let team = self.groups.get(&chat.group_id).filter(|team| !team.deleted)?;
            let free = |agent: &&AgentId| self.agents.get(agent).is_some_and(Seat::could_take_a_chat);
            Some((*id, *team.members.iter().find(free)?))
        })
    }

    /// Whether each waiting chat, and nothing else, is in the router's queue once.
    ///
    /// # Errors
    /// What is missing or too much.
    ///
    /// # Panics
    /// When the queue cannot be read.
    pub async fn check_queue(&self, database: &Database) -> Result<(), String> {
        const SELECT: &str = "SELECT conversation_id, group_id, waiting_since FROM routing_queue";
        let rows = database.fetch_all(SELECT, vec![]).await.expect("the queue can be read");
        let queued: BTreeSet<_> = rows
            .iter()
            .map(|row| {
                let id = |column| row.uuid(column).expect("an id");
                (id("conversation_id"), id("group_id"), row.int("waiting_since").expect("a position"))
            })
            .collect();
        let wait = |(id, chat): (&ConversationId, &Chat)| (id.uuid(), chat.group_id.uuid(), chat.waiting_since);
        let waiting: BTreeSet<_> = self.waiting().map(wait).collect();
        if queued == waiting && queued.len() == rows.len() {
            return Ok(());
        }
        let (lost, stale) = (waiting.difference(&queued), queued.difference(&waiting));
        Err(format!("not in the queue: {:?}; in it without waiting: {:?}", Vec::from_iter(lost), Vec::from_iter(stale)))
    }

    fn enter(&mut self, event: &LogEvent) {
        let header = &event.header;
        assert_eq!(header.position, self.position + 1, "positions have no holes");
        self.position = header.position;
        assert!(header.recorded_at >= self.recorded_at, "time goes back at {}", self.position);
        self.recorded_at = header.recorded_at;
        assert!(self.event_ids.insert(header.event_id), "the event at {} is in the log twice", self.position);
        let sequence = self.sequences.entry(header.stream()).or_default();
        *sequence += 1;
        assert_eq!(header.sequence, *sequence, "{} has a hole at {}", header.stream(), self.position);
        let id = header.aggregate_id;
        match &event.event {
            AnyEvent::Conversation(event) => self.enter_chat(ConversationId::from_uuid(id), event),
            AnyEvent::Thread(event) => self.enter_thread(ThreadId::from_uuid(id), event),
            AnyEvent::Agent(event) => self.enter_agent(AgentId::from_uuid(id), event),
            AnyEvent::Visitor(event) => self.enter_visitor(VisitorId::from_uuid(id), event),
            AnyEvent::Group(event) => self.enter_group(GroupId::from_uuid(id), event),
            AnyEvent::Tag(_) | AnyEvent::EmailClaim(_) | AnyEvent::TagNameClaim(_) | AnyEvent::Workspace(_) => {}
        }
    }

    fn enter_chat(&mut self, id: ConversationId, event: &ConversationEvent) {
        let position = self.position;
        if let ConversationEvent::ChatStarted { visitor, group_id, thread_id, .. } = event {
            let chat = Chat {
                visitor_id: visitor.id,
                group_id: *group_id,
                status: ConversationStatus::Pending,
                agent_id: None,
                waiting_since: position,
                active_thread: Some(*thread_id),
                open_threads: BTreeSet::new(),
                holders: BTreeSet::new(),
            };
            assert!(self.chats.insert(id, chat).is_none(), "{id} begins twice at {position}");
            return;
        }
        let chat = self.chats.get_mut(&id).unwrap_or_else(|| panic!("{id} goes on at {position} before it began"));
        match event {
            ConversationEvent::AgentAssigned { agent_id, previous_agent_id, assignment, .. } => {
                assert_ne!(chat.status, ConversationStatus::Closed, "{id} is closed and gets an agent at {position}");
                assert_eq!(chat.agent_id, *previous_agent_id, "{id} at {position} names who served it before");
                if assignment.is_routed() {
                    assert_eq!(chat.agent_id, None, "{id} is assigned twice at {position}");
                    let seat = &self.agents[agent_id];
                    let present = seat.status == AgentStatus::Online && seat.accepting && !seat.deleted;
                    assert!(present, "{id} is routed at {position} to somebody who is not there: {seat:?}");
                }
                chat.agent_id = Some(*agent_id);
                chat.status = ConversationStatus::Active;
            }
            ConversationEvent::ChatReturnedToQueue { group_id, previous_agent_id, .. } => {
                assert_ne!(chat.status, ConversationStatus::Closed, "{id} is closed and waits at {position}");
                assert_eq!(chat.agent_id, *previous_agent_id, "{id} at {position} names who served it before");
                chat.group_id = *group_id;
                chat.wait(position);
            }
            ConversationEvent::ChatClosed { .. } => {
                assert_ne!(chat.status, ConversationStatus::Closed, "{id} is closed twice at {position}");
                chat.status = ConversationStatus::Closed;
                chat.agent_id = None;
                chat.active_thread = None;
            }
            ConversationEvent::ChatReopened { thread_id, group_id, .. } => {
                assert_eq!(chat.status, ConversationStatus::Closed, "{id} is open and opened at {position}");
                chat.group_id = *group_id;
                chat.active_thread = Some(*thread_id);
                chat.wait(position);
            }
            ConversationEvent::ChatStarted { .. }
            | ConversationEvent::ChatTagged { .. }
            | ConversationEvent::ChatUntagged { .. } => {}
        }
    }

    fn enter_thread(&mut self, id: ThreadId, event: &ThreadEvent) {
        let position = self.position;
        if let ThreadEvent::ThreadStarted { conversation_id, .. } = event {
            self.threads.insert(id, Phase { conversation_id: *conversation_id, closed: false });
            self.chat_of(*conversation_id).open_threads.insert(id);
            return;
        }
        let thread = self.threads.get_mut(&id).unwrap_or_else(|| panic!("{id} goes on at {position} before it began"));
        assert!(!thread.closed, "{id} goes on at {position} after it was closed: {event:?}");
        let conversation_id = thread.conversation_id;
        match event {
            ThreadEvent::ThreadClosed { .. } => {
                thread.closed = true;
                self.chat_of(conversation_id).open_threads.remove(&id);
            }
            ThreadEvent::MessageSent { author, .. } => {
                let chat = self.chat_of(conversation_id);
                assert_eq!(chat.active_thread, Some(id), "a message at {position} is not in the active thread");
                let takes_part = match author {
                    Participant::Visitor(visitor_id) => chat.visitor_id == *visitor_id,
                    Participant::Agent(agent_id) => chat.agent_id == Some(*agent_id),
                };
                assert!(takes_part, "the author of the message at {position} takes no part in the chat");
            }
            ThreadEvent::ThreadStarted { .. }
            | ThreadEvent::AgentJoined { .. }
            | ThreadEvent::AgentLeft { .. }
            | ThreadEvent::GroupChanged { .. } => {}
        }
    }

    fn chat_of(&mut self, id: ConversationId) -> &mut Chat {
        let position = self.position;
        self.chats.get_mut(&id).unwrap_or_else(|| panic!("{id} is not known at {position}"))
    }

    fn enter_agent(&mut self, id: AgentId, event: &AgentEvent) {
        let position = self.position;
        if let AgentEvent::AgentRegistered { status, accepting_chats, chat_limit, .. } = event {
            let (status, accepting, limit) = (*status, *accepting_chats, chat_limit.get());
            self.agents.insert(id, Seat { status, accepting, limit, slots: BTreeSet::new(), deleted: false });
            return;
        }
        let seat = self.agents.get_mut(&id).unwrap_or_else(|| panic!("{id} is not known at {position}"));
        match event {
            AgentEvent::StatusChanged { status, .. } => seat.status = *status,
            AgentEvent::ChatsAccepted { .. } => seat.accepting = true,
            AgentEvent::ChatsDeclined { .. } => seat.accepting = false,
            AgentEvent::LimitChanged { chat_limit, .. } => seat.limit = chat_limit.get(),
            AgentEvent::AgentDeleted { .. } => {
                seat.deleted = true;
                seat.status = AgentStatus::Offline;
            }
            AgentEvent::AgentRestored { .. } => seat.deleted = false,
            AgentEvent::SlotTaken { conversation_id, over_limit, .. } => {
                let exceeds = seat.slots.len() >= seat.limit;
                assert_eq!(*over_limit, exceeds, "over the limit of {id} at {position}, recorded as such");
                assert!(seat.slots.insert(*conversation_id), "{id} takes a chat twice at {position}");
                self.chat_of(*conversation_id).holders.insert(id);
            }
            AgentEvent::SlotFreed { conversation_id, .. } => {
                assert!(seat.slots.remove(conversation_id), "{id} frees a slot at {position} that is not taken");
                self.chat_of(*conversation_id).holders.remove(&id);
            }
            AgentEvent::AgentRegistered { .. }
            | AgentEvent::ProfileChanged { .. }
            | AgentEvent::RoleChanged { .. }
            | AgentEvent::EmailChanged { .. }
            | AgentEvent::PasswordChanged { .. } => {}
        }
    }

    fn enter_visitor(&mut self, id: VisitorId, event: &VisitorEvent) {
        let open = self.visitors.entry(id).or_default();
        match event {
            VisitorEvent::ChatOpened { conversation_id, .. } => {
                let before = open.replace(*conversation_id);
                assert_eq!(before, None, "{id} opens a second chat at {}", self.position);
            }
            VisitorEvent::ChatEnded { conversation_id, .. } => {
                assert_eq!(open.take(), Some(*conversation_id), "{id} ends another chat at {}", self.position);
            }
            VisitorEvent::VisitorRegistered { .. } | VisitorEvent::VisitorReintroduced { .. } => {}
        }
    }

    fn enter_group(&mut self, id: GroupId, event: &GroupEvent) {
        let team = self.groups.entry(id).or_default();
        match event {
            GroupEvent::AgentsAdded { agent_ids, .. } => team.members.extend(agent_ids),
            GroupEvent::AgentRemoved { agent_id, .. } => {
                team.members.remove(agent_id);
            }
            GroupEvent::GroupDeleted { .. } => team.deleted = true,
            GroupEvent::GroupRestored { .. } => team.deleted = false,
            GroupEvent::GroupCreated { .. }
            | GroupEvent::GroupDescribed { .. }
            | GroupEvent::StrategyChanged { .. } => {}
        }
    }

    /// What must be true again at the end of each append, since others see it only as a whole.
    fn check_append(&mut self, append: &[Arc<LogEvent>]) {
        let Some(first) = append.first() else { return };
        let at = first.header.position;
        assert!(self.commands.insert(first.header.command_id), "the command at {at} was carried out before");
        check_limits_are_exceeded_on_purpose(append);
        for event in append {
            let id = event.header.aggregate_id;
            match &event.event {
                AnyEvent::Conversation(_) => self.check_chat(ConversationId::from_uuid(id)),
                AnyEvent::Thread(_) => self.check_chat(self.threads[&ThreadId::from_uuid(id)].conversation_id),
                AnyEvent::Agent(AgentEvent::SlotTaken { conversation_id, .. })
                | AnyEvent::Agent(AgentEvent::SlotFreed { conversation_id, .. }) => self.check_chat(*conversation_id),
                AnyEvent::Agent(_) => {
                    let seat = &self.agents[&AgentId::from_uuid(id)];
                    let gone = seat.status == AgentStatus::Offline;
                    assert!(!gone || seat.slots.is_empty(), "an agent is offline with chats at {at}: {seat:?}");
                }
                AnyEvent::Visitor(_)
                | AnyEvent::Group(_)
                | AnyEvent::Tag(_)
                | AnyEvent::EmailClaim(_)
                | AnyEvent::TagNameClaim(_)
                | AnyEvent::Workspace(_) => {}
            }
        }
    }

    fn check_chat(&self, id: ConversationId) {
        let (chat, at) = (&self.chats[&id], self.position);
        assert_eq!(Vec::from_iter(&chat.holders), Vec::from_iter(&chat.agent_id), "who serves {id} at {at}");
        assert_eq!(Vec::from_iter(&chat.open_threads), Vec::from_iter(&chat.active_thread), "threads of {id} at {at}");
        let is_open = chat.status != ConversationStatus::Closed;
        assert_eq!(chat.active_thread.is_some(), is_open, "{id} has a thread while it is open, at {at}");
        assert_eq!(chat.agent_id.is_some(), chat.status == ConversationStatus::Active, "{id} at {at}");
        let open = self.visitors.get(&chat.visitor_id).copied().flatten();
        assert_eq!(open == Some(id), is_open, "the open chat of the visitor of {id} at {at}");
    }
}

impl Chat {
    fn wait(&mut self, position: i64) {
        self.status = ConversationStatus::Pending;
        self.agent_id = None;
        self.waiting_since = position;
    }
}

/// A slot over the limit comes only with an assignment that says so.
fn check_limits_are_exceeded_on_purpose(append: &[Arc<LogEvent>]) {
    let exceeds =
        |event: &Arc<LogEvent>| matches!(event.event, AnyEvent::Agent(AgentEvent::SlotTaken { over_limit: true, .. }));
    let says_so = |event: &Arc<LogEvent>| {
        let AnyEvent::Conversation(ConversationEvent::AgentAssigned { assignment, .. }) = &event.event else {
            return false;
        };
        matches!(assignment, Assignment::Manual { over_limit: true, .. })
    };
    if let Some(slot) = append.iter().find(|event| exceeds(event)) {
        let at = slot.header.position;
        assert!(append.iter().any(says_so), "a limit is exceeded at {at} and no supervisor wanted it");
    }
}
