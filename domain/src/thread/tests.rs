//! Rules of threads.

use cqrs_es::test::TestFramework;
use serde_json::json;

use super::{GroupChangeReason, JoinCause, LeaveReason, Messages, Thread, ThreadCommand, ThreadError, ThreadEvent};
use crate::conversation::Participant;
use crate::fixtures::{ANNA, BERT, CHAT, MESSAGE, NEXT_THREAD, OTHER_CHAT, SALES, STRANGER, SUPPORT, THREAD, VERA, at};
use crate::ids::AgentId;
use crate::testing::{given, given_nothing};
use crate::text::{ClientEventId, MessageText, Metadata};

const VISITOR: Participant = Participant::Visitor(VERA);

fn started() -> ThreadEvent {
    ThreadEvent::ThreadStarted {
        conversation_id: CHAT,
        visitor_id: VERA,
        previous_thread_id: Some(NEXT_THREAD),
        at: at(0),
    }
}

fn joined(agent_id: AgentId) -> ThreadEvent {
    ThreadEvent::AgentJoined { agent_id, cause: Some(JoinCause::Routed), at: at(1) }
}

fn left(agent_id: AgentId) -> ThreadEvent {
    ThreadEvent::AgentLeft { agent_id, reason: LeaveReason::Reassigned, at: at(2) }
}

fn closed() -> ThreadEvent {
    ThreadEvent::ThreadClosed { by: VISITOR, at: at(4) }
}

fn sent(author: Participant) -> ThreadEvent {
    ThreadEvent::MessageSent {
        conversation_id: CHAT,
        message_id: MESSAGE,
        author,
        text: MessageText::parse("Hello").unwrap(),
        client_event_id: Some(ClientEventId::parse("m-1").unwrap()),
        metadata: Some(Metadata::parse(&json!({"page": "/prices"}).to_string()).unwrap()),
        at: at(3),
    }
}

fn start() -> ThreadCommand {
    ThreadCommand::Start { conversation_id: CHAT, visitor_id: VERA, previous_thread_id: Some(NEXT_THREAD), at: at(0) }
}

fn join(agent_id: AgentId) -> ThreadCommand {
    ThreadCommand::AgentJoins { agent_id, cause: JoinCause::Routed, at: at(1) }
}

fn leave(agent_id: AgentId) -> ThreadCommand {
    ThreadCommand::AgentLeaves { agent_id, reason: LeaveReason::Reassigned, at: at(2) }
}

fn send(author: Participant) -> ThreadCommand {
    ThreadCommand::SendMessage {
        message_id: MESSAGE,
        author,
        text: MessageText::parse("Hello").unwrap(),
        client_event_id: Some(ClientEventId::parse("m-1").unwrap()),
        metadata: Some(Metadata::parse(&json!({"page": "/prices"}).to_string()).unwrap()),
        at: at(3),
    }
}

fn close() -> ThreadCommand {
    ThreadCommand::Close { by: VISITOR, at: at(4) }
}

#[test]
fn thread_starts_once() {
    given_nothing::<Thread>().when(start()).then([started()]);
    given([started()]).when(start()).then_error(ThreadError::AlreadyStarted);
    let elsewhere = ThreadCommand::Start {
        conversation_id: OTHER_CHAT,
        visitor_id: STRANGER,
        previous_thread_id: Some(THREAD),
        at: at(0),
    };
    given([started(), closed()]).when(elsewhere).then_error(ThreadError::AlreadyStarted);
}

#[test]
fn thread_that_has_not_started_refuses_everything_else() {
    for command in [send(VISITOR), send(Participant::Agent(ANNA)), join(ANNA), leave(ANNA), close()] {
        given_nothing::<Thread>().when(command).then_error(ThreadError::NotStarted);
    }
}

#[test]
fn visitor_writes() {
    given([started()]).when(send(VISITOR)).then([sent(VISITOR)]);
}

#[test]
fn another_visitor_does_not_write() {
    given([started()]).when(send(Participant::Visitor(STRANGER))).then_error(ThreadError::NotAParticipant);
}

#[test]
fn agent_writes_between_joining_and_leaving() {
    let anna = Participant::Agent(ANNA);
    given([started()]).when(send(anna)).then_error(ThreadError::NotAParticipant);
    given([started(), joined(ANNA)]).when(send(anna)).then([sent(anna)]);
    given([started(), joined(ANNA), left(ANNA)]).when(send(anna)).then_error(ThreadError::NotAParticipant);
    given([started(), joined(ANNA)]).when(send(Participant::Agent(BERT))).then_error(ThreadError::NotAParticipant);
}

