//! How evenly a thousand chats are spread.

use std::collections::BTreeMap;

use crate::agent::AgentStatus;
use crate::fixtures::{ANNA, SALES};
use crate::ids::AgentId;
use crate::routing::RoutingStrategy;
use crate::routing::RoutingStrategy::{LeastLoaded, RoundRobin, Sticky};
use crate::routing::tests::{Desk, agent};

const CHATS: u128 = 1_000;

fn desk(strategy: RoutingStrategy, agents: &[(AgentId, i64)]) -> Desk {
    let mut desk = Desk::with(agents);
    desk.strategy(strategy);
    desk
}

/// Agents with the same limit.
fn agents(count: u128, limit: i64) -> Vec<(AgentId, i64)> {
    (1..=count).map(|number| (agent(number), limit)).collect()
}

fn active(desk: &Desk, agent_id: AgentId) -> usize {
    desk.state.agent(agent_id).unwrap().slots.len()
}

/// The least and the most chats that these agents serve.
fn bounds(desk: &Desk, agents: &[(AgentId, i64)]) -> (usize, usize) {
    let loads = || agents.iter().map(|(agent_id, _)| active(desk, *agent_id));
    (loads().min().unwrap(), loads().max().unwrap())
}

/// One chat after the other, each closed before the next comes; how many each agent had.
fn one_by_one(mut desk: Desk) -> BTreeMap<AgentId, usize> {
    let mut counts = BTreeMap::new();
    for number in 0..CHATS {
        desk.start(number);
        let assigned = desk.settle();
        let [(_, agent_id)] = assigned[..] else { panic!("one chat, one assignment: {assigned:?}") };
        desk.close(number, Some(agent_id));
        *counts.entry(agent_id).or_default() += 1;
    }
    counts
}

#[test]
fn round_robin_gives_each_of_seven_agents_142_or_143_chats() {
    let counts = one_by_one(desk(RoundRobin, &agents(7, 6)));
    let expected: Vec<usize> = vec![143, 143, 143, 143, 143, 143, 142];
    assert_eq!(counts.into_values().collect::<Vec<_>>(), expected);
}

#[test]
fn round_robin_does_not_regard_the_limits_until_they_are_reached() {
    let mut desk = desk(RoundRobin, &[(agent(1), 20), (agent(2), 5), (agent(3), 20)]);
    (0..15).for_each(|number| desk.start(number));
    desk.settle();
    assert_eq!([1, 2, 3].map(|number| active(&desk, agent(number))), [5, 5, 5]);
    (15..CHATS).for_each(|number| desk.start(number));
    desk.settle();
    assert_eq!([1, 2, 3].map(|number| active(&desk, agent(number))), [20, 5, 20]);
}

#[test]
fn least_loaded_fills_equal_agents_evenly_at_every_step() {
    let agents = agents(50, 20);
    let mut desk = desk(LeastLoaded, &agents);
    for number in 0..CHATS {
        desk.start(number);
        assert_eq!(desk.settle().len(), 1);
        let (least, most) = bounds(&desk, &agents);
        assert!(most - least <= 1, "after chat {number}: {least} to {most}");
    }
    assert_eq!(bounds(&desk, &agents), (20, 20));
}

#[test]
fn least_loaded_fills_agents_in_proportion_to_their_limits() {
    let (small, large) = (agents(40, 5), (41..=80).map(|number| (agent(number), 20)).collect::<Vec<_>>());
    let mut desk = desk(LeastLoaded, &[small.clone(), large.clone()].concat());
    // Room for 40 × 5 + 40 × 20 = 1,000: a fifth of the chats fills a fifth of each agent.
    for fifth in 1..=5 {
        (0..CHATS / 5).for_each(|number| desk.start(fifth * CHATS + number));
        desk.settle();
        let fifth = usize::try_from(fifth).unwrap();
        assert_eq!(bounds(&desk, &small), (fifth, fifth));
        assert_eq!(bounds(&desk, &large), (4 * fifth, 4 * fifth));
    }
}

#[test]
fn least_loaded_gives_idle_agents_turns_of_equal_number() {
    let counts = one_by_one(desk(LeastLoaded, &agents(8, 6)));
    assert_eq!(counts.into_values().collect::<Vec<_>>(), [125; 8]);
}

#[test]
fn sticky_serves_every_returning_visitor_by_their_agent_while_there_is_room() {
    let agents = agents(50, 20);
    let mut desk = desk(Sticky, &agents);
    let mut expected = vec![];
    for number in 0..CHATS {
        let last = agent(number % 50 + 1);
        desk.start_in(number, SALES, Some(last));
        expected.push((number, last));
    }
    assert_eq!(desk.settle(), expected);
    assert_eq!(bounds(&desk, &agents), (20, 20));
}

