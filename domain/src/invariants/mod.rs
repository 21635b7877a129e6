//! What is true of every log at every position, whatever happened while it was written.
//!
//! The verifier folds the log with the aggregates' own `apply` and compares their streams with each other at the end
//! of each append, since others see an append only as a whole. It holds what lives (chats, threads, people, groups),
//! never events.

mod chats;
mod people;
mod rule;
mod settling;
mod teams;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use uuid::Uuid;

pub use rule::Rule;

use crate::agent::{Agent, EmailClaim};
use crate::aggregate::AggregateType;
use crate::conversation::Conversation;
use crate::event::AnyEvent;
use crate::group::Group;
use crate::ids::{
    AgentId, CommandId, ConversationId, EmailClaimId, EntityId, GroupId, TagId, TagNameClaimId, ThreadId, VisitorId,
};
use crate::routing::RoutingState;
use crate::tag::{Tag, TagNameClaim};
use crate::thread::Thread;
use crate::time::Timestamp;
use crate::visitor::Visitor;
use crate::workspace::Workspace;

/// An event with what the log says of it.
#[derive(Clone, Copy, Debug)]
pub struct Recorded<'a> {
    /// Its place in the log.
    pub position: i64,
    /// Its stream's kind.
    pub kind: AggregateType,
    /// Its stream's id.
    pub id: Uuid,
    /// Its place in the stream.
    pub sequence: i64,
    /// The command that made it: the events of one append have the same.
    pub command_id: CommandId,
    /// When the log recorded it.
    pub recorded_at: Timestamp,
    /// The event.
    pub event: &'a AnyEvent,
}

/// Something that must never happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// What it violates.
    pub rule: Rule,
    /// Where: an event, or the last one of an append.
    pub position: i64,
    /// What is wrong, for people.
    pub sentence: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "position {}: {} ({})", self.position, self.sentence, self.rule)
    }
}

/// Walks a log from its first event.
#[derive(Clone, Debug, Default)]
pub struct Invariants {
    position: i64,
    recorded_at: Timestamp,
    sequences: BTreeMap<(AggregateType, Uuid), i64>,
    conversations: BTreeMap<ConversationId, Conversation>,
    threads: BTreeMap<ThreadId, Thread>,
    agents: BTreeMap<AgentId, Agent>,
    visitors: BTreeMap<VisitorId, Visitor>,
    groups: BTreeMap<GroupId, Group>,
    tags: BTreeMap<TagId, Tag>,
    addresses: BTreeMap<EmailClaimId, EmailClaim>,
    tag_names: BTreeMap<TagNameClaimId, TagNameClaim>,
    workspace: Workspace,
    index: Index,
    /// The router's view, whose queues have to hold each waiting chat.
    routing: RoutingState,
    append: Option<Append>,
    found: Vec<Violation>,
}

/// What streams say of things that have streams of their own.
#[derive(Clone, Debug, Default)]
struct Index {
    /// Who has a slot for a chat.
    holders: BTreeMap<ConversationId, BTreeSet<AgentId>>,
    open_threads: BTreeMap<ConversationId, BTreeSet<ThreadId>>,
    open_chats: BTreeMap<VisitorId, BTreeSet<ConversationId>>,
    addresses_of: BTreeMap<AgentId, BTreeSet<EmailClaimId>>,
    names_of: BTreeMap<TagId, BTreeSet<TagNameClaimId>>,
}

/// The append that is being read.
#[derive(Clone, Debug, Default)]
struct Append {
    command_id: CommandId,
    chats: BTreeSet<ConversationId>,
    agents: BTreeSet<AgentId>,
    tags: BTreeSet<TagId>,
    references: BTreeSet<Reference>,
    /// Slots that say they are over the limit.
    exceeding: BTreeSet<(AgentId, ConversationId)>,
    /// Choices that say so.
    on_purpose: BTreeSet<(AgentId, ConversationId)>,
    /// Who left work, or a group.
    left_work: BTreeSet<AgentId>,
    left_group: BTreeSet<(GroupId, AgentId)>,
    moved: BTreeSet<(ThreadId, GroupId)>,
    /// How many chats agents gave away.
    freed: BTreeMap<AgentId, usize>,
}

/// A thing that an event names. What is living exists and is not deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Reference {
    Agent(AgentId),
    LivingAgent(AgentId),
    Visitor(VisitorId),
    Chat(ConversationId),
    Group(GroupId),
    LivingGroup(GroupId),
    Tag(TagId),
    LivingTag(TagId),
}

/// Collects what is wrong with one event.
type Wrong = Vec<(Rule, String)>;