#[test]
fn the_same_message_again_is_another_message_to_the_thread() {
    // Whether it is a repetition is known by the command's id, not by the thread.
    given([started(), sent(VISITOR)]).when(send(VISITOR)).then([sent(VISITOR)]);
}

#[test]
fn closed_thread_takes_no_message() {
    for author in [VISITOR, Participant::Agent(ANNA)] {
        given([started(), joined(ANNA), closed()]).when(send(author)).then_error(ThreadError::ThreadClosed);
    }
}

#[test]
fn who_may_not_write_does_not_learn_that_a_thread_is_closed() {
    given([started(), closed()]).when(send(Participant::Visitor(STRANGER))).then_error(ThreadError::NotAParticipant);
    given([started(), closed()]).when(send(Participant::Agent(ANNA))).then_error(ThreadError::NotAParticipant);
}

#[test]
fn agent_joins_once_until_leaving() {
    given([started()]).when(join(ANNA)).then([joined(ANNA)]);
    given([started(), joined(ANNA)]).when(join(ANNA)).then_nothing();
    given([started(), joined(ANNA)]).when(join(BERT)).then([joined(BERT)]);
    given([started(), joined(ANNA), left(ANNA)]).when(join(ANNA)).then([joined(ANNA)]);
}

#[test]
fn agent_leaves_where_they_take_part() {
    given([started(), joined(ANNA)]).when(leave(ANNA)).then([left(ANNA)]);
    given([started(), joined(ANNA)]).when(leave(BERT)).then_nothing();
    given([started(), joined(ANNA), left(ANNA)]).when(leave(ANNA)).then_nothing();
}

#[test]
fn agent_leaves_for_the_reason_given() {
    for reason in [
        LeaveReason::Reassigned,
        LeaveReason::Transferred,
        LeaveReason::AgentOffline,
        LeaveReason::AgentDeleted,
        LeaveReason::AgentLeftGroup,
    ] {
        given([started(), joined(ANNA)])
            .when(ThreadCommand::AgentLeaves { agent_id: ANNA, reason, at: at(2) })
            .then([ThreadEvent::AgentLeft { agent_id: ANNA, reason, at: at(2) }]);
        assert_eq!(serde_json::to_value(reason).unwrap(), json!(reason.as_str()));
    }
}

#[test]
fn nobody_joins_or_leaves_a_closed_thread() {
    given([started(), joined(ANNA), closed()]).when(join(BERT)).then_error(ThreadError::ThreadClosed);
    given([started(), joined(ANNA), closed()]).when(join(ANNA)).then_error(ThreadError::ThreadClosed);
    given([started(), joined(ANNA), closed()]).when(leave(ANNA)).then_error(ThreadError::ThreadClosed);
}

#[test]
fn thread_tells_how_an_agent_came() {
    for cause in [JoinCause::Routed, JoinCause::Taken, JoinCause::Assigned, JoinCause::Transferred] {
        given([started()])
            .when(ThreadCommand::AgentJoins { agent_id: ANNA, cause, at: at(1) })
            .then([ThreadEvent::AgentJoined { agent_id: ANNA, cause: Some(cause), at: at(1) }]);
    }
}

#[test]
fn thread_tells_that_another_group_serves_the_chat() {
    let change = |group_id| {
        let (previous_group_id, reason) = (SUPPORT, GroupChangeReason::Transferred);
        ThreadCommand::ChangeGroup { group_id, previous_group_id, reason, at: at(2) }
    };
    let (reason, previous_group_id) = (GroupChangeReason::Transferred, SUPPORT);
    let changed = ThreadEvent::GroupChanged { group_id: SALES, previous_group_id, reason, at: at(2) };
    given([started()]).when(change(SALES)).then([changed]);
    given([started()]).when(change(SUPPORT)).then_nothing();
    given([started(), closed()]).when(change(SALES)).then_error(ThreadError::ThreadClosed);
    given_nothing::<Thread>().when(change(SALES)).then_error(ThreadError::NotStarted);
}

