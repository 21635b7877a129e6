//! What happens to proposals that cannot be carried out.

use crate::conversation::QueueReason;
use crate::fixtures::{ANNA, BERT, SALES, SUPPORT, at};
use crate::routing::tests::{Desk, chat, routed};
use crate::routing::{RoutingChange, RoutingStrategy};

#[test]
fn failed_proposal_is_tried_again_at_its_time_and_not_before() {
    let mut desk = Desk::with(&[(ANNA, 1)]);
    desk.start(1);
    assert_eq!(desk.propose(), [(1, ANNA)]);
    assert_eq!(desk.fail(1, at(5)), Some(RoutingChange::Chat(chat(1))));
    assert_eq!(desk.state.next_retry(), Some(at(5)));

    desk.now = at(4);
    desk.state.wake_all();
    assert_eq!(desk.propose(), []);
    desk.now = at(5);
    let proposals = desk.proposals();
    assert_eq!(super::pairs(&proposals), [(1, ANNA)]);
    assert_eq!(proposals[0].decision.attempt, 2);
    assert_eq!(desk.state.next_retry(), None);
}

#[test]
fn every_failure_is_counted() {
    let mut desk = Desk::with(&[(ANNA, 1)]);
    desk.start(1);
    for attempt in 1..=4 {
        desk.now = at(10 * i64::from(attempt));
        let proposals = desk.proposals();
        assert_eq!(proposals[0].decision.attempt, attempt);
        desk.fail(1, at(10 * i64::from(attempt + 1)));
        let chat = desk.state.waiting(chat(1)).unwrap();
        assert_eq!((chat.attempts, chat.next_attempt_at), (attempt, Some(at(10 * i64::from(attempt + 1)))));
    }
}

#[test]
fn second_failure_replaces_the_time_of_the_first() {
    let mut desk = Desk::with(&[(ANNA, 1)]);
    desk.start(1);
    desk.propose();
    desk.fail(1, at(5));
    desk.fail(1, at(9));
    desk.now = at(5);
    assert_eq!(desk.propose(), []);
    desk.now = at(9);
    assert_eq!(desk.propose(), [(1, ANNA)]);
}

#[test]
fn others_are_served_while_one_waits_for_its_retry() {
    let mut desk = Desk::with(&[(ANNA, 1)]);
    desk.start(1);
    desk.propose();
    desk.fail(1, at(5));
    desk.start(2);
    assert_eq!(desk.propose(), [(2, ANNA)]);
}

#[test]
fn retry_comes_before_who_came_later() {
    let mut desk = Desk::with(&[(ANNA, 1)]);
    desk.start(1);
    desk.start(2);
    assert_eq!(desk.propose(), [(1, ANNA)]);
    desk.fail(1, at(5));
    desk.now = at(5);
    assert_eq!(desk.propose(), [(1, ANNA)]);
}

#[test]
fn slot_of_a_failed_proposal_is_offered_to_the_agents_other_groups_too() {
    let mut desk = Desk::with(&[(ANNA, 1)]);
    desk.group(SUPPORT, RoutingStrategy::LeastLoaded);
    desk.add(SUPPORT, ANNA);
    desk.start(1);
    assert_eq!(desk.propose(), [(1, ANNA)]);
    desk.start_in(2, SUPPORT, None);
    assert_eq!(desk.propose(), []);
    desk.fail(1, at(5));
    desk.close(1, None);
    desk.now = at(5);
    assert_eq!(desk.propose(), [(2, ANNA)]);
}

#[test]
fn failed_chat_that_leaves_does_not_take_the_wake_up_with_it() {
    let mut desk = Desk::with(&[(ANNA, 1), (BERT, 1)]);
    desk.start(1);
    desk.start(2);
    desk.start(3);
    assert_eq!(desk.propose(), [(1, ANNA), (2, BERT)]);
    desk.assign(2, BERT, routed(BERT));
    desk.fail(1, at(5));
    desk.close(1, None);
    desk.now = at(5);
    assert_eq!(desk.propose(), [(3, ANNA)]);
}

