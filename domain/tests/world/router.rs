//! The router as a process: it reads the log in pieces, stores what changed, and gives commands that may come late.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::agent::{AgentEvent, SlotRule};
use domain::conversation::{Assignment, ConversationEvent};
use domain::event::AnyEvent;
use domain::ids::{AgentId, ConversationId, EntityId};
use domain::routing::{Proposal, RoutingChange, RoutingSnapshot, RoutingState};

use super::{Refusal, World, group_id};

/// A command on its way.
#[derive(Clone, Debug)]
pub struct Errand {
    proposal: Proposal,
    /// Which run of the router gave it.
    run: u32,
    /// The position that shows the slot, once it was carried out.
    done_at: Option<i64>,
}

#[derive(Clone, Debug, Default)]
pub struct Router {
    pub state: RoutingState,
    /// The position up to which it has read.
    pub read: i64,
    /// What is stored of the state.
    pub tables: RoutingSnapshot,
    errands: Vec<Errand>,
    run: u32,
}

/// Stores what changed, as the router's tables do.
pub fn store(tables: &mut RoutingSnapshot, state: &RoutingState, change: RoutingChange) {
    match change {
        RoutingChange::Agent(id) => put(&mut tables.agents, id, state.agent(id).cloned()),
        RoutingChange::Group(id) => put(&mut tables.groups, id, state.group(id).cloned()),
        RoutingChange::DefaultGroup => tables.default_group_id = state.default_group_id(),
        RoutingChange::Chat(id) => {
            put(&mut tables.waiting, id, state.waiting(id).cloned());
            put(&mut tables.served, id, state.served_arrival(id));
        }
    }
}

fn put<K: Ord, V>(table: &mut BTreeMap<K, V>, key: K, row: Option<V>) {
    match row {
        Some(row) => drop(table.insert(key, row)),
        None => drop(table.remove(&key)),
    }
}

impl World {
    /// Lets the router read at most `most` more events.
    pub fn read(&mut self, most: usize) {
        let from = usize::try_from(self.router.read).expect("positions are not negative");
        let router = &mut self.router;
        for (id, event) in self.log[from..].iter().take(most) {
            router.read += 1;
            for change in router.state.apply(router.read, *id, event) {
                store(&mut router.tables, &router.state, change);
            }
        }
    }

    pub fn propose(&mut self) {
        let proposals = self.router.state.propose(self.now);
        let agents = proposals.iter().map(|proposal| proposal.agent_id).collect();
        let run = self.router.run;
        self.router.errands.extend(proposals.into_iter().map(|proposal| Errand { proposal, run, done_at: None }));
        self.router_kept_within_the_limits(&agents);
    }

    pub fn carry_out(&mut self, index: usize) {
        let Some(index) = self.open_errand(index) else { return };
        let Proposal { conversation_id, agent_id, group_id: _, waiting_since, decision } =
            self.router.errands[index].proposal.clone();
        let was_for_this_wait = self.last_wait_of(conversation_id) == Some(waiting_since);
        match self.assign(conversation_id, agent_id, Assignment::Routed { decision }, SlotRule::Routed) {
            Ok(()) if was_for_this_wait => {
                self.router.errands[index].done_at = self.position_of_slot(conversation_id, agent_id);
            }
            // It came late, for an earlier wait: the router reads of it without having expected it.
            Ok(()) => drop(self.router.errands.remove(index)),
            Err(refusal) => self.give_up(index, refusal),
        }
    }

    fn last_wait_of(&self, chat: ConversationId) -> Option<i64> {
        let begins_wait = |(id, event): &(uuid::Uuid, AnyEvent)| {
            *id == chat.uuid()
                && matches!(
                    event,
                    AnyEvent::Conversation(
                        ConversationEvent::ChatStarted { .. }
                            | ConversationEvent::ChatReopened { .. }
                            | ConversationEvent::ChatReturnedToQueue { .. }
                    )
                )
        };
        self.log.iter().rposition(begins_wait).and_then(|index| i64::try_from(index + 1).ok())
    }

    fn give_up(&mut self, index: usize, refusal: Refusal) {
        let Errand { proposal, run, .. } = self.router.errands.remove(index);
        if run != self.router.run {
            return;
        }
        if matches!(refusal, Refusal::Conversation(_)) {
            self.router.state.release(proposal.conversation_id, proposal.waiting_since);
        } else {
            self.fail(&proposal);
        }
    }