#[test]
fn thread_closes_once_whoever_asks_again() {
    given([started()]).when(close()).then([closed()]);
    given([started(), closed()]).when(close()).then_nothing();
    let by_anna = ThreadCommand::Close { by: Participant::Agent(ANNA), at: at(5) };
    given([started(), closed()]).when(by_anna).then_nothing();
}

#[test]
fn cqrs_es_drives_threads() {
    TestFramework::<Thread>::with(())
        .given(vec![started()])
        .when(send(VISITOR))
        .then_expect_events(vec![sent(VISITOR)]);
    TestFramework::<Thread>::with(())
        .given(vec![started(), closed()])
        .when(send(VISITOR))
        .then_expect_error(ThreadError::ThreadClosed);
}

fn read(reader: Participant, up_to: i64) -> ThreadEvent {
    ThreadEvent::MessagesRead { conversation_id: CHAT, reader, up_to, unread: 2, at: at(5) }
}

fn mark_read(reader: Participant, up_to: i64) -> ThreadCommand {
    ThreadCommand::MarkRead { reader, up_to, unread: 2, serves_chat: false, at: at(5) }
}

#[test]
fn participant_reads_forward_only_and_each_by_themselves() {
    let anna = Participant::Agent(ANNA);
    given([started()]).when(mark_read(VISITOR, 7)).then([read(VISITOR, 7)]);
    given([started(), read(VISITOR, 7)]).when(mark_read(VISITOR, 8)).then([read(VISITOR, 8)]);
    for earlier in [7, 6, 0, -1] {
        given([started(), read(VISITOR, 7)]).when(mark_read(VISITOR, earlier)).then_nothing();
    }
    given([started(), joined(ANNA), read(VISITOR, 7)]).when(mark_read(anna, 3)).then([read(anna, 3)]);
    given([started(), joined(ANNA), joined(BERT), read(anna, 7)])
        .when(mark_read(Participant::Agent(BERT), 3))
        .then([read(Participant::Agent(BERT), 3)]);
}

#[test]
fn ended_thread_can_still_be_read() {
    given([started(), joined(ANNA), closed()]).when(mark_read(VISITOR, 7)).then([read(VISITOR, 7)]);
    let anna = Participant::Agent(ANNA);
    given([started(), joined(ANNA), closed()]).when(mark_read(anna, 7)).then([read(anna, 7)]);
}

#[test]
fn only_participants_leave_marks() {
    for stranger in [Participant::Visitor(STRANGER), Participant::Agent(BERT)] {
        given([started(), joined(ANNA)]).when(mark_read(stranger, 7)).then_error(ThreadError::NotAParticipant);
    }
    let anna = Participant::Agent(ANNA);
    given([started(), joined(ANNA), left(ANNA)]).when(mark_read(anna, 7)).then_error(ThreadError::NotAParticipant);
    given_nothing::<Thread>().when(mark_read(VISITOR, 7)).then_error(ThreadError::NotStarted);
}

#[test]
fn thread_counts_the_messages_of_each_side() {
    let mut thread = Thread::default();
    for event in [started(), joined(ANNA), sent(VISITOR), sent(Participant::Agent(ANNA)), sent(VISITOR)] {
        cqrs_es::Aggregate::apply(&mut thread, event);
    }
    assert_eq!(thread.messages, Messages { of_visitor: 2, of_agents: 1 });
    assert_eq!((thread.messages.for_reader(VISITOR), thread.messages.for_reader(Participant::Agent(ANNA))), (1, 2));
}

#[test]
fn agent_who_serves_the_chat_now_marks_its_earlier_threads() {
    let bert = Participant::Agent(BERT);
    let mark = ThreadCommand::MarkRead { reader: bert, up_to: 7, unread: 2, serves_chat: true, at: at(5) };
    given([started(), joined(ANNA), closed()]).when(mark).then([read(bert, 7)]);
}

#[test]
fn thread_knows_the_message_that_the_client_has_named_first() {
    let opening_of = |events: Vec<ThreadEvent>| {
        let mut thread = Thread::default();
        events.into_iter().for_each(|event| cqrs_es::Aggregate::apply(&mut thread, event));
        thread.opening.map(|opening| opening.message_id)
    };
    assert_eq!(opening_of(vec![started(), sent(VISITOR)]), Some(MESSAGE));
    assert_eq!(opening_of(vec![started(), joined(ANNA), sent(Participant::Agent(ANNA)), sent(VISITOR)]), None);
}
