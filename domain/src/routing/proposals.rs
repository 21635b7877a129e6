//! What the router proposes in its present state, and what it does about failures.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::eligibility::judge;
use super::queue::{Change, Proposal, Relocation, RoutedGroup, RoutingState, WaitingChat};
use super::selection::{Eligible, select};
use crate::assignment::{Candidate, RoutingDecision, RoutingStrategy, Verdict};
use crate::ids::{AgentId, ConversationId, GroupId};
use crate::time::Timestamp;

impl RoutingState {
    /// Chooses agents for waiting chats, first come first served in each group that is awake, until nobody is free.
    ///
    /// A proposal counts as a chat of its agent until the log shows it, or [`Self::fail`] or [`Self::release`] takes
    /// it back.
    pub fn propose(&mut self, now: Timestamp) -> Vec<Proposal> {
        self.wake_due(now);
        let mut handed_over = BTreeMap::new();
        for agent_id in self.in_flight.values() {
            *handed_over.entry(*agent_id).or_insert(0) += 1;
        }
        let mut proposals = vec![];
        for group_id in std::mem::take(&mut self.awake) {
            self.propose_in(group_id, now, &mut handed_over, &mut proposals);
        }
        proposals
    }

    fn propose_in(
        &mut self,
        group_id: GroupId,
        now: Timestamp,
        handed_over: &mut BTreeMap<AgentId, usize>,
        proposals: &mut Vec<Proposal>,
    ) {
        let Some(group) = self.groups.get(&group_id) else { return };
        if group.deleted {
            self.to_clear.insert(group_id);
            return;
        }
        let strategy = group.strategy;
        let mut place = None;
        while let Some(next) = self.queue_after(group_id, place) {
            place = Some(next);
            let conversation_id = next.1;
            let Some(chat) = self.ready(conversation_id, now) else { continue };
            let group = &self.groups[&group_id];
            let (eligible, candidates) = self.look_at(group, handed_over);
            let last = self.last_proposed.get(&group_id).copied().or(group.last_assigned);
            // Eligibility does not depend on the chat: when nobody is free for this one, nobody is for the next.
            let Some(agent_id) = select(strategy, &eligible, last, chat.last_agent_id) else { return };
            let decision = explain(strategy, agent_id, candidates, chat.attempts + 1);
            proposals.push(Proposal {
                conversation_id,
                agent_id,
                group_id,
                waiting_since: chat.waiting_since,
                decision,
            });
            self.in_flight.insert(conversation_id, agent_id);
            self.last_proposed.insert(group_id, agent_id);
            self.touch(agent_id);
            *handed_over.entry(agent_id).or_insert(0) += 1;
        }
    }

    /// Step by step, because nearly always the first chat finds nobody and thousands may stand behind it.
    fn queue_after(&self, group_id: GroupId, place: Option<(i64, ConversationId)>) -> Option<(i64, ConversationId)> {
        let from = place.map_or(Bound::Unbounded, Bound::Excluded);
        self.queues.get(&group_id)?.range((from, Bound::Unbounded)).next().copied()
    }

    fn ready(&self, id: ConversationId, now: Timestamp) -> Option<&WaitingChat> {
        let is_due = |chat: &&WaitingChat| chat.next_attempt_at.is_none_or(|at| at <= now);
        let is_handled = self.in_flight.contains_key(&id) || self.overtaken.contains(&id);
        self.waiting(id).filter(is_due).filter(|_| !is_handled)
    }

    fn look_at(&self, group: &RoutedGroup, handed_over: &BTreeMap<AgentId, usize>) -> (Vec<Eligible>, Vec<Candidate>) {
        let mut eligible = vec![];
        let mut candidates = vec![];
        for agent_id in &group.agent_ids {
            let Some(agent) = self.agent(*agent_id).filter(|agent| !agent.deleted) else { continue };
            let in_flight = handed_over.get(agent_id).copied().unwrap_or(0);
            let active_chats = agent.slots.len() + in_flight;
            let chat_limit = agent.chat_limit.get();
            let verdict = match judge(agent, in_flight) {
                Ok(()) => Verdict::NotPreferred,
                Err(verdict) => verdict,
            };
            if verdict == Verdict::NotPreferred {
                let last_assigned = self.order_of_last_assignment(*agent_id, agent.last_assigned);
                eligible.push(Eligible { agent_id: *agent_id, active_chats, chat_limit, last_assigned });
            }
            candidates.push(Candidate { agent_id: *agent_id, verdict, active_chats, chat_limit });
        }
        (eligible, candidates)
    }

    /// The waiting chats of deleted groups, which go to the default group; call it after [`Self::propose`].
    pub fn relocate(&mut self, now: Timestamp) -> Vec<Relocation> {
        let Some(default) = self.default_group_id else { return vec![] };
        let mut relocations = vec![];
        for group_id in std::mem::take(&mut self.to_clear) {
            for conversation_id in self.queue(group_id).collect::<Vec<_>>() {
                let Some(chat) = self.ready(conversation_id, now) else { continue };
                let waiting_since = chat.waiting_since;
                if group_id != default && self.relocating.insert(conversation_id) {
                    relocations.push(Relocation { conversation_id, waiting_since, group_id: default });
                }
            }
        }
        relocations
    }

