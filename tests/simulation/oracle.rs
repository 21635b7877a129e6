//! Says what must be true, from the log and from what the routers could know.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use application::ports::{AppendRequest, LogEvent, Position};
use application::process_managers::router::FailedAttempt;
use domain::agent::{Agent, AgentStatus};
use domain::aggregate::AggregateType;
use domain::conversation::{Assignment, ConversationEvent, ConversationStatus};
use domain::event::AnyEvent;
use domain::ids::{AgentId, ConversationId, EntityId, GroupId};
use domain::invariants::Invariants;
use domain::routing::{Candidate, RoutingDecision, Verdict, WaitingChat};
use domain::time::Timestamp;

/// Whatever the router has decided reaches the log within this time, unless it fails.
const UNDER_WAY: Duration = Duration::from_secs(3);

/// What went wrong first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub kind: String,
    pub sentence: String,
}

#[derive(Default)]
pub struct Oracle {
    pub invariants: Invariants,
    pub failure: Option<Failure>,
    pub routed: usize,
    pub failed_attempts: usize,
    trace: Option<Vec<String>>,
    /// Agents and groups after each event of theirs.
    agents: BTreeMap<AgentId, Vec<(Position, Agent)>>,
    members: BTreeMap<GroupId, Vec<(Position, BTreeSet<AgentId>)>>,
    attempts: BTreeMap<(ConversationId, i64), Attempt>,
    routers: BTreeMap<u64, Knowledge>,
    begun: BTreeMap<ConversationId, Position>,
    /// Waits that a later chat overtook, and when.
    overtaken: BTreeMap<(ConversationId, i64), (Timestamp, ConversationId)>,
}

struct Attempt {
    node: u64,
    stored_at: Option<Timestamp>,
    not_before: Timestamp,
}

/// What a router had read when.
struct Knowledge {
    since: Timestamp,
    read: Vec<(Timestamp, Position)>,
}

impl Oracle {
    pub fn new(traces: bool) -> Self {
        Self { trace: traces.then(Vec::new), ..Self::default() }
    }