#[test]
fn chat_that_leaves_the_queue_is_not_retried() {
    for leave in [|desk: &mut Desk| desk.close(1, None), |desk: &mut Desk| desk.assign_manually(1, BERT)] {
        let mut desk = Desk::with(&[(ANNA, 1), (BERT, 1)]);
        desk.start(1);
        desk.propose();
        desk.fail(1, at(5));
        leave(&mut desk);
        desk.now = at(5);
        assert_eq!(desk.propose(), []);
    }
}

#[test]
fn failure_of_an_earlier_wait_changes_nothing() {
    let mut desk = Desk::with(&[(ANNA, 1)]);
    desk.start(1);
    let earlier = desk.state.waiting(chat(1)).unwrap().waiting_since;
    desk.propose();
    desk.give_back(1, SUPPORT, None, QueueReason::Transferred);
    let before = desk.state.clone();
    assert_eq!(desk.state.fail(chat(1), earlier, at(5)), None);
    desk.state.release(chat(1), earlier);
    assert_eq!(desk.state, before);
}

#[test]
fn failure_of_a_chat_that_does_not_wait_changes_nothing() {
    let mut desk = Desk::with(&[(ANNA, 1)]);
    let before = desk.state.clone();
    assert_eq!(desk.state.fail(chat(1), 1, at(5)), None);
    desk.state.release(chat(1), 1);
    assert_eq!(desk.state, before);
}

#[test]
fn returned_chat_starts_with_a_clean_slate() {
    let mut desk = Desk::with(&[(ANNA, 1)]);
    desk.start(1);
    desk.propose();
    desk.fail(1, at(5));
    desk.assign_manually(1, BERT);
    desk.give_back(1, SALES, None, QueueReason::AgentOffline);
    let waiting = desk.state.waiting(chat(1)).unwrap();
    assert_eq!((waiting.attempts, waiting.next_attempt_at), (0, None));
    assert_eq!(desk.propose(), [(1, ANNA)]);
}

#[test]
fn retries_survive_a_restart() {
    let mut desk = Desk::with(&[(ANNA, 1)]);
    desk.start(1);
    desk.propose();
    desk.fail(1, at(5));
    let mut desk = desk.restarted();
    assert_eq!((desk.propose(), desk.state.next_retry()), (vec![], Some(at(5))));
    desk.now = at(5);
    let proposals = desk.proposals();
    assert_eq!((super::pairs(&proposals), proposals[0].decision.attempt), (vec![(1, ANNA)], 2));
}

#[test]
fn overtaken_proposal_leaves_its_slot_to_the_next_at_once() {
    let mut desk = Desk::with(&[(ANNA, 1)]);
    desk.start(1);
    desk.start(2);
    assert_eq!(desk.propose(), [(1, ANNA)]);
    desk.release(1);
    assert_eq!(desk.propose(), [(2, ANNA)], "and chat 1 is not proposed before its event comes");
}

#[test]
fn overtaken_chat_that_waits_anew_is_proposed_again() {
    let mut desk = Desk::with(&[(ANNA, 1)]);
    desk.start(1);
    desk.propose();
    desk.release(1);
    desk.assign_manually(1, BERT);
    desk.give_back(1, SALES, None, QueueReason::AgentOffline);
    assert_eq!(desk.propose(), [(1, ANNA)]);
}

#[test]
fn overtaken_chat_whose_event_never_comes_is_found_by_the_sweep() {
    let mut desk = Desk::with(&[(ANNA, 1)]);
    desk.start(1);
    desk.propose();
    desk.release(1);
    assert_eq!(desk.propose(), []);
    desk.state.wake_all();
    assert_eq!(desk.propose(), [(1, ANNA)]);
}
