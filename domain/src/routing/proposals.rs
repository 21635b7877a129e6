//! What the router proposes in its present state, and what it does about failures.

use std::collections::BTreeMap;

use super::eligibility::judge;
use super::queues::WaitingChat;
use super::selection::{Eligible, select};
use super::state::{RoutedGroup, RoutingChange, RoutingState};
use crate::assignment::{Candidate, RoutingDecision, RoutingStrategy, Verdict};
use crate::ids::{AgentId, ConversationId, GroupId};
use crate::time::Timestamp;

/// A choice of the router that is not carried out yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    pub conversation_id: ConversationId,
    pub agent_id: AgentId,
    /// The group in whose queue the chat waits.
    pub group_id: GroupId,
    /// The position that names the wait which the proposal ends.
    pub waiting_since: i64,
    pub decision: RoutingDecision,
}

/// A chat that waits in a deleted group and has to wait in the default group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Relocation {
    pub conversation_id: ConversationId,
    /// The position that names the wait which the relocation ends.
    pub waiting_since: i64,
    /// The default group.
    pub group_id: GroupId,
}

/// One round of proposals.
struct Round {
    now: Timestamp,
    /// Chats in flight by agent.
    in_flight: BTreeMap<AgentId, usize>,
    proposals: Vec<Proposal>,
}

impl RoutingState {
    /// Chooses agents for waiting chats, first come first served in each group that is awake, until no agent is free.
    ///
    /// A proposal counts as a chat of its agent until the log shows it, or until [`Self::fail`] or [`Self::release`]
    /// takes it back.
    pub fn propose(&mut self, now: Timestamp) -> Vec<Proposal> {
        let mut round = Round { now, in_flight: self.in_flight.count_by_agent(), proposals: vec![] };
        for group_id in self.wakes.take_groups(now) {
            self.propose_in(group_id, &mut round);
        }
        round.proposals
    }

    fn propose_in(&mut self, group_id: GroupId, round: &mut Round) {
        let Some(group) = self.groups.get(&group_id) else { return };
        if group.deleted {
            self.wakes.clear(group_id);
            return;
        }
        let strategy = group.strategy;
        let mut place = None;
        while let Some(next) = self.queues.after(group_id, place) {
            place = Some(next);
            let (_, conversation_id) = next;
            let Some(chat) = self.ready(conversation_id, round.now) else { continue };
            let group = &self.groups[&group_id];
            let (eligible, candidates) = self.look_at(group, &round.in_flight, chat.given_back_by);
            let eligible = without_giver(eligible, chat.given_back_by);
            let last = self.recency.last_in(group_id).or(group.last_assigned);
            // Eligibility does not depend on the chat: when no agent is free for this chat, none is for the next.
            let Some(agent_id) = select(strategy, &eligible, last, chat.last_agent_id) else { return };
            round.proposals.push(Proposal {
                conversation_id,
                agent_id,
                group_id,
                waiting_since: chat.waiting_since,
                decision: explain(strategy, agent_id, candidates, chat.attempts + 1),
            });
            self.in_flight.propose(conversation_id, agent_id);
            self.recency.propose(group_id, agent_id);
            *round.in_flight.entry(agent_id).or_insert(0) += 1;
        }
    }

    /// A chat that waits, is due and has no order on its way.
    fn ready(&self, id: ConversationId, now: Timestamp) -> Option<&WaitingChat> {
        let is_due = |chat: &&WaitingChat| chat.next_attempt_at.is_none_or(|at| at <= now);
        self.waiting(id).filter(is_due).filter(|_| !self.in_flight.holds(id))
    }

    fn look_at(
        &self,
        group: &RoutedGroup,
        in_flight: &BTreeMap<AgentId, usize>,
        given_back_by: Option<AgentId>,
    ) -> (Vec<Eligible>, Vec<Candidate>) {
        let mut eligible = vec![];
        let mut candidates = vec![];
        for agent_id in group.agent_ids.iter().copied() {
            let Some(agent) = self.agent(agent_id).filter(|agent| !agent.deleted) else { continue };
            let in_flight = in_flight.get(&agent_id).copied().unwrap_or(0);
            let active_chats = agent.slots.len() + in_flight;
            let chat_limit = agent.chat_limit.get();
            let verdict = match judge(agent, in_flight) {
                Ok(()) => {
                    let last_assigned = self.recency.order_of(agent_id, agent.last_assigned);
                    eligible.push(Eligible { agent_id, active_chats, chat_limit, last_assigned });
                    Verdict::NotPreferred
                }
                Err(verdict) => verdict,
            };
            let gave_back = given_back_by == Some(agent_id);
            candidates.push(Candidate { agent_id, verdict, active_chats, chat_limit, gave_back });
        }
        (eligible, candidates)
    }

    /// The waiting chats of deleted groups, which go to the default group. Call it after [`Self::propose`], which finds
    /// the deleted groups.
    pub fn relocate(&mut self, now: Timestamp) -> Vec<Relocation> {
        let Some(default) = self.default_group_id else { return vec![] };
        let mut relocations = vec![];
        for group_id in self.wakes.take_to_clear() {
            for conversation_id in self.queue(group_id).collect::<Vec<_>>() {
                let Some(chat) = self.ready(conversation_id, now) else { continue };
                let waiting_since = chat.waiting_since;
                if group_id != default && self.in_flight.relocate(conversation_id) {
                    relocations.push(Relocation { conversation_id, waiting_since, group_id: default });
                }
            }
        }
        relocations
    }

    /// Takes back a proposal or relocation that failed, and tries again at `retry_at`. `None` if its wait has ended.
    pub fn fail(&mut self, id: ConversationId, waiting_since: i64, retry_at: Timestamp) -> Option<RoutingChange> {
        let group_id = self.queues.retry_later(id, waiting_since, retry_at)?;
        self.wakes.wake_at(retry_at, [group_id]);
        if let Some(agent_id) = self.in_flight.take_back(id) {
            // The agent is offered to other chats only then: else the whole queue would fail one chat after the other
            // for the same cause.
            self.wakes.wake_at(retry_at, self.groups_of(agent_id));
        }
        Some(RoutingChange::Chat(id))
    }

    /// Takes back an order that the log has overtaken: the event that did so has not been read yet.
    pub fn release(&mut self, id: ConversationId, waiting_since: i64) {
        if self.waiting(id).is_some_and(|chat| chat.waiting_since == waiting_since) {
            self.in_flight.overtake(id);
            self.take_back(id);
        }
    }
}

/// Those who can take a chat, but for the agent who gave it back, unless nobody else can.
fn without_giver(eligible: Vec<Eligible>, given_back_by: Option<AgentId>) -> Vec<Eligible> {
    let is_other = |agent: &Eligible| Some(agent.agent_id) != given_back_by;
    if eligible.iter().any(is_other) { eligible.into_iter().filter(is_other).collect() } else { eligible }
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
