//! Rules of visitors.

use cqrs_es::test::TestFramework;

use super::{ErasedPayload, Visitor, VisitorCommand, VisitorDetails, VisitorError, VisitorEvent};
use crate::fixtures::{ANNA, BERT, CHAT, OTHER_CHAT, at, email, name};
use crate::ids::{AgentId, ConversationId};
use crate::testing::{given, given_nothing};
use crate::text::PhoneNumber;

fn named(text: &str) -> VisitorDetails {
    VisitorDetails { name: Some(name(text)), ..VisitorDetails::default() }
}

fn registered(details: VisitorDetails) -> VisitorEvent {
    VisitorEvent::VisitorRegistered { details, at: at(0) }
}

fn reintroduced(details: VisitorDetails) -> VisitorEvent {
    VisitorEvent::VisitorReintroduced { details, shown_in: None, at: at(0) }
}

fn opened(conversation_id: ConversationId) -> VisitorEvent {
    VisitorEvent::ChatOpened { conversation_id, at: at(1) }
}

fn ended(conversation_id: ConversationId, last_agent_id: Option<AgentId>) -> VisitorEvent {
    VisitorEvent::ChatEnded { conversation_id, last_agent_id, at: at(2) }
}

fn introduce(details: VisitorDetails) -> VisitorCommand {
    VisitorCommand::Introduce { details, at: at(0) }
}

fn open(conversation_id: ConversationId) -> VisitorCommand {
    VisitorCommand::OpenChat { conversation_id, at: at(1) }
}

fn end(conversation_id: ConversationId, last_agent_id: Option<AgentId>) -> VisitorCommand {
    VisitorCommand::EndChat { conversation_id, last_agent_id, at: at(2) }
}

#[test]
fn visitor_is_registered_by_the_first_introduction_even_without_a_name() {
    given_nothing::<Visitor>().when(introduce(named("Vera"))).then([registered(named("Vera"))]);
    given_nothing::<Visitor>().when(introduce(VisitorDetails::default())).then([registered(VisitorDetails::default())]);
}

#[test]
fn introduction_adds_to_what_is_known() {
    let details = VisitorDetails { email: Some(email("vera@example.com")), ..VisitorDetails::default() };
    let both = VisitorDetails { name: Some(name("Vera")), ..details.clone() };
    given([registered(named("Vera"))]).when(introduce(details)).then([reintroduced(both)]);
}

#[test]
fn introduction_replaces_what_it_repeats() {
    let known = VisitorDetails {
        name: Some(name("Vera")),
        email: Some(email("vera@example.com")),
        phone: Some(PhoneNumber::parse("+44 20 7946 0000").unwrap()),
    };
    let now = VisitorDetails { name: Some(name("Vera B.")), ..known.clone() };
    given([registered(known)]).when(introduce(named("Vera B."))).then([reintroduced(now)]);
}

#[test]
fn introduction_without_news_changes_nothing() {
    given([registered(named("Vera"))]).when(introduce(named("Vera"))).then_nothing();
    given([registered(named("Vera"))]).when(introduce(VisitorDetails::default())).then_nothing();
    given([registered(named("Vera")), reintroduced(named("V."))]).when(introduce(named("V."))).then_nothing();
}

#[test]
fn stranger_has_no_chats() {
    given_nothing::<Visitor>().when(open(CHAT)).then_error(VisitorError::NotRegistered);
    given_nothing::<Visitor>().when(end(CHAT, None)).then_error(VisitorError::NotRegistered);
}

#[test]
fn visitor_has_one_open_chat_at_most() {
    given([registered(named("Vera"))]).when(open(CHAT)).then([opened(CHAT)]);
    given([registered(named("Vera")), opened(CHAT)])
        .when(open(OTHER_CHAT))
        .then_error(VisitorError::HasOpenChat { conversation_id: CHAT });
}

#[test]
fn opening_the_open_chat_changes_nothing() {
    given([registered(named("Vera")), opened(CHAT)]).when(open(CHAT)).then_nothing();
}

#[test]
fn visitor_opens_another_chat_after_the_last_ended() {
    given([registered(named("Vera")), opened(CHAT), ended(CHAT, None)])
        .when(open(OTHER_CHAT))
        .then([opened(OTHER_CHAT)]);
}

#[test]
fn only_the_open_chat_ends() {
    given([registered(named("Vera")), opened(CHAT)]).when(end(CHAT, Some(ANNA))).then([ended(CHAT, Some(ANNA))]);
    given([registered(named("Vera")), opened(CHAT)]).when(end(OTHER_CHAT, Some(ANNA))).then_nothing();
    given([registered(named("Vera")), opened(CHAT), ended(CHAT, None)]).when(end(CHAT, None)).then_nothing();
}