    pub fn note(&mut self, now: Timestamp, what: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            let time = now.to_string();
            trace.push(format!("{} {}", &time[17..26], what()));
        }
    }

    pub fn take_trace(&mut self) -> Vec<String> {
        self.trace.take().unwrap_or_default()
    }

    pub fn fail(&mut self, now: Timestamp, kind: &str, sentence: String) {
        self.note(now, || format!("FAILED {kind}: {sentence}"));
        self.failure.get_or_insert(Failure { kind: kind.to_owned(), sentence });
    }

    pub fn committed(&mut self, now: Timestamp, events: &[Arc<LogEvent>]) {
        for event in events {
            self.note(now, || format!("  {} {}", event.header.position, told(event)));
            if let AnyEvent::Conversation(chat) = &event.event {
                self.check_assignment(now, ConversationId::from_uuid(event.header.aggregate_id), chat);
            }
            let violations = self.invariants.enter(&event.recorded());
            self.tell(now, violations);
            self.remember(event);
        }
        let violations = self.invariants.finish();
        self.tell(now, violations);
        self.look_after_the_overtaken(now);
    }

    fn tell(&mut self, now: Timestamp, violations: Vec<domain::invariants::Violation>) {
        for violation in violations {
            self.fail(now, violation.rule.as_str(), violation.to_string());
        }
    }

    fn remember(&mut self, event: &LogEvent) {
        let (position, id) = (event.header.position, event.header.aggregate_id);
        if matches!(event.event, AnyEvent::Conversation(ConversationEvent::ChatStarted { .. })) {
            self.begun.insert(ConversationId::from_uuid(id), position);
        }
        if matches!(event.event, AnyEvent::Agent(_)) {
            let id = AgentId::from_uuid(id);
            let agent = self.invariants.agents()[&id].clone();
            self.agents.entry(id).or_default().push((position, agent));
        }
        if matches!(event.event, AnyEvent::Group(_)) {
            let id = GroupId::from_uuid(id);
            let members = self.invariants.groups()[&id].agent_ids.clone();
            self.members.entry(id).or_default().push((position, members));
        }
    }

    pub fn router_starts(&mut self, node: u64, now: Timestamp) {
        self.note(now, || format!("node {node} routes"));
        self.routers.insert(node, Knowledge { since: now, read: vec![] });
    }

    pub fn router_ends(&mut self, node: u64, now: Timestamp) {
        if self.routers.remove(&node).is_some() {
            self.note(now, || format!("node {node} routes no more"));
        }
    }

    pub fn router_knows(&mut self, node: u64, now: Timestamp, position: Position) {
        if let Some(router) = self.routers.get_mut(&node) {
            router.read.push((now, position));
        }
    }

    pub fn attempt_failed(&mut self, node: u64, now: Timestamp, failed: &FailedAttempt, is_stored: bool) {
        self.failed_attempts += 1;
        let id = failed.conversation_id;
        self.note(now, || {
            format!("an attempt for {} failed: {}, next at {}", short(id.uuid()), failed.reason, failed.next_attempt_at)
        });
        let stored_at = is_stored.then_some(now);
        let attempt = Attempt { node, stored_at, not_before: failed.next_attempt_at };
        self.attempts.insert((id, failed.waiting_since), attempt);
    }

    /// A router asks the log to make its choice true.
    pub fn router_tries(&mut self, node: u64, now: Timestamp, request: &AppendRequest) {
        let chat = request.streams.iter().find(|append| append.stream.kind == AggregateType::Conversation);
        let assigns = chat.filter(|append| append.events.iter().any(|event| event.event_type == "AgentAssigned"));
        let Some(id) = assigns.map(|append| ConversationId::from_uuid(append.stream.id)) else { return };
        let Some(wait) = self.invariants.routing().waiting(id).map(|chat| chat.waiting_since) else { return };
        let (Some(attempt), Some(router)) = (self.attempts.get(&(id, wait)), self.routers.get(&node)) else { return };
        let knows = attempt.node == node || attempt.stored_at.is_some_and(|at| at < router.since);
        if knows && now < attempt.not_before {
            let sentence =
                format!("{} is tried again at {now}, and not before {} was said", short(id.uuid()), attempt.not_before);
            self.fail(now, "hurry", sentence);
        }
    }

    fn check_assignment(&mut self, now: Timestamp, id: ConversationId, event: &ConversationEvent) {
        let ConversationEvent::AgentAssigned { assignment: Assignment::Routed { decision }, .. } = event else {
            return;
        };
        let Some(wait) = self.invariants.routing().waiting(id).cloned() else { return };
        self.routed += 1;
        self.check_decision(now, id, &wait, decision);
        self.note_overtaken(now, id, &wait);
    }

    /// The decision was true at some moment between the beginning of the chat and now. Not of the wait: a choice that was
    /// made for a wait just before the visitor closed and opened the chat again is as good for the next one.
    fn check_decision(&mut self, now: Timestamp, id: ConversationId, wait: &WaitingChat, decision: &RoutingDecision) {
        let end = self.invariants.position();
        let positions = self.begun.get(&id).copied().unwrap_or(end)..=end;
        if !positions.rev().any(|position| self.was_true(position, wait.group_id, decision)) {
            let sentence = format!("the decision about {} was never true: {decision:?}", short(id.uuid()));
            self.fail(now, "untrue decision", sentence);
        }
    }

    fn was_true(&self, position: Position, group_id: GroupId, decision: &RoutingDecision) -> bool {
        let Some(members) = self.members.get(&group_id).and_then(|history| at(history, position)) else { return false };
        let agent = |id: &AgentId| self.agents.get(id).and_then(|history| at(history, position));
        let living: BTreeSet<_> = members.iter().copied().filter(|id| agent(id).is_some_and(|a| !a.deleted)).collect();
        let named: Vec<_> = decision.candidates.iter().map(|candidate| candidate.agent_id).collect();
        let in_order = named.get(1..).is_some_and(|others| others.is_sorted())
            && named.len() == living.len()
            && living == named.iter().copied().collect();
        in_order
            && decision
                .candidates
                .iter()
                .all(|candidate| agent(&candidate.agent_id).is_some_and(|agent| fits(agent, candidate)))
    }

    /// Chats that came to the same queue earlier, and that the router knew to wait, have to be on their way.
    fn note_overtaken(&mut self, now: Timestamp, id: ConversationId, wait: &WaitingChat) {
        let routing = self.invariants.routing();
        let Some(known) = self.known_to_all_routers(now) else { return };
        let mut overtaken = vec![];
        for other in routing.queue(wait.group_id) {
            let Some(earlier) = routing.waiting(other).filter(|chat| chat.arrival < wait.arrival) else { break };
            let tried = self.attempts.contains_key(&(other, earlier.waiting_since));
            if earlier.waiting_since <= known && !tried {
                overtaken.push((other, earlier.waiting_since));
            }
        }
        for wait in overtaken {
            self.overtaken.entry(wait).or_insert((now, id));
        }
    }

    /// What every router that may have decided knew before what is under way now was decided.
    fn known_to_all_routers(&self, now: Timestamp) -> Option<Position> {
        let then = now.minus(UNDER_WAY);
        let read = |router: &Knowledge| {
            let before = router.read.partition_point(|(at, _)| *at <= then);
            (router.since <= then).then(|| before.checked_sub(1).map_or(0, |last| router.read[last].1))
        };
        self.routers.values().map(read).collect::<Option<Vec<_>>>()?.into_iter().min()
    }

    /// A chat that was overtaken and is still not served has been passed over.
    pub fn look_after_the_overtaken(&mut self, now: Timestamp) {
        let mut passed_over = vec![];
        let (routing, attempts) = (self.invariants.routing(), &self.attempts);
        self.overtaken.retain(|(id, waiting_since), (at, by)| {
            let waits = routing.waiting(*id).is_some_and(|chat| chat.waiting_since == *waiting_since);
            let is_late = now > at.plus(UNDER_WAY);
            if waits && is_late && !attempts.contains_key(&(*id, *waiting_since)) {
                passed_over.push((*id, *at, *by));
            }
            waits && !is_late
        });
        for (id, at, by) in passed_over {
            let sentence = format!("{} came before {}, who was served at {at}", short(id.uuid()), short(by.uuid()));
            self.fail(now, "passed over", sentence);
        }
    }

    /// No chat waits that an agent of its group could take.
    pub fn nobody_waits_in_vain(&mut self, now: Timestamp) {
        let vain = self.invariants.conversations().iter().find_map(|(id, chat)| {
            let group_id = chat.group_id.filter(|_| chat.status == ConversationStatus::Pending)?;
            let group = &self.invariants.groups()[&group_id];
            if group.deleted {
                return Some(format!("{} waits in a deleted group", short(id.uuid())));
            }
            let agents = self.invariants.agents();
            let could = |agent: &Agent| {
                let is_there = agent.is_present() && agent.status == AgentStatus::Online;
                is_there && agent.accepting_chats && agent.has_free_slot()
            };
            let free = group.agent_ids.iter().find(|agent_id| could(&agents[agent_id]))?;
            Some(format!("{} waits although agent {} is free", short(id.uuid()), short(free.uuid())))
        });
        let stray = self
            .invariants
            .agents()
            .iter()
            .find(|(_, agent)| agent.status == AgentStatus::Offline && !agent.slots.is_empty());
        let stray = stray.map(|(id, _)| format!("agent {} is offline with chats", short(id.uuid())));
        if let Some(sentence) = vain.or(stray) {
            self.fail(now, "waits in vain", sentence);
        }
    }

    /// What is stored of the queues is what the log says.
    pub fn compare_queues(&mut self, now: Timestamp, stored: &BTreeMap<ConversationId, WaitingChat>) {
        let routing = self.invariants.routing();
        let wait = |chat: &WaitingChat| (chat.group_id, chat.arrival, chat.waiting_since);
        let stored: BTreeMap<_, _> = stored.iter().map(|(id, chat)| (*id, wait(chat))).collect();
        let ids = self.invariants.conversations().keys();
        let real: BTreeMap<_, _> = ids.filter_map(|id| Some((*id, wait(routing.waiting(*id)?)))).collect();
        if stored != real {
            self.fail(now, "stored queue", format!("stored is {stored:?}, the log says {real:?}"));
        }
    }
}

