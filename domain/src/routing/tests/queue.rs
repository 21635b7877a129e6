//! Where and in which order chats wait, and what is stored of it.

use crate::agent::AgentStatus;
use crate::conversation::{ConversationEvent, Participant, QueueReason};
use crate::fixtures::{ANNA, BERT, CARA, NEXT_THREAD, SALES, SUPPORT, THREAD, VERA, VIP, at};
use crate::group::GroupEvent;
use crate::routing::tests::{Desk, chat, routed, slot_taken};
use crate::routing::{RoutingChange, RoutingState, RoutingStrategy, WaitingChat};

fn reopened(group_id: crate::ids::GroupId) -> ConversationEvent {
    ConversationEvent::ChatReopened {
        by: Participant::Visitor(VERA),
        thread_id: NEXT_THREAD,
        previous_thread_id: THREAD,
        group_id,
        last_agent_id: Some(BERT),
        at: at(7),
    }
}

#[test]
fn chat_waits_when_nobody_is_online_and_is_proposed_as_soon_as_somebody_is() {
    let mut desk = Desk::with(&[]);
    desk.register(ANNA, AgentStatus::Offline, 6);
    desk.add(SALES, ANNA);
    desk.start(1);
    assert_eq!(desk.propose(), []);
    desk.now = at(3600);
    desk.status(ANNA, AgentStatus::Online);
    assert_eq!(desk.propose(), [(1, ANNA)]);
}

#[test]
fn started_chat_is_remembered_with_all_that_matters() {
    let mut desk = Desk::with(&[]);
    desk.now = at(42);
    desk.start_in(1, SALES, Some(BERT));
    let expected = WaitingChat {
        group_id: SALES,
        arrival: desk.position,
        waiting_since: desk.position,
        since: at(42),
        last_agent_id: Some(BERT),
        given_back_by: None,
        attempts: 0,
        next_attempt_at: None,
    };
    assert_eq!(desk.state.waiting(chat(1)), Some(&expected));
    assert_eq!((desk.state.waiting_count(), desk.state.served_arrival(chat(1))), (1, None));
}

#[test]
fn first_come_is_first_served_in_each_group() {
    let mut desk = Desk::with(&[(ANNA, 2)]);
    desk.group(SUPPORT, RoutingStrategy::LeastLoaded);
    desk.register(BERT, AgentStatus::Online, 1);
    desk.add(SUPPORT, BERT);
    // The ids say nothing about the order.
    for number in [9, 5, 7] {
        desk.start(number);
        desk.start_in(number + 100, SUPPORT, None);
    }
    assert_eq!(desk.settle(), [(9, ANNA), (5, ANNA), (109, BERT)]);
    assert_eq!((desk.queue(SALES), desk.queue(SUPPORT)), (vec![7], vec![105, 107]));
    desk.close(9, Some(ANNA));
    desk.close(109, Some(BERT));
    assert_eq!(desk.settle(), [(7, ANNA), (105, BERT)]);
}

#[test]
fn three_agents_with_two_slots_each_take_six_of_seven_chats() {
    let mut desk = Desk::with(&[(ANNA, 2), (BERT, 2), (CARA, 2)]);
    (1..=7).for_each(|number| desk.start(number));
    assert_eq!(desk.settle(), [(1, ANNA), (2, BERT), (3, CARA), (4, ANNA), (5, BERT), (6, CARA)]);
    assert_eq!(desk.queue(SALES), [7]);
    desk.close(3, Some(CARA));
    assert_eq!(desk.settle(), [(7, CARA)]);
}

#[test]
fn agent_in_two_groups_is_not_promised_twice() {
    let mut desk = Desk::with(&[(ANNA, 1)]);
    desk.group(SUPPORT, RoutingStrategy::LeastLoaded);
    desk.add(SUPPORT, ANNA);
    desk.start_in(1, SUPPORT, None);
    desk.start(2);
    assert_eq!(desk.propose().len(), 1);
}

