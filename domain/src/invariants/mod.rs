//! What is true of every log at every position, whatever happened while it was written.
//!
//! The verifier folds the log with the aggregates' own `apply` and compares streams with each other at the end of each
//! append, because readers see an append only as a whole. It keeps the state of chats, threads, people and groups in
//! memory, never events.

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

/// An event with its header in the log.
#[derive(Clone, Copy, Debug)]
pub struct Recorded<'a> {
    pub position: i64,
    pub kind: AggregateType,
    pub id: Uuid,
    /// Counts the events of the stream from 1.
    pub sequence: i64,
    /// All events of one append have the same command id.
    pub command_id: CommandId,
    pub recorded_at: Timestamp,
    pub event: &'a AnyEvent,
}

/// A broken rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    pub rule: Rule,
    /// The position of the wrong event, or of the last event of a wrong append.
    pub position: i64,
    /// What is wrong, in words.
    pub sentence: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "position {}: {} ({})", self.position, self.sentence, self.rule)
    }
}

/// The state of a walk through the log, from its first event.
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
    /// The router's state: its queues must hold each waiting chat.
    routing: RoutingState,
    append: Option<Append>,
    found: Vec<Violation>,
}

/// What one stream says about another, by the other's id.
#[derive(Clone, Debug, Default)]
struct Index {
    /// Agents with a slot for the chat.
    holders: BTreeMap<ConversationId, BTreeSet<AgentId>>,
    open_threads: BTreeMap<ConversationId, BTreeSet<ThreadId>>,
    open_chats: BTreeMap<VisitorId, BTreeSet<ConversationId>>,
    addresses_of: BTreeMap<AgentId, BTreeSet<EmailClaimId>>,
    names_of: BTreeMap<TagId, BTreeSet<TagNameClaimId>>,
}

/// What the events of the present append touched.
#[derive(Clone, Debug, Default)]
struct Append {
    command_id: CommandId,
    chats: BTreeSet<ConversationId>,
    agents: BTreeSet<AgentId>,
    tags: BTreeSet<TagId>,
    references: BTreeSet<Reference>,
    /// Slots marked as over the limit.
    exceeding: BTreeSet<(AgentId, ConversationId)>,
    /// Assignments marked as over the limit.
    on_purpose: BTreeSet<(AgentId, ConversationId)>,
    /// Agents who went offline or were deleted.
    left_work: BTreeSet<AgentId>,
    left_group: BTreeSet<(GroupId, AgentId)>,
    moved: BTreeSet<(ThreadId, GroupId)>,
    /// Slots freed in this append.
    freed: BTreeMap<AgentId, usize>,
}

/// A thing that an event names. `Living` means that it exists and is not deleted.
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

/// The broken rules of one event, in words.
type Wrong = Vec<(Rule, String)>;

impl Invariants {
    /// Applies the next event. Returns what is wrong with it or with the append before it.
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

    /// Ends the last append. Returns what is wrong with it.
    pub fn finish(&mut self) -> Vec<Violation> {
        self.settle();
        std::mem::take(&mut self.found)
    }

    /// The position of the last applied event.
    #[must_use]
    pub const fn position(&self) -> i64 {
        self.position
    }

    /// All conversations of the log, closed ones included.
    #[must_use]
    pub const fn conversations(&self) -> &BTreeMap<ConversationId, Conversation> {
        &self.conversations
    }

    /// All agents of the log, deleted ones included.
    #[must_use]
    pub const fn agents(&self) -> &BTreeMap<AgentId, Agent> {
        &self.agents
    }

    /// All groups of the log, deleted ones included.
    #[must_use]
    pub const fn groups(&self) -> &BTreeMap<GroupId, Group> {
        &self.groups
    }

    /// The router's state, folded from the same events.
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

/// Adds a violation unless the rule holds.
fn demand(wrong: &mut Wrong, rule: Rule, is_so: bool, otherwise: impl FnOnce() -> String) {
    if !is_so {
        wrong.push((rule, otherwise()));
    }
}

/// Removes a member, and its set when that becomes empty.
fn remove_from<K: Ord, V: Ord>(sets: &mut BTreeMap<K, BTreeSet<V>>, key: &K, value: &V) {
    if let Some(set) = sets.get_mut(key) {
        set.remove(value);
        if set.is_empty() {
            sets.remove(key);
        }
    }
}

fn members<K: Ord, V: Ord + Copy>(sets: &BTreeMap<K, BTreeSet<V>>, key: &K) -> Vec<V> {
    sets.get(key).into_iter().flatten().copied().collect()
}