/// How a thing was after the event at a position.
fn at<T>(history: &[(Position, T)], position: Position) -> Option<&T> {
    let after = history.partition_point(|(changed, _)| *changed <= position);
    after.checked_sub(1).map(|last| &history[last].1)
}

/// Whether this can be said of an agent; chats on their way are not in the log.
fn fits(agent: &Agent, said: &Candidate) -> bool {
    let takes_chats = agent.status == AgentStatus::Online && agent.accepting_chats;
    let verdict = match said.verdict {
        Verdict::Chosen | Verdict::NotPreferred => takes_chats && said.active_chats < said.chat_limit,
        Verdict::AtLimit => takes_chats && said.active_chats >= said.chat_limit,
        Verdict::Offline => agent.status == AgentStatus::Offline,
        Verdict::Away => agent.status == AgentStatus::Away,
        Verdict::NotAccepting => agent.status == AgentStatus::Online && !agent.accepting_chats,
    };
    verdict && said.chat_limit == agent.chat_limit.get() && said.active_chats >= agent.slots.len()
}

/// The last digits of an id.
pub fn short(id: uuid::Uuid) -> String {
    let text = id.simple().to_string();
    text[text.len() - 4..].to_owned()
}

fn told(event: &LogEvent) -> String {
    let header = &event.header;
    let detail = match &event.event {
        AnyEvent::Conversation(ConversationEvent::AgentAssigned { agent_id, assignment, .. }) => {
            let how = if assignment.is_routed() { "by the router" } else { "by hand" };
            format!(" to {} {how}", short(agent_id.uuid()))
        }
        AnyEvent::Conversation(ConversationEvent::ChatReturnedToQueue { group_id, reason, .. }) => {
            format!(" to {}: {reason:?}", short(group_id.uuid()))
        }
        AnyEvent::Agent(domain::agent::AgentEvent::StatusChanged { status, .. }) => format!(" {status:?}"),
        _ => String::new(),
    };
    format!(
        "{} {} {}{detail} ({})",
        header.aggregate_type,
        short(header.aggregate_id),
        header.event_type,
        &header.actor[..header.actor.len().min(13)]
    )
}
