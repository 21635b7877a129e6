//! Rules of agents.

use cqrs_es::test::TestFramework;

use super::{
    Agent, AgentCommand, AgentError, AgentEvent, AgentStatus, ChatLimit, Registration, Role, SlotRule, StatusCause,
};
use crate::aggregate::Root as _;
use crate::fixtures::{ANNA, CHAT, OTHER_CHAT, at, email, name};
use crate::ids::ConversationId;
use crate::testing::{given, given_nothing};
use crate::text::AvatarUrl;
use crate::text::EmailAddress;

const CHATS_ACCEPTED: AgentEvent = AgentEvent::ChatsAccepted { at: at(2) };
const CHATS_DECLINED: AgentEvent = AgentEvent::ChatsDeclined { at: at(2) };
const DELETED: AgentEvent = AgentEvent::AgentDeleted { at: at(8) };
const RESTORED: AgentEvent = AgentEvent::AgentRestored { at: at(9) };
const DELETE: AgentCommand = AgentCommand::Delete { at: at(8) };
const RESTORE: AgentCommand = AgentCommand::Restore { at: at(9) };
const CAUSE: StatusCause = StatusCause::SetBy { id: ANNA };
const RULES: [SlotRule; 3] = [SlotRule::Routed, SlotRule::Chosen, SlotRule::ChosenOverLimit];

fn limit(chats: i64) -> ChatLimit {
    ChatLimit::new(chats).unwrap()
}

fn picture() -> Option<AvatarUrl> {
    Some(AvatarUrl::parse("https://example.com/anna.png").unwrap())
}

fn registration() -> Registration {
    Registration {
        name: name("Anna"),
        email: email("anna@example.com"),
        avatar: picture(),
        role: Role::Agent,
        status: AgentStatus::Online,
        accepting_chats: true,
        chat_limit: limit(1),
        at: at(0),
    }
}

/// Online, accepting, with one slot.
fn registered() -> AgentEvent {
    AgentEvent::AgentRegistered {
        name: name("Anna"),
        email: email("anna@example.com"),
        avatar: picture(),
        role: Role::Agent,
        status: AgentStatus::Online,
        accepting_chats: true,
        chat_limit: limit(1),
        at: at(0),
    }
}

const fn status_changed(status: AgentStatus) -> AgentEvent {
    AgentEvent::StatusChanged { status, cause: CAUSE, at: at(1) }
}

fn limit_changed(chats: i64) -> AgentEvent {
    AgentEvent::LimitChanged { chat_limit: limit(chats), at: at(3) }
}

fn profile_changed(text: &str, avatar: Option<AvatarUrl>) -> AgentEvent {
    AgentEvent::ProfileChanged { name: name(text), avatar, at: at(4) }
}

const fn role_changed(role: Role) -> AgentEvent {
    AgentEvent::RoleChanged { role, at: at(5) }
}

const fn slot_taken(conversation_id: ConversationId, over_limit: bool) -> AgentEvent {
    AgentEvent::SlotTaken { conversation_id, over_limit, at: at(6) }
}

const fn slot_freed(conversation_id: ConversationId) -> AgentEvent {
    AgentEvent::SlotFreed { conversation_id, at: at(7) }
}

const fn set_status(status: AgentStatus) -> AgentCommand {
    AgentCommand::SetStatus { status, cause: CAUSE, at: at(1) }
}

const fn accept_chats(accepting_chats: bool) -> AgentCommand {
    AgentCommand::SetAcceptingChats { accepting_chats, at: at(2) }
}

fn change_limit(chats: i64) -> AgentCommand {
    AgentCommand::ChangeLimit { chat_limit: limit(chats), at: at(3) }
}

fn change_profile(text: &str, avatar: Option<AvatarUrl>) -> AgentCommand {
    AgentCommand::ChangeProfile { name: name(text), avatar, at: at(4) }
}

const fn change_role(role: Role) -> AgentCommand {
    AgentCommand::ChangeRole { role, at: at(5) }
}

const fn change_password() -> AgentCommand {
    AgentCommand::ChangePassword { at: at(5) }
}

const fn take_slot(conversation_id: ConversationId, rule: SlotRule) -> AgentCommand {
    AgentCommand::TakeSlot { conversation_id, rule, at: at(6) }
}

const fn free_slot(conversation_id: ConversationId) -> AgentCommand {
    AgentCommand::FreeSlot { conversation_id, at: at(7) }
}

/// All that only an agent who is there can do.
fn commands_of_the_present() -> Vec<AgentCommand> {
    let mut commands = vec![
        set_status(AgentStatus::Away),
        accept_chats(false),
        change_limit(3),
        change_profile("Ann", None),
        change_role(Role::Admin),
        change_password(),
    ];
    commands.extend(RULES.map(|rule| take_slot(CHAT, rule)));
    commands
}