    /// The command is lost on its way: the database does not answer, say.
    pub fn lose(&mut self, index: usize) {
        let Some(index) = self.open_errand(index) else { return };
        let Errand { proposal, run, .. } = self.router.errands.remove(index);
        if run == self.router.run {
            self.fail(&proposal);
        }
    }

    fn fail(&mut self, proposal: &Proposal) {
        let retry_at = self.now.plus(Duration::from_secs(1 << proposal.decision.attempt.min(6)));
        let router = &mut self.router;
        let change = router.state.fail(proposal.conversation_id, proposal.waiting_since, retry_at);
        if let Some(change) = change {
            store(&mut router.tables, &router.state, change);
        }
    }

    /// The process ends and starts again from its tables; commands that it gave may still come about.
    pub fn restart(&mut self) {
        self.router.state = RoutingState::restore(self.router.tables.clone());
        self.router.run += 1;
    }

    /// Everything is read, carried out and retried until the router has no more to say.
    pub fn settle(&mut self) {
        for _ in 0..1_000 {
            self.read(usize::MAX);
            self.propose();
            if self.open_errand(0).is_some() {
                while self.open_errand(0).is_some() {
                    self.carry_out(0);
                }
            } else if let Some(at) = self.router.state.next_retry() {
                self.now = self.now.max(at);
            } else {
                return;
            }
        }
        panic!("the router never comes to rest");
    }

    /// Reads everything, decides, and carries it out in order; each group's queue is served from its head.
    pub fn serve_at_once(&mut self) {
        self.read(usize::MAX);
        let queues: Vec<_> =
            (0..super::GROUPS).map(|index| self.router.state.queue(group_id(index)).collect::<Vec<_>>()).collect();
        let proposals = self.router.state.propose(self.now);
        for queue in queues {
            let of_queue = proposals.iter().map(|proposal| proposal.conversation_id).filter(|id| queue.contains(id));
            let served: Vec<_> = of_queue.collect();
            assert_eq!(served, queue[..served.len()], "first come, first served");
        }
        for Proposal { conversation_id, agent_id, decision, .. } in proposals {
            let done = self.assign(conversation_id, agent_id, Assignment::Routed { decision }, SlotRule::Routed);
            assert_eq!(done, Ok(()), "a router that knows everything is never refused");
        }
        self.read(usize::MAX);
    }

    /// A router that starts again from the tables says the same as one that goes on.
    pub fn restart_changes_no_proposal(&mut self) {
        self.read(usize::MAX);
        let mut restarted = RoutingState::restore(self.router.tables.clone());
        assert_eq!(restarted.propose(self.now), self.router.state.clone().propose(self.now));
    }

    /// Chats on their way to an agent, as far as the router can know.
    pub fn on_their_way(&self) -> impl Iterator<Item = (AgentId, ConversationId)> + '_ {
        let router = &self.router;
        let counts = move |errand: &&Errand| {
            let proposal = &errand.proposal;
            let waits = router.state.waiting(proposal.conversation_id);
            let waits_still = waits.is_some_and(|chat| chat.waiting_since == proposal.waiting_since);
            let slot_unseen = errand.done_at.is_some_and(|position| position > router.read);
            errand.run == router.run && (if errand.done_at.is_some() { slot_unseen } else { waits_still })
        };
        router.errands.iter().filter(counts).map(|errand| (errand.proposal.agent_id, errand.proposal.conversation_id))
    }

    fn open_errand(&self, index: usize) -> Option<usize> {
        let open: Vec<_> =
            (0..self.router.errands.len()).filter(|at| self.router.errands[*at].done_at.is_none()).collect();
        open.get(index % open.len().max(1)).copied()
    }

    fn position_of_slot(&self, chat: ConversationId, agent_id: AgentId) -> Option<i64> {
        let is_it = |(id, event): &(uuid::Uuid, AnyEvent)| {
            *id == agent_id.uuid()
                && matches!(event, AnyEvent::Agent(AgentEvent::SlotTaken { conversation_id, .. })
                    if *conversation_id == chat)
        };
        self.log.iter().rposition(is_it).and_then(|index| i64::try_from(index + 1).ok())
    }
}
