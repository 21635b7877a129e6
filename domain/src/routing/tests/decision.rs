//! How a choice is explained.

use crate::agent::{AgentEvent, AgentStatus};
use crate::fixtures::{ANNA, SALES, at};
use crate::ids::AgentId;
use crate::routing::tests::{Desk, agent, chat};
use crate::routing::{Candidate, Proposal, RoutingDecision, RoutingStrategy, Verdict};

fn candidate(agent_id: AgentId, verdict: Verdict, active_chats: usize, chat_limit: usize) -> Candidate {
    Candidate { agent_id, verdict, active_chats, chat_limit, gave_back: false }
}

#[test]
fn decision_lists_the_chosen_first_and_says_why_not_the_others() {
    let mut desk =
        Desk::with(&[(agent(1), 1), (agent(2), 6), (agent(3), 6), (agent(4), 6), (agent(5), 4), (agent(6), 6)]);
    desk.start(1);
    desk.assign_manually(1, agent(1));
    desk.status(agent(2), AgentStatus::Away);
    desk.status(agent(3), AgentStatus::Offline);
    desk.on_agent(agent(4), AgentEvent::ChatsDeclined { at: at(1) });
    desk.start(2);
    desk.assign_manually(2, agent(5));
    desk.start(3);
    let expected = Proposal {
        conversation_id: chat(3),
        agent_id: agent(6),
        group_id: SALES,
        waiting_since: desk.position,
        decision: RoutingDecision {
            strategy: RoutingStrategy::LeastLoaded,
            candidates: vec![
                candidate(agent(6), Verdict::Chosen, 0, 6),
                candidate(agent(1), Verdict::AtLimit, 1, 1),
                candidate(agent(2), Verdict::Away, 0, 6),
                candidate(agent(3), Verdict::Offline, 0, 6),
                candidate(agent(4), Verdict::NotAccepting, 0, 6),
                candidate(agent(5), Verdict::NotPreferred, 1, 4),
            ],
            omitted_candidates: 0,
            attempt: 1,
        },
    };
    assert_eq!(desk.proposals(), [expected]);
}

#[test]
fn decision_counts_chats_that_are_just_being_handed_over() {
    let mut desk = Desk::with(&[(ANNA, 2)]);
    desk.start(1);
    desk.start(2);
    let proposals = desk.proposals();
    let chosen = |index: usize| proposals[index].decision.candidates[0].clone();
    assert_eq!(chosen(0), candidate(ANNA, Verdict::Chosen, 0, 2));
    assert_eq!(chosen(1), candidate(ANNA, Verdict::Chosen, 1, 2));
}

#[test]
fn decision_lists_25_and_counts_the_rest() {
    let agents: Vec<_> = (1..=30).map(|number| (agent(number), 6)).collect();
    let mut desk = Desk::with(&agents);
    desk.strategy(RoutingStrategy::Sticky);
    desk.start_in(1, SALES, Some(agent(30)));
    let decision = desk.proposals().remove(0).decision;
    assert_eq!((decision.candidates.len(), decision.omitted_candidates), (25, 5));
    assert_eq!(decision.candidates[0], candidate(agent(30), Verdict::Chosen, 0, 6));
    let others: Vec<_> = (1..25).map(|number| candidate(agent(number), Verdict::NotPreferred, 0, 6)).collect();
    assert_eq!(decision.candidates[1..], others);
}

#[test]
fn twenty_five_agents_are_all_listed() {
    let agents: Vec<_> = (1..=25).map(|number| (agent(number), 6)).collect();
    let mut desk = Desk::with(&agents);
    desk.start(1);
    let decision = desk.proposals().remove(0).decision;
    assert_eq!((decision.candidates.len(), decision.omitted_candidates), (25, 0));
}

#[test]
fn group_member_whom_the_log_does_not_know_is_no_candidate() {
    let mut desk = Desk::with(&[(ANNA, 6)]);
    desk.add(SALES, agent(1));
    desk.start(1);
    assert_eq!(desk.proposals()[0].decision.candidates, [candidate(ANNA, Verdict::Chosen, 0, 6)]);
}