#[test]
fn agent_registers_once() {
    given_nothing::<Agent>().when(AgentCommand::Register(registration())).then([registered()]);
    given([registered()]).when(AgentCommand::Register(registration())).then_error(AgentError::AlreadyRegistered);
    given([registered(), DELETED])
        .when(AgentCommand::Register(registration()))
        .then_error(AgentError::AlreadyRegistered);
}

#[test]
fn agent_who_is_not_registered_does_nothing() {
    for command in commands_of_the_present().into_iter().chain([DELETE, RESTORE]) {
        given_nothing::<Agent>().when(command).then_error(AgentError::NotRegistered);
    }
    given_nothing::<Agent>().when(free_slot(CHAT)).then_nothing();
}

#[test]
fn deleted_agent_does_nothing() {
    for command in commands_of_the_present() {
        given([registered(), DELETED]).when(command).then_error(AgentError::NotRegistered);
    }
}

#[test]
fn status_changes_to_another_one() {
    for status in [AgentStatus::Away, AgentStatus::Offline] {
        given([registered()]).when(set_status(status)).then([status_changed(status)]);
        given([registered(), status_changed(status)]).when(set_status(status)).then_nothing();
        given([registered(), status_changed(status)])
            .when(set_status(AgentStatus::Online))
            .then([status_changed(AgentStatus::Online)]);
    }
    given([registered()]).when(set_status(AgentStatus::Online)).then_nothing();
}

#[test]
fn status_change_keeps_its_cause() {
    let (status, cause) = (AgentStatus::Offline, StatusCause::LeaseExpired);
    given([registered()])
        .when(AgentCommand::SetStatus { status, cause, at: at(1) })
        .then([AgentEvent::StatusChanged { status, cause, at: at(1) }]);
}

const LOSE: AgentCommand = AgentCommand::LosePresence { at: at(1) };
const REGAIN: AgentCommand = AgentCommand::RegainPresence { at: at(1) };
const LOST: AgentEvent =
    AgentEvent::StatusChanged { status: AgentStatus::Away, cause: StatusCause::LeaseExpired, at: at(1) };
const REGAINED: AgentEvent =
    AgentEvent::StatusChanged { status: AgentStatus::Online, cause: StatusCause::LeaseRenewed, at: at(1) };

#[test]
fn online_agent_who_is_not_heard_is_away_until_they_are_heard_again() {
    given([registered()]).when(LOSE).then([LOST]);
    given([registered(), LOST]).when(LOSE).then_nothing();
    given([registered(), LOST]).when(REGAIN).then([REGAINED]);
    given([registered(), LOST, REGAINED]).when(REGAIN).then_nothing();
    given([registered(), LOST, REGAINED]).when(LOSE).then([LOST]);
}

#[test]
fn whoever_is_not_online_cannot_be_lost() {
    for status in [AgentStatus::Away, AgentStatus::Offline] {
        given([registered(), status_changed(status)]).when(LOSE).then_nothing();
    }
}

#[test]
fn choice_of_a_person_stays_when_the_agent_is_heard_again() {
    for status in [AgentStatus::Away, AgentStatus::Offline] {
        given([registered(), LOST]).when(set_status(status)).then([status_changed(status)]);
        given([registered(), LOST, status_changed(status)]).when(REGAIN).then_nothing();
        given([registered(), status_changed(status)]).when(REGAIN).then_nothing();
    }
    given([registered(), LOST, DELETED, RESTORED]).when(REGAIN).then_nothing();
    given([registered(), LOST, DELETED]).when(REGAIN).then_error(AgentError::NotRegistered);
    given([registered(), DELETED]).when(LOSE).then_error(AgentError::NotRegistered);
}

#[test]
fn agent_declines_and_accepts_chats() {
    given([registered()]).when(accept_chats(true)).then_nothing();
    given([registered()]).when(accept_chats(false)).then([CHATS_DECLINED]);
    given([registered(), CHATS_DECLINED]).when(accept_chats(false)).then_nothing();
    given([registered(), CHATS_DECLINED]).when(accept_chats(true)).then([CHATS_ACCEPTED]);
    given([registered(), CHATS_DECLINED, CHATS_ACCEPTED]).when(accept_chats(true)).then_nothing();
}

#[test]
fn limit_changes_to_another_one() {
    given([registered()]).when(change_limit(1)).then_nothing();
    given([registered()]).when(change_limit(20)).then([limit_changed(20)]);
    given([registered(), limit_changed(20)]).when(change_limit(20)).then_nothing();
}

