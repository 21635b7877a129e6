//! What wakes a group's queue, and that nothing else does.

use std::collections::BTreeSet;

use crate::agent::{AgentEvent, AgentStatus};
use crate::conversation::QueueReason;
use crate::fixtures::{ANNA, BERT, CARA, SALES, SUPPORT, at};
use crate::group::GroupEvent;
use crate::ids::AgentId;
use crate::routing::RoutingStrategy;
use crate::routing::tests::{Desk, assigned, limit, routed, slot_freed, slot_taken};

/// Anna serves chat 1 with her only slot, chat 2 waits, and the router has seen that no agent is free.
fn full() -> Desk {
    let mut desk = Desk::with(&[(ANNA, 1)]);
    desk.start(1);
    desk.start(2);
    assert_eq!(desk.settle(), [(1, ANNA)]);
    assert_eq!(desk.propose(), []);
    desk
}

/// The only proposal is chat 2 for this agent.
fn is_served_by(mut desk: Desk, agent_id: AgentId) {
    assert_eq!(desk.propose(), [(2, agent_id)]);
}

#[test]
fn freed_slot_wakes_the_queue() {
    let mut desk = full();
    desk.on_agent(ANNA, slot_freed(1));
    is_served_by(desk, ANNA);
}

#[test]
fn raised_limit_wakes_the_queue() {
    let mut desk = full();
    desk.on_agent(ANNA, AgentEvent::LimitChanged { chat_limit: limit(2), at: at(1) });
    is_served_by(desk, ANNA);
}

#[test]
fn agent_who_comes_online_wakes_the_queue() {
    for before in [AgentStatus::Away, AgentStatus::Offline] {
        let mut desk = full();
        desk.register(BERT, before, 6);
        desk.add(SALES, BERT);
        assert_eq!(desk.propose(), []);
        desk.status(BERT, AgentStatus::Online);
        is_served_by(desk, BERT);
    }
}

#[test]
fn agent_who_accepts_chats_wakes_the_queue() {
    let mut desk = full();
    desk.register(BERT, AgentStatus::Online, 6);
    desk.on_agent(BERT, AgentEvent::ChatsDeclined { at: at(1) });
    desk.add(SALES, BERT);
    assert_eq!(desk.propose(), []);
    desk.on_agent(BERT, AgentEvent::ChatsAccepted { at: at(2) });
    is_served_by(desk, BERT);
}

#[test]
fn agent_who_joins_the_group_wakes_the_queue() {
    let mut desk = full();
    desk.register(BERT, AgentStatus::Online, 6);
    assert_eq!(desk.propose(), []);
    desk.add(SALES, BERT);
    is_served_by(desk, BERT);
}

#[test]
fn agent_who_registers_after_joining_wakes_the_queue() {
    let mut desk = full();
    desk.add(SALES, BERT);
    assert_eq!(desk.propose(), []);
    desk.register(BERT, AgentStatus::Online, 6);
    is_served_by(desk, BERT);
}

#[test]
fn restored_agent_takes_chats_when_online_again() {
    let mut desk = full();
    desk.register(BERT, AgentStatus::Online, 6);
    desk.on_agent(BERT, AgentEvent::AgentDeleted { at: at(1) });
    desk.add(SALES, BERT);
    assert_eq!(desk.propose(), []);
    desk.on_agent(BERT, AgentEvent::AgentRestored { at: at(2) });
    assert_eq!(desk.propose(), [], "restored agents are offline");
    desk.status(BERT, AgentStatus::Online);
    is_served_by(desk, BERT);
}

#[test]
fn restored_group_wakes_its_queue() {
    let mut desk = full();
    desk.on_group(SALES, GroupEvent::GroupDeleted { at: at(1) });
    desk.on_agent(ANNA, slot_freed(1));
    assert_eq!(desk.propose(), []);
    desk.on_group(SALES, GroupEvent::GroupRestored { at: at(2) });
    is_served_by(desk, ANNA);
}

