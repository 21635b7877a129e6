//! The router does not undo what a person has just done.

use super::*;
use crate::assignment::Verdict;
use crate::fixtures::{BERT, SUPPORT};

const STRATEGIES: [RoutingStrategy; 3] =
    [RoutingStrategy::RoundRobin, RoutingStrategy::LeastLoaded, RoutingStrategy::Sticky];

/// Two agents, and a chat that the first one has got.
fn desk(strategy: RoutingStrategy) -> Desk {
    let mut desk = Desk::with(&[(ANNA, 5), (BERT, 5)]);
    desk.strategy(strategy);
    desk.start_in(1, SALES, Some(ANNA));
    desk.assign_manually(1, ANNA);
    desk.start(2);
    desk.assign_manually(2, BERT);
    desk
}

fn holder(desk: &Desk, number: u128) -> Option<AgentId> {
    [ANNA, BERT].into_iter().find(|id| desk.state.agent(*id).unwrap().slots.contains(&chat(number)))
}

#[test]
fn chat_given_back_goes_to_the_colleague_each_time_by_every_strategy() {
    for strategy in STRATEGIES {
        let mut desk = desk(strategy);
        for _ in 0..4 {
            let giver = holder(&desk, 1).unwrap();
            desk.give_back(1, SALES, Some(giver), QueueReason::Transferred);
            let proposals = desk.proposals();
            let [proposal] = &proposals[..] else { panic!("{strategy:?}: {proposals:?}") };
            assert_ne!(proposal.agent_id, giver, "{strategy:?}");
            let said = proposal.decision.candidates.iter().find(|candidate| candidate.agent_id == giver).unwrap();
            assert!(said.gave_back && said.verdict == Verdict::NotPreferred, "{strategy:?}: {said:?}");
            let assignment = Assignment::Routed { decision: proposal.decision.clone() };
            desk.assign(1, proposal.agent_id, assignment);
        }
    }
}

#[test]
fn giver_gets_the_chat_again_only_if_nobody_else_can_take_it() {
    for strategy in STRATEGIES {
        let mut desk = desk(strategy);
        desk.status(BERT, AgentStatus::Away);
        desk.give_back(1, SALES, Some(ANNA), QueueReason::Transferred);
        assert_eq!(desk.propose(), [(1, ANNA)], "{strategy:?}");
    }
}

#[test]
fn giver_is_passed_over_in_another_group_after_a_move_and_after_a_restart() {
    for strategy in STRATEGIES {
        let mut desk = desk(strategy);
        desk.group(SUPPORT, strategy);
        for agent_id in [ANNA, BERT] {
            desk.add(SUPPORT, agent_id);
            desk.status(agent_id, AgentStatus::Offline);
        }
        desk.give_back(1, SALES, Some(ANNA), QueueReason::Transferred);
        desk.give_back(1, SUPPORT, None, QueueReason::Transferred);
        let mut desk = desk.restarted();
        for agent_id in [ANNA, BERT] {
            desk.status(agent_id, AgentStatus::Online);
        }
        let chats: Vec<_> = desk.propose().into_iter().filter(|(number, _)| *number == 1).collect();
        assert_eq!(chats, [(1, BERT)], "{strategy:?}");
    }
}

#[test]
fn chat_that_lost_its_agent_without_a_person_may_go_back() {
    let mut desk = desk(RoutingStrategy::Sticky);
    desk.status(ANNA, AgentStatus::Offline);
    desk.give_back(1, SALES, Some(ANNA), QueueReason::AgentOffline);
    desk.status(ANNA, AgentStatus::Online);
    assert_eq!(desk.propose(), [(1, ANNA)]);
}
