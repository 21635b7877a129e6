//! Rules of conversations.

use cqrs_es::test::TestFramework;

use super::{
    Assignment, Conversation, ConversationCommand, ConversationError, ConversationEvent, ConversationStatus,
    Participant, QueueReason, VisitorCard,
};
use crate::fixtures::{
    ANNA, BERT, CARA, NEXT_THREAD, SALES, SPAM, STRANGER, SUPPORT, THREAD, VERA, VIP, at, decision, name, note,
};
use crate::ids::{AgentId, GroupId, TagId};
use crate::testing::{given, given_nothing};
use crate::visitor::VisitorDetails;

const VISITOR: Participant = Participant::Visitor(VERA);

fn card() -> VisitorCard {
    VisitorCard { id: VERA, name: Some(name("Vera")), email: None, phone: None }
}

fn routed(agent_id: AgentId) -> Assignment {
    Assignment::Routed { decision: decision(agent_id) }
}

fn chosen() -> Assignment {
    Assignment::Manual { by: CARA, reason: Some(note("knows the case")), over_limit: false }
}

fn chat_started() -> ConversationEvent {
    ConversationEvent::ChatStarted {
        visitor: card(),
        group_id: SALES,
        thread_id: THREAD,
        last_agent_id: Some(BERT),
        at: at(0),
    }
}

fn agent_assigned(agent_id: AgentId) -> ConversationEvent {
    ConversationEvent::AgentAssigned {
        agent_id,
        previous_agent_id: None,
        thread_id: THREAD,
        assignment: routed(agent_id),
        at: at(1),
    }
}

fn chat_returned(group_id: GroupId, previous_agent_id: Option<AgentId>, reason: QueueReason) -> ConversationEvent {
    ConversationEvent::ChatReturnedToQueue { group_id, previous_agent_id, reason, handover: None, at: at(2) }
}

fn chat_closed(by: Participant, agent_id: Option<AgentId>) -> ConversationEvent {
    let notes = Some(note("ask again in May"));
    ConversationEvent::ChatClosed { by, reason: name("solved"), notes, agent_id, thread_id: THREAD, at: at(3) }
}

fn chat_reopened(last_agent_id: Option<AgentId>) -> ConversationEvent {
    ConversationEvent::ChatReopened {
        by: VISITOR,
        thread_id: NEXT_THREAD,
        previous_thread_id: THREAD,
        group_id: SALES,
        last_agent_id,
        at: at(4),
    }
}

fn chat_tagged(tag_id: TagId) -> ConversationEvent {
    ConversationEvent::ChatTagged { tag_id, by: ANNA, at: at(5) }
}

fn chat_untagged(tag_id: TagId) -> ConversationEvent {
    ConversationEvent::ChatUntagged { tag_id, by: ANNA, at: at(6) }
}

fn start() -> ConversationCommand {
    ConversationCommand::Start {
        visitor: card(),
        group_id: SALES,
        thread_id: THREAD,
        last_agent_id: Some(BERT),
        at: at(0),
    }
}

fn assign(agent_id: AgentId, assignment: Assignment) -> ConversationCommand {
    ConversationCommand::AssignAgent { agent_id, assignment, at: at(1) }
}

fn return_to_queue(reason: QueueReason, group_id: Option<GroupId>) -> ConversationCommand {
    ConversationCommand::ReturnToQueue { reason, group_id, handover: None, at: at(2) }
}

fn close(by: Participant) -> ConversationCommand {
    ConversationCommand::Close { by, reason: name("solved"), notes: Some(note("ask again in May")), at: at(3) }
}

fn change_card(text: &str) -> ConversationCommand {
    let details = VisitorDetails { name: Some(name(text)), ..VisitorDetails::default() };
    ConversationCommand::ChangeVisitorCard { details, at: at(7) }
}

fn reopen() -> ConversationCommand {
    ConversationCommand::Reopen { by: VISITOR, thread_id: NEXT_THREAD, at: at(4) }
}

fn add_tag(tag_id: TagId) -> ConversationCommand {
    ConversationCommand::AddTag { tag_id, by: ANNA, at: at(5) }
}

fn remove_tag(tag_id: TagId) -> ConversationCommand {
    ConversationCommand::RemoveTag { tag_id, by: ANNA, at: at(6) }
}

#[test]
fn chat_starts_once() {
    given_nothing::<Conversation>().when(start()).then([chat_started()]);
    given([chat_started()]).when(start()).then_error(ConversationError::AlreadyStarted);
    given([chat_started(), chat_closed(VISITOR, None)]).when(start()).then_error(ConversationError::AlreadyStarted);
}