#[test]
fn sticky_spreads_what_the_favourite_cannot_take_evenly_over_the_others() {
    let others = agents(49, 20);
    let mut desk = desk(Sticky, &[others.clone(), vec![(ANNA, 20)]].concat());
    for number in 0..CHATS {
        desk.start_in(number, SALES, Some(ANNA));
        desk.settle();
        let so_far = usize::try_from(number).unwrap() + 1;
        assert_eq!(active(&desk, ANNA), so_far.min(20));
        let (least, most) = bounds(&desk, &others);
        assert!(most - least <= 1, "after chat {number}: {least} to {most}");
    }
    assert_eq!(bounds(&desk, &others), (20, 20));
}

#[test]
fn round_robin_skips_whoever_is_away_and_stays_even_among_the_others() {
    let agents = agents(7, 20);
    let mut desk = desk(RoundRobin, &agents);
    let mut turns: BTreeMap<AgentId, Vec<u128>> = BTreeMap::new();
    // Each hundred chats another two are away.
    for hundred in 0..CHATS / 100 {
        let away = [agent(hundred % 7 + 1), agent((hundred + 3) % 7 + 1)];
        away.iter().for_each(|agent_id| desk.status(*agent_id, AgentStatus::Away));
        let mut counts = BTreeMap::new();
        for number in hundred * 100..(hundred + 1) * 100 {
            desk.start(number);
            let [(_, agent_id)] = desk.settle()[..] else { panic!("one chat, one assignment") };
            desk.close(number, Some(agent_id));
            assert!(!away.contains(&agent_id));
            turns.entry(agent_id).or_default().push(number);
            *counts.entry(agent_id).or_insert(0) += 1;
            let (least, most) = (counts.values().min().unwrap(), counts.values().max().unwrap());
            assert!(counts.len() < 5 || most - least <= 1, "after chat {number}: {counts:?}");
        }
        assert_eq!(counts.into_values().collect::<Vec<_>>(), [20; 5]);
        away.iter().for_each(|agent_id| desk.status(*agent_id, AgentStatus::Online));
    }
    assert_eq!(turns.values().map(Vec::len).sum::<usize>(), 1_000);
}

#[test]
fn least_loaded_never_lets_relative_loads_differ_by_more_than_a_chat() {
    // 8 × (1 + 2 + … + 20) = 1,680 slots of 160 agents with each limit there is.
    let agents: Vec<_> = (1..=160).map(|number| (agent(number), i64::try_from(number % 20).unwrap() + 1)).collect();
    let mut desk = desk(LeastLoaded, &agents);
    let shares = |desk: &Desk| {
        let share = |(agent_id, limit): &(AgentId, i64)| (active(desk, *agent_id), usize::try_from(*limit).unwrap());
        agents.iter().map(share).collect::<Vec<_>>()
    };
    for number in 0..CHATS {
        let before = shares(&desk);
        desk.start(number);
        let [(_, chosen)] = desk.settle()[..] else { panic!("one chat, one assignment") };
        let place = agents.iter().position(|(agent_id, _)| *agent_id == chosen).unwrap();
        let (chats, limit) = before[place];
        // The agent who gets the chat had the smallest share before: a/limit_a <= b/limit_b.
        for (others_chats, others_limit) in before.into_iter().filter(|(chats, limit)| chats < limit) {
            assert!(chats * others_limit <= others_chats * limit, "chat {number}");
        }
    }
    let chats: usize = shares(&desk).iter().map(|(chats, _)| chats).sum();
    assert_eq!(chats, 1_000);
}

#[test]
fn sticky_takes_the_last_agent_whenever_they_are_eligible_and_else_whom_least_loaded_would() {
    // Ten more than have visitors of their own, so that an agent is always free.
    let agents = agents(60, 20);
    let mut desk = desk(Sticky, &agents);
    let (mut kept, mut elsewhere) = (0, 0);
    for number in 0..CHATS {
        let last = agent(number % 50 + 1);
        let is_away = number % 3 == 0;
        if is_away {
            desk.status(last, AgentStatus::Away);
        }
        let mut without = desk.clone();
        without.strategy(LeastLoaded);
        without.start(number);
        let [(_, least_loaded)] = without.settle()[..] else { panic!("one chat, one assignment") };
        let has_room = active(&desk, last) < 20;
        desk.start_in(number, SALES, Some(last));
        let [(_, chosen)] = desk.settle()[..] else { panic!("one chat, one assignment") };
        if is_away || !has_room {
            assert_eq!(chosen, least_loaded, "chat {number}");
            elsewhere += 1;
        } else {
            assert_eq!(chosen, last, "chat {number}");
            kept += 1;
        }
        desk.status(last, AgentStatus::Online);
    }
    assert!(kept >= 500 && elsewhere >= 300, "{kept} and {elsewhere}");
}