impl Invariants {
    /// Takes in the next event and tells what is wrong with it, or with the append before it.
    pub fn enter(&mut self, recorded: &Recorded<'_>) -> Vec<Violation> {
        if self.append.as_ref().is_some_and(|append| append.command_id != recorded.command_id) {
            self.settle();
        }
        let append = self.append.take();
        let mut append = append.unwrap_or_else(|| Append { command_id: recorded.command_id, ..Append::default() });
        self.follow_the_log(recorded);
        let mut wrong = vec![];
        match recorded.event {
            AnyEvent::Conversation(event) => {
                self.on_chat(&mut append, ConversationId::from_uuid(recorded.id), event, &mut wrong);
            }
            AnyEvent::Thread(event) => {
                self.on_thread(&mut append, ThreadId::from_uuid(recorded.id), event, &mut wrong);
            }
            AnyEvent::Agent(event) => self.on_agent(&mut append, AgentId::from_uuid(recorded.id), event, &mut wrong),
            AnyEvent::Visitor(event) => {
                self.on_visitor(&mut append, VisitorId::from_uuid(recorded.id), event, &mut wrong);
            }
            AnyEvent::Group(event) => self.on_group(&mut append, GroupId::from_uuid(recorded.id), event, &mut wrong),
            AnyEvent::Tag(event) => self.on_tag(&mut append, TagId::from_uuid(recorded.id), event, &mut wrong),
            AnyEvent::EmailClaim(event) => {
                self.on_address(&mut append, EmailClaimId::from_uuid(recorded.id), event, &mut wrong);
            }
            AnyEvent::TagNameClaim(event) => {
                self.on_tag_name(&mut append, TagNameClaimId::from_uuid(recorded.id), event, &mut wrong);
            }
            AnyEvent::Workspace(event) => self.on_workspace(&mut append, event, &mut wrong),
        }
        self.routing.apply(recorded.position, recorded.id, recorded.event);
        self.append = Some(append);
        self.report(wrong);
        std::mem::take(&mut self.found)
    }

    /// Ends the append that is being read, at the end of the log or of what is known of it.
    pub fn finish(&mut self) -> Vec<Violation> {
        self.settle();
        std::mem::take(&mut self.found)
    }

    /// The position of the last event.
    #[must_use]
    pub const fn position(&self) -> i64 {
        self.position
    }

    /// Every chat that ever began.
    #[must_use]
    pub const fn conversations(&self) -> &BTreeMap<ConversationId, Conversation> {
        &self.conversations
    }

    /// Every agent that was ever registered.
    #[must_use]
    pub const fn agents(&self) -> &BTreeMap<AgentId, Agent> {
        &self.agents
    }

    /// Every group that was ever created.
    #[must_use]
    pub const fn groups(&self) -> &BTreeMap<GroupId, Group> {
        &self.groups
    }

    /// The router's view of the log.
    #[must_use]
    pub const fn routing(&self) -> &RoutingState {
        &self.routing
    }

    fn follow_the_log(&mut self, recorded: &Recorded<'_>) {
        let mut wrong = vec![];
        if recorded.position != self.position + 1 {
            wrong.push((Rule::Positions, format!("it comes after position {}", self.position)));
        }
        if recorded.recorded_at < self.recorded_at {
            let (now, before) = (recorded.recorded_at, self.recorded_at);
            wrong.push((Rule::Time, format!("it was recorded at {now}, its predecessor at {before}")));
        }
        let sequence = self.sequences.entry((recorded.kind, recorded.id)).or_default();
        if recorded.sequence != *sequence + 1 {
            let (kind, id, now) = (recorded.kind, recorded.id, recorded.sequence);
            wrong.push((Rule::Sequences, format!("sequence {now} of {kind} {id} comes after {sequence}")));
        }
        *sequence = recorded.sequence;
        self.position = recorded.position;
        self.recorded_at = recorded.recorded_at;
        self.report(wrong);
    }

    fn report(&mut self, wrong: Wrong) {
        let position = self.position;
        self.found.extend(wrong.into_iter().map(|(rule, sentence)| Violation { rule, position, sentence }));
    }
}

/// Adds a sentence unless it is as it must be.
fn demand(wrong: &mut Wrong, rule: Rule, is_so: bool, otherwise: impl FnOnce() -> String) {
    if !is_so {
        wrong.push((rule, otherwise()));
    }
}

/// Takes a member out of a set of sets, which holds no empty ones.
fn remove_from<K: Ord, V: Ord>(sets: &mut BTreeMap<K, BTreeSet<V>>, key: &K, value: &V) {
    if let Some(set) = sets.get_mut(key) {
        set.remove(value);
        if set.is_empty() {
            sets.remove(key);
        }
    }
}

/// The members of one of them.
fn members<K: Ord, V: Ord + Copy>(sets: &BTreeMap<K, BTreeSet<V>>, key: &K) -> Vec<V> {
    sets.get(key).into_iter().flatten().copied().collect()
}