#[test]
fn chat_that_has_not_started_refuses_everything_else() {
    for command in [
        assign(ANNA, routed(ANNA)),
        assign(ANNA, chosen()),
        return_to_queue(QueueReason::AgentOffline, None),
        return_to_queue(QueueReason::Transferred, Some(SUPPORT)),
        close(VISITOR),
        reopen(),
        add_tag(VIP),
        remove_tag(VIP),
        change_card("Vera B."),
    ] {
        given_nothing::<Conversation>().when(command).then_error(ConversationError::NotStarted);
    }
}

#[test]
fn started_chat_waits_in_its_group_with_its_first_thread() {
    let state = given([chat_started()]).state();
    assert_eq!(state.status, ConversationStatus::Pending);
    assert_eq!(state.visitor_id, Some(VERA));
    assert_eq!(state.group_id, Some(SALES));
    assert_eq!(state.agent_id, None);
    assert_eq!(state.last_agent_id, None, "Bert served another chat of the visitor, not this one");
    assert_eq!(state.active_thread_id, Some(THREAD));
    assert_eq!(state.thread_ids, [THREAD]);
}

#[test]
fn router_assigns_an_agent_to_a_waiting_chat() {
    given([chat_started()]).when(assign(ANNA, routed(ANNA))).then([agent_assigned(ANNA)]);
    let state = given([chat_started(), agent_assigned(ANNA)]).state();
    assert_eq!((state.status, state.agent_id), (ConversationStatus::Active, Some(ANNA)));
}

#[test]
fn router_never_replaces_an_agent() {
    given([chat_started(), agent_assigned(ANNA)])
        .when(assign(BERT, routed(BERT)))
        .then_error(ConversationError::AlreadyAssigned);
    given([chat_started(), agent_assigned(ANNA)])
        .when(assign(ANNA, routed(ANNA)))
        .then_error(ConversationError::AlreadyAssigned);
}

#[test]
fn person_replaces_an_agent() {
    given([chat_started(), agent_assigned(ANNA)]).when(assign(BERT, chosen())).then([
        ConversationEvent::AgentAssigned {
            agent_id: BERT,
            previous_agent_id: Some(ANNA),
            thread_id: THREAD,
            assignment: chosen(),
            at: at(1),
        },
    ]);
}

#[test]
fn assigning_the_present_agent_changes_nothing() {
    given([chat_started(), agent_assigned(ANNA)]).when(assign(ANNA, chosen())).then_nothing();
}

#[test]
fn closed_chat_refuses_another_agent() {
    for assignment in [routed(ANNA), chosen()] {
        given([chat_started(), chat_closed(VISITOR, None)])
            .when(assign(ANNA, assignment))
            .then_error(ConversationError::ChatClosed);
    }
}

#[test]
fn assignment_names_the_thread_that_is_open_now() {
    let past = [chat_started(), chat_closed(VISITOR, None), chat_reopened(None)];
    given(past).when(assign(ANNA, routed(ANNA))).then([ConversationEvent::AgentAssigned {
        agent_id: ANNA,
        previous_agent_id: None,
        thread_id: NEXT_THREAD,
        assignment: routed(ANNA),
        at: at(1),
    }]);
}

#[test]
fn chat_of_a_lost_agent_waits_again_in_its_group() {
    for reason in [QueueReason::AgentOffline, QueueReason::AgentDeleted, QueueReason::AgentLeftGroup] {
        given([chat_started(), agent_assigned(ANNA)]).when(return_to_queue(reason, None)).then([chat_returned(
            SALES,
            Some(ANNA),
            reason,
        )]);
    }
    let past = [chat_started(), agent_assigned(ANNA), chat_returned(SALES, Some(ANNA), QueueReason::AgentOffline)];
    let state = given(past).state();
    assert_eq!((state.status, state.agent_id), (ConversationStatus::Pending, None));
    assert_eq!(state.last_agent_id, Some(ANNA));
    assert_eq!(state.active_thread_id, Some(THREAD), "the thread goes on");
}

#[test]
fn router_may_assign_a_chat_that_waits_again() {
    given([chat_started(), agent_assigned(ANNA), chat_returned(SALES, Some(ANNA), QueueReason::AgentOffline)])
        .when(assign(BERT, routed(BERT)))
        .then([agent_assigned(BERT)]);
}