#[test]
fn lowered_limit_takes_no_chat_away() {
    let past = [registered(), limit_changed(2), slot_taken(CHAT, false), slot_taken(OTHER_CHAT, false)];
    given(past.clone()).when(change_limit(1)).then([limit_changed(1)]);
    let [first, second, third, fourth] = past;
    let agent = given([first, second, third, fourth, limit_changed(1)]).state();
    assert_eq!(agent.slots.len(), 2);
    assert!(!agent.has_free_slot());
}

#[test]
fn limit_is_1_to_20_and_6_by_default() {
    assert_eq!([0, 21, -1, 257, i64::MAX].map(ChatLimit::new), [None; 5]);
    assert_eq!([1, 20].map(|chats| limit(chats).get()), [1, 20]);
    assert_eq!(ChatLimit::default().get(), 6);
}

#[test]
fn profile_changes_to_another_one() {
    given([registered()]).when(change_profile("Anna", picture())).then_nothing();
    given([registered()]).when(change_profile("Ann", picture())).then([profile_changed("Ann", picture())]);
    given([registered()]).when(change_profile("Anna", None)).then([profile_changed("Anna", None)]);
    given([registered(), profile_changed("Ann", None)]).when(change_profile("Ann", None)).then_nothing();
}

#[test]
fn role_changes_to_another_one() {
    given([registered()]).when(change_role(Role::Agent)).then_nothing();
    given([registered()]).when(change_role(Role::Admin)).then([role_changed(Role::Admin)]);
    given([registered(), role_changed(Role::Admin)]).when(change_role(Role::Admin)).then_nothing();
}

#[test]
fn address_changes_to_another_one() {
    let to = |text| AgentCommand::ChangeEmail { email: EmailAddress::parse(text).unwrap(), at: at(5) };
    let changed = |text| AgentEvent::EmailChanged { email: EmailAddress::parse(text).unwrap(), at: at(5) };
    given([registered()]).when(to("new@example.com")).then([changed("new@example.com")]);
    given([registered(), changed("new@example.com")]).when(to("new@example.com")).then_nothing();
    given_nothing::<Agent>().when(to("new@example.com")).then_error(AgentError::NotRegistered);
}

#[test]
fn every_change_of_the_password_is_told() {
    let changed = || AgentEvent::PasswordChanged { at: at(5) };
    given([registered()]).when(change_password()).then([changed()]);
    given([registered(), changed()]).when(change_password()).then([changed()]);
}

#[test]
fn available_agent_takes_a_chat_by_every_rule() {
    for rule in RULES {
        given([registered()]).when(take_slot(CHAT, rule)).then([slot_taken(CHAT, false)]);
    }
}

#[test]
fn chat_has_one_slot_at_most() {
    for rule in RULES {
        given([registered(), slot_taken(CHAT, false)]).when(take_slot(CHAT, rule)).then_nothing();
    }
}

#[test]
fn full_agent_takes_no_chat_unless_a_supervisor_says_so() {
    for rule in [SlotRule::Routed, SlotRule::Chosen] {
        given([registered(), slot_taken(CHAT, false)])
            .when(take_slot(OTHER_CHAT, rule))
            .then_error(AgentError::AtCapacity);
    }
    given([registered(), slot_taken(CHAT, false)])
        .when(take_slot(OTHER_CHAT, SlotRule::ChosenOverLimit))
        .then([slot_taken(OTHER_CHAT, true)]);
}

#[test]
fn agent_is_full_exactly_at_the_limit() {
    given([registered(), limit_changed(2), slot_taken(CHAT, false)])
        .when(take_slot(OTHER_CHAT, SlotRule::Routed))
        .then([slot_taken(OTHER_CHAT, false)]);
    given([registered(), slot_taken(CHAT, false), slot_freed(CHAT)])
        .when(take_slot(OTHER_CHAT, SlotRule::Routed))
        .then([slot_taken(OTHER_CHAT, false)]);
}

#[test]
fn chat_over_the_limit_counts_like_any_other() {
    given([registered(), limit_changed(2), slot_taken(CHAT, true), slot_taken(OTHER_CHAT, true)])
        .when(take_slot(ConversationId::default(), SlotRule::Routed))
        .then_error(AgentError::AtCapacity);
}

#[test]
fn agent_who_is_away_or_declines_gets_chats_from_people_only() {
    for past in [[registered(), status_changed(AgentStatus::Away)], [registered(), CHATS_DECLINED]] {
        given(past.clone()).when(take_slot(CHAT, SlotRule::Routed)).then_error(AgentError::NotAvailable);
        given(past.clone()).when(take_slot(CHAT, SlotRule::Chosen)).then([slot_taken(CHAT, false)]);
        given(past).when(take_slot(CHAT, SlotRule::ChosenOverLimit)).then([slot_taken(CHAT, false)]);
    }
}