    /// Takes a proposal back that could not be carried out, and tries again at `retry_at`.
    pub fn fail(&mut self, id: ConversationId, waiting_since: i64, retry_at: Timestamp) -> Option<Change> {
        let chat = self.waiting.get_mut(&id).filter(|chat| chat.waiting_since == waiting_since)?;
        chat.attempts += 1;
        chat.next_attempt_at = Some(retry_at);
        self.retries.insert((retry_at, chat.group_id));
        self.relocating.remove(&id);
        if let Some(agent_id) = self.in_flight.remove(&id) {
            // Offered to others only then: the whole queue would fail one after the other at what this chat failed at.
            let groups: Vec<_> = self.groups_of(agent_id).collect();
            self.retries.extend(groups.into_iter().map(|group_id| (retry_at, group_id)));
        }
        Some(Change::Chat(id))
    }

    /// Takes a proposal back that the log has overtaken: the event that did it is on its way here.
    pub fn release(&mut self, id: ConversationId, waiting_since: i64) {
        if self.waiting(id).is_some_and(|chat| chat.waiting_since == waiting_since) {
            self.overtaken.insert(id);
            self.drop_in_flight(id);
        }
    }

    /// When the next retry is due; what it was for may be settled by then.
    #[must_use]
    pub fn next_retry(&self) -> Option<Timestamp> {
        self.retries.first().map(|(at, _)| *at)
    }

    /// Looks at every queue in the next proposal and at every agent who is not at work, whatever happened.
    pub fn wake_all(&mut self) {
        self.suspect_all();
        self.overtaken.clear();
        self.awake.extend(self.queues.keys());
    }

    fn wake_due(&mut self, now: Timestamp) {
        while let Some((_, group_id)) = self.retries.first().filter(|(at, _)| *at <= now) {
            self.awake.insert(*group_id);
            self.retries.pop_first();
        }
    }

    /// Proposals of this process come after everything that was in the log before it.
    fn order_of_last_assignment(&self, agent_id: AgentId, position: i64) -> (u64, i64) {
        (self.recency.get(&agent_id).copied().unwrap_or(0), position)
    }

    pub(super) fn touch(&mut self, agent_id: AgentId) {
        self.assignments += 1;
        self.recency.insert(agent_id, self.assignments);
    }

    pub(super) fn wake_groups_of(&mut self, agent_id: AgentId) {
        let groups: Vec<_> = self.groups_of(agent_id).collect();
        self.awake.extend(groups);
    }

    fn groups_of(&self, agent_id: AgentId) -> impl Iterator<Item = GroupId> + '_ {
        self.groups.iter().filter(move |(_, group)| group.agent_ids.contains(&agent_id)).map(|(group_id, _)| *group_id)
    }

    /// Whether the log has yet to show the slot of a chat that was proposed to this agent.
    pub(super) fn awaits_slot(&self, id: ConversationId, agent_id: AgentId) -> bool {
        self.in_flight.get(&id) == Some(&agent_id)
            && self.agent(agent_id).is_some_and(|agent| !agent.slots.contains(&id))
    }

    /// The slot that the proposal held may serve another chat, in any group of its agent.
    pub(super) fn drop_in_flight(&mut self, id: ConversationId) {
        self.relocating.remove(&id);
        if let Some(agent_id) = self.in_flight.remove(&id) {
            self.wake_groups_of(agent_id);
        }
    }

    pub(super) fn insert_waiting(&mut self, id: ConversationId, chat: WaitingChat) {
        self.queues.entry(chat.group_id).or_default().insert((chat.arrival, id));
        if let Some(at) = chat.next_attempt_at {
            self.retries.insert((at, chat.group_id));
        }
        self.waiting.insert(id, chat);
    }

    pub(super) fn remove_waiting(&mut self, id: ConversationId) -> Option<WaitingChat> {
        let chat = self.waiting.remove(&id)?;
        self.overtaken.remove(&id);
        if let Some(queue) = self.queues.get_mut(&chat.group_id) {
            queue.remove(&(chat.arrival, id));
            if queue.is_empty() {
                self.queues.remove(&chat.group_id);
            }
        }
        Some(chat)
    }

    pub(super) fn arrival_of(&self, id: ConversationId) -> Option<i64> {
        self.waiting.get(&id).map(|chat| chat.arrival).or_else(|| self.served_arrival(id))
    }
}

fn explain(
    strategy: RoutingStrategy,
    chosen: AgentId,
    mut candidates: Vec<Candidate>,
    attempt: u32,
) -> RoutingDecision {
    // A stable sort keeps the order of the others.
    candidates.sort_by_key(|candidate| candidate.agent_id != chosen);
    if let Some(first) = candidates.first_mut() {
        first.verdict = Verdict::Chosen;
    }
    let omitted_candidates = candidates.len().saturating_sub(RoutingDecision::MAX_CANDIDATES);
    candidates.truncate(RoutingDecision::MAX_CANDIDATES);
    RoutingDecision { strategy, candidates, omitted_candidates, attempt }
}