#[test]
fn chat_is_transferred_to_another_group_with_or_without_an_agent() {
    let transfer = || return_to_queue(QueueReason::Transferred, Some(SUPPORT));
    given([chat_started()]).when(transfer()).then([chat_returned(SUPPORT, None, QueueReason::Transferred)]);
    given([chat_started(), agent_assigned(ANNA)]).when(transfer()).then([chat_returned(
        SUPPORT,
        Some(ANNA),
        QueueReason::Transferred,
    )]);
    let state = given([chat_started(), chat_returned(SUPPORT, None, QueueReason::Transferred)]).state();
    assert_eq!(state.group_id, Some(SUPPORT));
}

#[test]
fn transfer_to_the_present_group_takes_the_chat_from_its_agent() {
    given([chat_started(), agent_assigned(ANNA)])
        .when(return_to_queue(QueueReason::Transferred, Some(SALES)))
        .then([chat_returned(SALES, Some(ANNA), QueueReason::Transferred)]);
}

#[test]
fn chat_that_waits_there_already_does_not_return() {
    given([chat_started()]).when(return_to_queue(QueueReason::AgentOffline, None)).then_nothing();
    given([chat_started()]).when(return_to_queue(QueueReason::Transferred, Some(SALES))).then_nothing();
}

#[test]
fn closed_chat_does_not_return_to_the_queue() {
    given([chat_started(), chat_closed(VISITOR, None)])
        .when(return_to_queue(QueueReason::Transferred, Some(SUPPORT)))
        .then_error(ConversationError::ChatClosed);
}

#[test]
fn chat_closes_while_it_waits_and_while_it_is_served() {
    given([chat_started()]).when(close(VISITOR)).then([chat_closed(VISITOR, None)]);
    let anna = Participant::Agent(ANNA);
    given([chat_started(), agent_assigned(ANNA)]).when(close(anna)).then([chat_closed(anna, Some(ANNA))]);
}

#[test]
fn closed_chat_has_no_agent_and_no_thread() {
    let anna = Participant::Agent(ANNA);
    let state = given([chat_started(), agent_assigned(ANNA), chat_closed(anna, Some(ANNA))]).state();
    assert_eq!(state.status, ConversationStatus::Closed);
    assert_eq!((state.agent_id, state.active_thread_id), (None, None));
    assert_eq!(state.last_agent_id, Some(ANNA));
    assert_eq!((state.closed_by, state.closed_at), (Some(anna), Some(at(3))));
}

#[test]
fn who_closed_a_chat_may_repeat_it() {
    for by in [VISITOR, Participant::Agent(ANNA)] {
        given([chat_started(), chat_closed(by, None)]).when(close(by)).then_nothing();
    }
}

#[test]
fn agents_second_closing_with_other_words_is_refused() {
    let anna = Participant::Agent(ANNA);
    let (same, other) = (name("solved"), name("spam"));
    for (reason, notes) in [(other, Some(note("ask again in May"))), (same.clone(), None), (same, Some(note("June")))] {
        let past = [chat_started(), chat_closed(anna, None)];
        let again = ConversationCommand::Close { by: anna, reason, notes, at: at(4) };
        given(past).when(again).then_error(ConversationError::ChatClosed);
    }
}

#[test]
fn visitors_second_closing_changes_nothing_whatever_it_says() {
    let again = ConversationCommand::Close { by: VISITOR, reason: name("bored"), notes: None, at: at(4) };
    given([chat_started(), chat_closed(VISITOR, None)]).when(again).then_nothing();
}

#[test]
fn what_visitors_write_is_in_no_state() {
    let closed = |by| given([chat_started(), chat_closed(by, None)]).state().closing_words;
    assert_eq!((closed(VISITOR), closed(Participant::Agent(ANNA)).is_some()), (None, true));
    let reopened = [chat_started(), chat_closed(Participant::Agent(ANNA), None), chat_reopened(None)];
    assert_eq!(given(reopened).state().closing_words, None);
}

#[test]
fn visitor_of_an_open_chat_is_shown_as_they_introduce_themselves() {
    let visitor = VisitorCard { name: Some(name("Vera B.")), ..card() };
    let changed = ConversationEvent::VisitorCardChanged { visitor, at: at(7) };
    given([chat_started()]).when(change_card("Vera B.")).then([changed]);
    given([chat_started(), chat_closed(VISITOR, None)])
        .when(change_card("Vera B."))
        .then_error(ConversationError::ChatClosed);
}

#[test]
fn chat_closes_only_once() {
    for other in [Participant::Agent(ANNA), Participant::Visitor(STRANGER)] {
        given([chat_started(), chat_closed(VISITOR, None)])
            .when(close(other))
            .then_error(ConversationError::ChatClosed);
    }
}