#[test]
fn proposal_counts_until_the_log_shows_it() {
    let mut desk = Desk::with(&[(ANNA, 2)]);
    desk.start(1);
    assert_eq!(desk.propose(), [(1, ANNA)]);
    desk.start(2);
    desk.start(3);
    assert_eq!(desk.propose(), [(2, ANNA)]);
    desk.assign(1, ANNA, routed(ANNA));
    desk.assign(2, ANNA, routed(ANNA));
    desk.state.wake_all();
    assert_eq!(desk.propose(), []);
}

#[test]
fn proposed_chat_is_not_proposed_again() {
    let mut desk = Desk::with(&[(ANNA, 6), (BERT, 6)]);
    desk.start(1);
    assert_eq!(desk.propose(), [(1, ANNA)]);
    desk.state.wake_all();
    assert_eq!(desk.propose(), []);
}

#[test]
fn assignment_of_which_only_the_first_half_was_read_still_counts() {
    let mut desk = Desk::with(&[(ANNA, 1)]);
    desk.start(1);
    desk.start(2);
    assert_eq!(desk.propose(), [(1, ANNA)]);
    desk.on_chat(1, super::assigned(ANNA, routed(ANNA)));
    desk.state.wake_all();
    assert_eq!(desk.propose(), [], "a page of the log may end inside an append");
    desk.on_agent(ANNA, slot_taken(1));
    desk.state.wake_all();
    assert_eq!(desk.propose(), []);
}

#[test]
fn assignment_whose_second_half_was_read_first_counts_once() {
    let mut desk = Desk::with(&[(ANNA, 2)]);
    desk.start(1);
    desk.on_agent(ANNA, slot_taken(1));
    assert_eq!(desk.propose(), [(1, ANNA)], "which will be refused");
    desk.on_chat(1, super::assigned(ANNA, routed(ANNA)));
    desk.start(2);
    assert_eq!(desk.propose(), [(2, ANNA)]);
}

#[test]
fn assigned_chat_leaves_the_queue_and_keeps_its_place_in_mind() {
    for manually in [true, false] {
        let mut desk = Desk::with(&[(ANNA, 6)]);
        desk.start(1);
        let arrival = desk.position;
        if manually {
            desk.assign_manually(1, ANNA)
        } else {
            desk.assign(1, ANNA, routed(ANNA))
        }
        assert_eq!((desk.state.waiting(chat(1)), desk.queue(SALES)), (None, vec![]));
        assert_eq!(desk.state.served_arrival(chat(1)), Some(arrival));
        assert_eq!(desk.state.agent(ANNA).unwrap().slots, [chat(1)].into());
        assert_eq!(desk.propose(), []);
    }
}

#[test]
fn closed_chat_leaves_the_queue() {
    let mut desk = Desk::with(&[]);
    desk.start(1);
    desk.start(2);
    desk.close(1, None);
    assert_eq!((desk.queue(SALES), desk.state.waiting_count()), (vec![2], 1));
    assert_eq!(desk.state.served_arrival(chat(1)), None);
}

#[test]
fn served_chat_that_closes_is_forgotten() {
    let mut desk = Desk::with(&[(ANNA, 6)]);
    desk.start(1);
    desk.settle();
    desk.close(1, Some(ANNA));
    assert_eq!(desk.state.served_arrival(chat(1)), None);
    assert!(desk.state.agent(ANNA).unwrap().slots.is_empty());
}

#[test]
fn chat_of_a_lost_agent_gets_its_place_back() {
    for reason in
        [QueueReason::AgentOffline, QueueReason::AgentDeleted, QueueReason::AgentLeftGroup, QueueReason::GroupDeleted]
    {
        let mut desk = Desk::with(&[(ANNA, 2)]);
        (1..=4).for_each(|number| desk.start(number));
        assert_eq!(desk.settle(), [(1, ANNA), (2, ANNA)]);
        desk.status(ANNA, AgentStatus::Offline);
        desk.give_back(2, SALES, Some(ANNA), reason);
        desk.give_back(1, SALES, Some(ANNA), reason);
        assert_eq!(desk.queue(SALES), [1, 2, 3, 4], "{reason:?}");
    }
}