#[test]
fn restart_wakes_every_queue() {
    let mut desk = full();
    // A wake-up that was used and whose proposal died with the process.
    desk.on_agent(ANNA, slot_freed(1));
    assert_eq!(desk.propose(), [(2, ANNA)]);
    is_served_by(desk.restarted(), ANNA);
}

#[test]
fn agents_of_other_groups_wake_nothing_here() {
    let mut desk = full();
    desk.group(SUPPORT, RoutingStrategy::LeastLoaded);
    desk.register(BERT, AgentStatus::Offline, 6);
    desk.add(SUPPORT, BERT);
    desk.propose();
    desk.status(BERT, AgentStatus::Online);
    assert_eq!(desk.awake(), BTreeSet::from([SUPPORT]));
    assert_eq!(desk.propose(), []);
}

#[test]
fn what_frees_nobody_wakes_nobody() {
    let mut desk = full();
    desk.status(ANNA, AgentStatus::Away);
    desk.status(ANNA, AgentStatus::Offline);
    desk.on_agent(ANNA, AgentEvent::ChatsDeclined { at: at(1) });
    desk.on_agent(ANNA, AgentEvent::PasswordChanged { at: at(1) });
    desk.on_agent(ANNA, AgentEvent::AgentDeleted { at: at(1) });
    assert_eq!(desk.awake(), BTreeSet::new());
}

#[test]
fn proposing_without_an_event_looks_at_no_queue() {
    let mut desk = full();
    (3..2_000).for_each(|number| desk.start(number));
    assert_eq!(desk.propose(), []);
    // Behind the router's back: had it looked at the queue, it would have seen a free agent.
    desk.state.agents.get_mut(&ANNA).unwrap().slots.clear();
    assert_eq!(desk.awake(), BTreeSet::new());
    assert_eq!(desk.propose(), []);
    desk.state.wake_all();
    is_served_by(desk, ANNA);
}

#[test]
fn chat_that_closes_before_its_assignment_leaves_its_slot_to_the_next() {
    let mut desk = Desk::with(&[(ANNA, 1)]);
    desk.start(1);
    desk.start(2);
    assert_eq!(desk.propose(), [(1, ANNA)]);
    desk.close(1, None);
    is_served_by(desk, ANNA);
}

#[test]
fn chat_that_is_transferred_before_its_assignment_leaves_its_slot_to_the_next() {
    let mut desk = Desk::with(&[(ANNA, 1)]);
    desk.group(SUPPORT, RoutingStrategy::LeastLoaded);
    desk.start(1);
    desk.start(2);
    assert_eq!(desk.propose(), [(1, ANNA)]);
    desk.give_back(1, SUPPORT, None, QueueReason::Transferred);
    is_served_by(desk, ANNA);
}

#[test]
fn chat_that_a_person_gives_to_another_leaves_its_slot_to_the_next() {
    let mut desk = Desk::with(&[(ANNA, 1)]);
    desk.register(CARA, AgentStatus::Online, 6);
    desk.start(1);
    desk.start(2);
    assert_eq!(desk.propose(), [(1, ANNA)]);
    desk.assign_manually(1, CARA);
    is_served_by(desk, ANNA);
}

#[test]
fn order_of_an_append_does_not_matter_when_a_person_gives_a_chat_to_another() {
    let mut desk = Desk::with(&[(ANNA, 1)]);
    desk.register(CARA, AgentStatus::Online, 6);
    desk.start(1);
    desk.start(2);
    assert_eq!(desk.propose(), [(1, ANNA)]);
    desk.on_agent(CARA, slot_taken(1));
    desk.on_chat(1, assigned(CARA, routed(CARA)));
    is_served_by(desk, ANNA);
}

#[test]
fn slot_that_is_left_wakes_every_group_of_its_agent() {
    let mut desk = Desk::with(&[(ANNA, 1)]);
    desk.group(SUPPORT, RoutingStrategy::LeastLoaded);
    desk.add(SUPPORT, ANNA);
    desk.start(1);
    assert_eq!(desk.propose(), [(1, ANNA)]);
    desk.start_in(2, SUPPORT, None);
    assert_eq!(desk.propose(), []);
    desk.close(1, None);
    is_served_by(desk, ANNA);
}