#[test]
fn closed_chat_opens_again_with_a_new_thread_linked_to_the_last() {
    let past = [chat_started(), agent_assigned(ANNA), chat_closed(Participant::Agent(ANNA), Some(ANNA))];
    given(past.clone()).when(reopen()).then([chat_reopened(Some(ANNA))]);

    let [started, assigned, closed] = past;
    let state = given([started, assigned, closed, chat_reopened(Some(ANNA))]).state();
    assert_eq!((state.status, state.agent_id), (ConversationStatus::Pending, None));
    assert_eq!(state.active_thread_id, Some(NEXT_THREAD));
    assert_eq!(state.thread_ids, [THREAD, NEXT_THREAD]);
    assert_eq!((state.closed_by, state.closed_at), (None, None));
}

#[test]
fn reopened_chat_waits_in_the_group_it_was_transferred_to() {
    let transferred = chat_returned(SUPPORT, None, QueueReason::Transferred);
    given([chat_started(), transferred, chat_closed(VISITOR, None)]).when(reopen()).then([
        ConversationEvent::ChatReopened {
            by: VISITOR,
            thread_id: NEXT_THREAD,
            previous_thread_id: THREAD,
            group_id: SUPPORT,
            last_agent_id: None,
            at: at(4),
        },
    ]);
}

#[test]
fn open_chat_refuses_to_open() {
    given([chat_started()]).when(reopen()).then_error(ConversationError::ChatOpen);
    given([chat_started(), agent_assigned(ANNA)]).when(reopen()).then_error(ConversationError::ChatOpen);
}

#[test]
fn reopened_chat_closes_again_by_whoever_closed_it_before() {
    given([chat_started(), chat_closed(VISITOR, None), chat_reopened(None)]).when(close(VISITOR)).then([
        ConversationEvent::ChatClosed {
            by: VISITOR,
            reason: name("solved"),
            notes: Some(note("ask again in May")),
            agent_id: None,
            thread_id: NEXT_THREAD,
            at: at(3),
        },
    ]);
}

#[test]
fn tag_goes_on_once() {
    given([chat_started()]).when(add_tag(VIP)).then([chat_tagged(VIP)]);
    given([chat_started(), chat_tagged(VIP)]).when(add_tag(VIP)).then_nothing();
    given([chat_started(), chat_tagged(VIP)]).when(add_tag(SPAM)).then([chat_tagged(SPAM)]);
    given([chat_started(), chat_tagged(VIP), chat_untagged(VIP)]).when(add_tag(VIP)).then([chat_tagged(VIP)]);
}

#[test]
fn tag_comes_off_where_it_is() {
    given([chat_started(), chat_tagged(VIP)]).when(remove_tag(VIP)).then([chat_untagged(VIP)]);
    given([chat_started(), chat_tagged(VIP)]).when(remove_tag(SPAM)).then_nothing();
    given([chat_started(), chat_tagged(VIP), chat_untagged(VIP)]).when(remove_tag(VIP)).then_nothing();
}

#[test]
fn closed_chat_may_still_be_tagged() {
    given([chat_started(), chat_closed(VISITOR, None)]).when(add_tag(VIP)).then([chat_tagged(VIP)]);
    given([chat_started(), chat_tagged(VIP), chat_closed(VISITOR, None)])
        .when(remove_tag(VIP))
        .then([chat_untagged(VIP)]);
}

#[test]
fn cqrs_es_drives_conversations() {
    TestFramework::<Conversation>::with(())
        .given(vec![chat_started()])
        .when(assign(ANNA, routed(ANNA)))
        .then_expect_events(vec![agent_assigned(ANNA)]);
    TestFramework::<Conversation>::with(())
        .given(vec![chat_started(), chat_closed(VISITOR, None)])
        .when(assign(ANNA, chosen()))
        .then_expect_error(ConversationError::ChatClosed);
}

/// A chat that was closed and reopened; each thread is two events.
fn threads<const EVENTS: usize>() -> [ConversationEvent; EVENTS] {
    std::array::from_fn(|number| match number {
        0 => chat_started(),
        number if number % 2 == 1 => chat_closed(VISITOR, None),
        _ => chat_reopened(None),
    })
}

#[test]
fn chat_with_as_many_threads_as_it_may_have_is_not_reopened() {
    const MOST: usize = 2 * Conversation::MAX_THREADS;
    let reopened = ConversationEvent::ChatReopened {
        by: VISITOR,
        thread_id: NEXT_THREAD,
        previous_thread_id: NEXT_THREAD,
        group_id: SALES,
        last_agent_id: None,
        at: at(4),
    };
    given(threads::<{ MOST - 2 }>()).when(reopen()).then([reopened]);
    given(threads::<MOST>()).when(reopen()).then_error(ConversationError::TooManyThreads);
}