#[test]
fn returned_chat_waits_anew_but_keeps_its_place() {
    let mut desk = Desk::with(&[(ANNA, 2)]);
    desk.start(1);
    let arrival = desk.position;
    desk.settle();
    desk.now = at(60);
    desk.on_chat(
        1,
        ConversationEvent::ChatReturnedToQueue {
            group_id: SALES,
            previous_agent_id: Some(ANNA),
            reason: QueueReason::AgentOffline,
            handover: None,
            at: at(60),
        },
    );
    let expected = WaitingChat {
        group_id: SALES,
        arrival,
        waiting_since: desk.position,
        since: at(60),
        last_agent_id: Some(ANNA),
        given_back_by: None,
        attempts: 0,
        next_attempt_at: None,
    };
    assert_eq!(desk.state.waiting(chat(1)), Some(&expected));
    assert_eq!(desk.state.served_arrival(chat(1)), None);
}

#[test]
fn place_survives_being_handed_from_agent_to_agent() {
    let mut desk = Desk::with(&[(ANNA, 1), (BERT, 1)]);
    desk.start(1);
    desk.settle();
    desk.start(2);
    desk.assign_manually(1, BERT);
    desk.on_agent(ANNA, super::slot_freed(1));
    desk.status(ANNA, AgentStatus::Offline);
    desk.give_back(1, SALES, Some(BERT), QueueReason::AgentOffline);
    assert_eq!(desk.queue(SALES), [1, 2]);
}

#[test]
fn transferred_chat_goes_to_the_end() {
    let mut desk = Desk::with(&[(ANNA, 1)]);
    desk.group(SUPPORT, RoutingStrategy::LeastLoaded);
    desk.start(1);
    desk.settle();
    desk.start(2);
    desk.start_in(3, SUPPORT, None);
    desk.give_back(1, SUPPORT, Some(ANNA), QueueReason::Transferred);
    desk.give_back(2, SUPPORT, None, QueueReason::Transferred);
    assert_eq!((desk.queue(SALES), desk.queue(SUPPORT)), (vec![], vec![3, 1, 2]));
}

#[test]
fn waiting_chat_that_is_transferred_still_knows_the_visitors_last_agent() {
    let mut desk = Desk::with(&[]);
    desk.start_in(1, SALES, Some(BERT));
    desk.give_back(1, SUPPORT, None, QueueReason::Transferred);
    assert_eq!(desk.state.waiting(chat(1)).unwrap().last_agent_id, Some(BERT));
}

#[test]
fn chat_of_a_deleted_group_moves_with_its_place() {
    let mut desk = Desk::with(&[]);
    desk.start(1);
    desk.start_in(2, SUPPORT, None);
    desk.give_back(1, SUPPORT, None, QueueReason::GroupDeleted);
    assert_eq!(desk.queue(SUPPORT), [1, 2]);
}

#[test]
fn reopened_chat_goes_to_the_end() {
    let mut desk = Desk::with(&[]);
    desk.start(1);
    desk.start(2);
    desk.close(1, None);
    desk.on_chat(1, reopened(SALES));
    assert_eq!(desk.queue(SALES), [2, 1]);
    assert_eq!(desk.state.waiting(chat(1)).unwrap().last_agent_id, Some(BERT));
}

#[test]
fn chats_of_a_deleted_group_wait_until_it_is_restored() {
    let mut desk = Desk::with(&[(ANNA, 6)]);
    desk.on_group(SALES, GroupEvent::GroupDeleted { at: at(1) });
    desk.start(1);
    assert_eq!(desk.propose(), []);
    assert_eq!(desk.queue(SALES), [1]);
    desk.on_group(SALES, GroupEvent::GroupRestored { at: at(2) });
    assert_eq!(desk.propose(), [(1, ANNA)]);
}

#[test]
fn chat_of_an_unknown_group_waits_until_the_group_is_known() {
    let mut desk = Desk::with(&[(ANNA, 6)]);
    desk.start_in(1, SUPPORT, None);
    assert_eq!(desk.propose(), []);
    desk.group(SUPPORT, RoutingStrategy::RoundRobin);
    desk.add(SUPPORT, ANNA);
    assert_eq!(desk.propose(), [(1, ANNA)]);
}