#[test]
fn agent_of_the_last_served_chat_is_remembered() {
    let past = [registered(named("Vera")), opened(CHAT), ended(CHAT, Some(ANNA)), opened(OTHER_CHAT)];
    let [first, second, third, fourth] = past;
    let unserved = [first.clone(), second.clone(), third.clone(), fourth.clone(), ended(OTHER_CHAT, None)];
    assert_eq!(given(unserved).state().last_agent_id, Some(ANNA));
    let served = [first, second, third, fourth, ended(OTHER_CHAT, Some(BERT))];
    assert_eq!(given(served).state().last_agent_id, Some(BERT));
}

fn shown(details: VisitorDetails) -> VisitorEvent {
    VisitorEvent::VisitorReintroduced { details, shown_in: Some(CHAT), at: at(0) }
}

#[test]
fn open_chat_is_told_of_an_introduction() {
    given([registered(named("Vera")), opened(CHAT)]).when(introduce(named("V."))).then([shown(named("V."))]);
    given([registered(named("Vera")), opened(CHAT), shown(named("V."))]).when(introduce(named("V."))).then_nothing();
}

#[test]
fn open_chat_that_does_not_know_the_last_introduction_is_told_when_they_come_back() {
    // Early events name no chat.
    let early = [registered(named("Vera")), opened(CHAT), reintroduced(named("V."))];
    let told = VisitorEvent::VisitorShown { conversation_id: CHAT, at: at(0) };
    given(early.clone()).when(introduce(named("V."))).then([told.clone()]);
    given(early.clone()).when(introduce(named("Vera V."))).then([shown(named("Vera V."))]);
    let [first, second, third] = early;
    given([first, second, third, told.clone()]).when(introduce(named("V."))).then_nothing();
    let past =
        [registered(named("Vera")), opened(CHAT), ended(CHAT, None), reintroduced(named("V.")), opened(OTHER_CHAT)];
    assert!(!given(past.clone()).state().is_outdated_in(OTHER_CHAT));
    let [first, second, third, fourth, fifth] = past;
    let again = [first, second, third, fourth, fifth, ended(OTHER_CHAT, None), opened(CHAT)];
    given(again).when(introduce(VisitorDetails::default())).then([told]);
}

fn erase(payloads: &[ErasedPayload]) -> VisitorCommand {
    VisitorCommand::Erase { payloads: payloads.to_vec(), conversation_ids: vec![CHAT], at: at(3) }
}

fn erased(payloads: &[ErasedPayload]) -> VisitorEvent {
    VisitorEvent::PersonalDataErased { payloads: payloads.to_vec(), conversation_ids: vec![CHAT], at: at(3) }
}

#[test]
fn erased_visitor_is_forgotten_and_takes_nothing_more() {
    let past = || [registered(named("Vera")), opened(CHAT), ended(CHAT, None), erased(&[])];
    assert_eq!(given(past()).state().details, VisitorDetails::default());
    given(past()).when(introduce(named("Vera"))).then_error(VisitorError::Erased);
    given(past()).when(open(OTHER_CHAT)).then_error(VisitorError::Erased);
    given(past()).when(end(CHAT, None)).then_nothing();
}

#[test]
fn visitor_is_erased_once_and_payloads_as_often_as_there_are_some() {
    let payloads = [ErasedPayload { position: 1, digest: "00".repeat(32) }];
    given([registered(named("Vera"))]).when(erase(&[])).then([erased(&[])]);
    given([registered(named("Vera")), erased(&[])]).when(erase(&[])).then_nothing();
    given([registered(named("Vera")), erased(&[])]).when(erase(&payloads)).then([erased(&payloads)]);
}

#[test]
fn nobody_is_erased_who_is_not_known_or_in_the_middle_of_a_chat() {
    given_nothing::<Visitor>().when(erase(&[])).then_error(VisitorError::NotRegistered);
    let chatting = [registered(named("Vera")), opened(CHAT)];
    given(chatting).when(erase(&[])).then_error(VisitorError::HasOpenChat { conversation_id: CHAT });
}

#[test]
fn cqrs_es_drives_visitors() {
    TestFramework::<Visitor>::with(())
        .given(vec![registered(named("Vera"))])
        .when(open(CHAT))
        .then_expect_events(vec![opened(CHAT)]);
    TestFramework::<Visitor>::with(())
        .given(vec![registered(named("Vera")), opened(CHAT)])
        .when(open(OTHER_CHAT))
        .then_expect_error(VisitorError::HasOpenChat { conversation_id: CHAT });
}
