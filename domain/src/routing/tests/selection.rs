//! Which agent a strategy chooses, and which agents are eligible.

use std::collections::BTreeSet;

use crate::agent::AgentStatus;
use crate::fixtures::{ANNA, BERT, CARA};
use crate::ids::AgentId;
use crate::routing::RoutingStrategy::{LeastLoaded, RoundRobin, Sticky};
use crate::routing::tests::{agent, chat, limit};
use crate::routing::{Eligible, RoutedAgent, RoutingStrategy, Verdict, judge, select};

fn eligible(agent_id: AgentId, active_chats: usize, chat_limit: usize, last_assigned: (u64, i64)) -> Eligible {
    Eligible { agent_id, active_chats, chat_limit, last_assigned }
}

fn idle(agent_ids: &[AgentId]) -> Vec<Eligible> {
    agent_ids.iter().map(|agent_id| eligible(*agent_id, 0, 6, (0, 0))).collect()
}

#[test]
fn nobody_is_chosen_of_nobody() {
    for strategy in [RoundRobin, LeastLoaded, Sticky] {
        assert_eq!(select(strategy, &[], Some(ANNA), Some(ANNA)), None);
    }
}

#[test]
fn round_robin_begins_with_the_first() {
    assert_eq!(select(RoundRobin, &idle(&[ANNA, BERT, CARA]), None, None), Some(ANNA));
}

#[test]
fn round_robin_continues_after_the_last_and_wraps() {
    let all = idle(&[ANNA, BERT, CARA]);
    assert_eq!(select(RoundRobin, &all, Some(ANNA), None), Some(BERT));
    assert_eq!(select(RoundRobin, &all, Some(BERT), None), Some(CARA));
    assert_eq!(select(RoundRobin, &all, Some(CARA), None), Some(ANNA));
}

#[test]
fn round_robin_skips_who_is_not_eligible() {
    assert_eq!(select(RoundRobin, &idle(&[ANNA, CARA]), Some(ANNA), None), Some(CARA));
    assert_eq!(select(RoundRobin, &idle(&[BERT]), Some(CARA), None), Some(BERT));
    assert_eq!(select(RoundRobin, &idle(&[BERT]), Some(BERT), None), Some(BERT));
}

#[test]
fn round_robin_continues_where_a_missing_agent_stood() {
    assert_eq!(select(RoundRobin, &idle(&[ANNA, CARA]), Some(BERT), None), Some(CARA));
}

#[test]
fn round_robin_regards_neither_load_nor_the_last_chat() {
    let agents = [eligible(ANNA, 0, 20, (0, 0)), eligible(BERT, 5, 6, (9, 9))];
    assert_eq!(select(RoundRobin, &agents, Some(ANNA), Some(ANNA)), Some(BERT));
}

#[test]
fn least_loaded_is_relative_to_the_limit() {
    let agents = [eligible(ANNA, 2, 3, (0, 0)), eligible(BERT, 3, 6, (0, 0)), eligible(CARA, 9, 20, (0, 0))];
    assert_eq!(select(LeastLoaded, &agents, None, None), Some(CARA));
    assert_eq!(select(LeastLoaded, &agents[..2], None, None), Some(BERT));
}

#[test]
fn equal_shares_of_different_limits_are_a_tie() {
    let agents = [eligible(ANNA, 1, 3, (0, 7)), eligible(BERT, 2, 6, (0, 5))];
    assert_eq!(select(LeastLoaded, &agents, None, None), Some(BERT));
}

#[test]
fn tie_goes_to_the_longest_since_the_last_assignment_then_to_the_first() {
    let agents = [eligible(ANNA, 1, 6, (0, 30)), eligible(BERT, 1, 6, (0, 10)), eligible(CARA, 1, 6, (0, 20))];
    assert_eq!(select(LeastLoaded, &agents, None, None), Some(BERT));
    assert_eq!(select(LeastLoaded, &idle(&[ANNA, BERT]), None, None), Some(ANNA));
}

#[test]
fn assignments_of_this_process_are_later_than_all_in_the_log_before_it() {
    let agents = [eligible(ANNA, 1, 6, (1, 0)), eligible(BERT, 1, 6, (0, 1_000_000))];
    assert_eq!(select(LeastLoaded, &agents, None, None), Some(BERT));
}

#[test]
fn least_loaded_does_not_regard_the_last_chat() {
    assert_eq!(select(LeastLoaded, &idle(&[ANNA, BERT]), Some(ANNA), Some(BERT)), Some(ANNA));
}

#[test]
fn sticky_prefers_the_agent_of_the_last_chat_whatever_their_load() {
    let agents = [eligible(ANNA, 0, 6, (0, 0)), eligible(BERT, 5, 6, (9, 9))];
    assert_eq!(select(Sticky, &agents, Some(BERT), Some(BERT)), Some(BERT));
}

#[test]
fn sticky_falls_back_to_the_least_loaded() {
    let agents = [eligible(ANNA, 2, 6, (0, 0)), eligible(BERT, 1, 6, (0, 0))];
    assert_eq!(select(Sticky, &agents, None, Some(CARA)), Some(BERT));
    assert_eq!(select(Sticky, &agents, None, None), Some(BERT));
}

#[test]
fn loads_are_compared_without_overflow_at_the_greatest_limits() {
    let agents: Vec<_> = (0..100).map(|number| eligible(agent(number), 19, 20, (u64::MAX, i64::MAX))).collect();
    assert_eq!(select(LeastLoaded, &agents, None, None), Some(agent(0)));
}

#[test]
fn names_of_strategies_read_back() {
    for strategy in [RoundRobin, LeastLoaded, Sticky] {
        assert_eq!(RoutingStrategy::parse(strategy.as_str()), Some(strategy));
    }
    assert_eq!(RoutingStrategy::parse("random"), None);
}

fn with_chats(chats: u128) -> RoutedAgent {
    RoutedAgent {
        status: AgentStatus::Online,
        accepting_chats: true,
        chat_limit: limit(3),
        slots: (0..chats).map(chat).collect::<BTreeSet<_>>(),
        last_assigned: 0,
        deleted: false,
    }
}

#[test]
fn agent_below_the_limit_can_take_a_chat() {
    assert_eq!(judge(&with_chats(0), 0), Ok(()));
    assert_eq!(judge(&with_chats(2), 0), Ok(()));
}

#[test]
fn chats_served_and_chats_on_their_way_count_together() {
    assert_eq!(judge(&with_chats(3), 0), Err(Verdict::AtLimit));
    assert_eq!(judge(&with_chats(2), 1), Err(Verdict::AtLimit));
    assert_eq!(judge(&with_chats(0), 3), Err(Verdict::AtLimit));
    assert_eq!(judge(&with_chats(1), 1), Ok(()));
}

#[test]
fn agent_over_the_limit_is_at_the_limit() {
    assert_eq!(judge(&with_chats(5), 2), Err(Verdict::AtLimit));
}

#[test]
fn absence_is_told_before_declining_and_declining_before_the_limit() {
    let full = with_chats(3);
    let declining = RoutedAgent { accepting_chats: false, ..full };
    let away = RoutedAgent { status: AgentStatus::Away, ..declining.clone() };
    let offline = RoutedAgent { status: AgentStatus::Offline, ..declining.clone() };
    assert_eq!(judge(&declining, 0), Err(Verdict::NotAccepting));
    assert_eq!(judge(&away, 0), Err(Verdict::Away));
    assert_eq!(judge(&offline, 0), Err(Verdict::Offline));
}