#[test]
fn round_robin_counts_proposals_that_are_not_in_the_log_yet() {
    let mut desk = Desk::with(&[(ANNA, 6), (BERT, 6), (CARA, 6)]);
    desk.strategy(RoutingStrategy::RoundRobin);
    desk.start(1);
    assert_eq!(desk.propose(), [(1, ANNA)]);
    desk.start(2);
    desk.start(3);
    desk.start(4);
    assert_eq!(desk.propose(), [(2, BERT), (3, CARA), (4, ANNA)]);
}

#[test]
fn round_robin_goes_on_after_a_restart() {
    let mut desk = Desk::with(&[(ANNA, 6), (BERT, 6), (CARA, 6)]);
    desk.strategy(RoutingStrategy::RoundRobin);
    desk.start(1);
    desk.settle();
    desk.start(2);
    assert_eq!(desk.restarted().propose(), [(2, BERT)]);
}

#[test]
fn manual_assignment_does_not_move_the_round_robin() {
    let mut desk = Desk::with(&[(ANNA, 6), (BERT, 6), (CARA, 6)]);
    desk.strategy(RoutingStrategy::RoundRobin);
    desk.start(1);
    desk.assign_manually(1, BERT);
    desk.start(2);
    assert_eq!(desk.propose(), [(2, ANNA)]);
    assert_eq!(desk.state.group(SALES).unwrap().last_assigned, None);
}

#[test]
fn manual_assignment_counts_as_the_last_one_for_ties() {
    let mut desk = Desk::with(&[(ANNA, 6), (BERT, 6)]);
    desk.start(1);
    desk.assign_manually(1, ANNA);
    desk.close(1, Some(ANNA));
    desk.start(2);
    assert_eq!(desk.restarted().propose(), [(2, BERT)]);
    assert_eq!(desk.propose(), [(2, BERT)]);
}

#[test]
fn sticky_chat_goes_to_the_agent_of_the_last_chat_if_they_can() {
    let mut desk = Desk::with(&[(ANNA, 6), (BERT, 1)]);
    desk.strategy(RoutingStrategy::Sticky);
    desk.start_in(1, SALES, Some(BERT));
    desk.start_in(2, SALES, Some(BERT));
    assert_eq!(desk.settle(), [(1, BERT), (2, ANNA)]);
}

#[test]
fn messages_visitors_and_tags_do_not_matter_to_the_router() {
    use crate::event::AnyEvent;
    use crate::tag::TagEvent;
    use crate::thread::ThreadEvent;
    let mut desk = Desk::with(&[]);
    desk.start(1);
    let before = desk.state.clone();
    let others = [
        AnyEvent::Thread(ThreadEvent::AgentJoined { agent_id: ANNA, cause: None, at: at(1) }),
        AnyEvent::Tag(TagEvent::TagDeleted { at: at(1) }),
    ];
    for event in others {
        assert!(!RoutingState::handles(&event));
        assert_eq!(desk.log(chat(1), event), []);
    }
    assert_eq!(desk.on_chat(1, ConversationEvent::ChatTagged { tag_id: VIP, by: ANNA, at: at(1) }), []);
    assert_eq!(desk.on_chat(1, ConversationEvent::ChatUntagged { tag_id: VIP, by: ANNA, at: at(1) }), []);
    assert_eq!(desk.state, before);
}

#[test]
fn fold_tells_what_to_store() {
    let mut desk = Desk::with(&[(ANNA, 6)]);
    desk.start(1);
    assert_eq!(
        desk.on_chat(1, super::assigned(ANNA, routed(ANNA))),
        [RoutingChange::Chat(chat(1)), RoutingChange::Group(SALES)]
    );
    assert_eq!(desk.on_agent(ANNA, slot_taken(1)), [RoutingChange::Agent(ANNA)]);
    assert_eq!(desk.on_chat(1, super::closed(Some(ANNA))), [RoutingChange::Chat(chat(1))]);
    assert_eq!(desk.on_agent(ANNA, super::slot_freed(1)), [RoutingChange::Agent(ANNA)]);
    assert_eq!(desk.on_chat(1, reopened(SALES)), [RoutingChange::Chat(chat(1))]);
    assert_eq!(desk.on_group(SALES, GroupEvent::GroupDeleted { at: at(1) }), [RoutingChange::Group(SALES)]);
}