#[test]
fn offline_agent_gets_no_chat_from_anybody() {
    for rule in RULES {
        given([registered(), status_changed(AgentStatus::Offline)])
            .when(take_slot(CHAT, rule))
            .then_error(AgentError::NotAvailable);
    }
}

#[test]
fn unavailable_and_full_agent_is_called_unavailable() {
    given([registered(), slot_taken(CHAT, false), status_changed(AgentStatus::Away)])
        .when(take_slot(OTHER_CHAT, SlotRule::Routed))
        .then_error(AgentError::NotAvailable);
}

#[test]
fn slot_is_freed_once() {
    given([registered(), slot_taken(CHAT, false)]).when(free_slot(CHAT)).then([slot_freed(CHAT)]);
    given([registered(), slot_taken(CHAT, false)]).when(free_slot(OTHER_CHAT)).then_nothing();
    given([registered(), slot_taken(CHAT, false), slot_freed(CHAT)]).when(free_slot(CHAT)).then_nothing();
}

#[test]
fn slots_of_a_deleted_agent_are_freed_too() {
    given([registered(), slot_taken(CHAT, false), DELETED]).when(free_slot(CHAT)).then([slot_freed(CHAT)]);
}

#[test]
fn agent_is_deleted_and_restored_once_each_time() {
    given([registered()]).when(DELETE).then([DELETED]);
    given([registered(), DELETED]).when(DELETE).then_nothing();
    given([registered(), DELETED]).when(RESTORE).then([RESTORED]);
    given([registered()]).when(RESTORE).then_nothing();
    given([registered(), DELETED, RESTORED]).when(DELETE).then([DELETED]);
}

#[test]
fn restored_agent_is_back_but_offline() {
    assert!(!given([registered(), DELETED]).state().is_present());
    let agent = given([registered(), DELETED, RESTORED]).state();
    assert!(agent.is_present());
    assert_eq!(agent.status, AgentStatus::Offline);
    given([registered(), DELETED, RESTORED])
        .when(take_slot(CHAT, SlotRule::Chosen))
        .then_error(AgentError::NotAvailable);
    given([registered(), DELETED, RESTORED, status_changed(AgentStatus::Online)])
        .when(take_slot(CHAT, SlotRule::Routed))
        .then([slot_taken(CHAT, false)]);
}

#[test]
fn names_of_roles_and_states_read_back() {
    for role in [Role::Agent, Role::Supervisor, Role::Admin] {
        assert_eq!(Role::parse(role.as_str()), Some(role));
    }
    for status in [AgentStatus::Online, AgentStatus::Away, AgentStatus::Offline] {
        assert_eq!(AgentStatus::parse(status.as_str()), Some(status));
    }
    assert_eq!((Role::parse("Admin"), AgentStatus::parse("busy")), (None, None));
}

#[test]
fn cqrs_es_drives_agents() {
    TestFramework::<Agent>::with(())
        .given(vec![registered()])
        .when(take_slot(CHAT, SlotRule::Routed))
        .then_expect_events(vec![slot_taken(CHAT, false)]);
    TestFramework::<Agent>::with(())
        .given(vec![registered(), slot_taken(CHAT, false)])
        .when(take_slot(OTHER_CHAT, SlotRule::Routed))
        .then_expect_error(AgentError::AtCapacity);
}

#[test]
fn chats_and_clients_that_come_and_go_leave_the_version_where_it_is() {
    let taken = AgentEvent::SlotTaken { conversation_id: CHAT, over_limit: false, at: at(6) };
    let freed = AgentEvent::SlotFreed { conversation_id: CHAT, at: at(7) };
    let state = given([registered(), taken.clone(), freed.clone()]).state();
    assert_eq!((state.edited_version(3), state.since_edit), (1, 2));
    let presence = |status, cause| AgentEvent::StatusChanged { status, cause, at: at(8) };
    let lost = presence(AgentStatus::Away, StatusCause::LeaseExpired);
    let found = presence(AgentStatus::Online, StatusCause::LeaseRenewed);
    let state = given([registered(), taken.clone(), lost.clone(), found.clone(), freed.clone()]).state();
    assert_eq!((state.edited_version(5), state.since_edit), (1, 4));
    let chosen = presence(AgentStatus::Away, StatusCause::SetBy { id: ANNA });
    let state = given([registered(), taken, lost, found, freed, chosen]).state();
    assert_eq!(
        (state.edited_version(6), state.since_edit),
        (6, 0),
        "the sequence in the stream, as the read model has it"
    );
}
