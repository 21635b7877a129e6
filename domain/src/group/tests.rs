//! Rules of groups.

use std::collections::BTreeSet;

use cqrs_es::test::TestFramework;

use super::{Group, GroupCommand, GroupError, GroupEvent};
use crate::assignment::RoutingStrategy;
use crate::fixtures::{ANNA, BERT, CARA, at, name, note};
use crate::ids::AgentId;
use crate::testing::{given, given_nothing};
use crate::text::Note;

const DELETED: GroupEvent = GroupEvent::GroupDeleted { at: at(5) };
const RESTORED: GroupEvent = GroupEvent::GroupRestored { at: at(6) };
const DELETE: GroupCommand = GroupCommand::Delete { at: at(5) };
const RESTORE: GroupCommand = GroupCommand::Restore { at: at(6) };

fn purpose() -> Option<Note> {
    Some(note("Answers before the sale"))
}

fn created() -> GroupEvent {
    GroupEvent::GroupCreated {
        name: name("Sales"),
        description: purpose(),
        strategy: RoutingStrategy::LeastLoaded,
        at: at(0),
    }
}

fn described(text: &str, description: Option<Note>) -> GroupEvent {
    GroupEvent::GroupDescribed { name: name(text), description, at: at(1) }
}

fn added(agent_ids: &[AgentId]) -> GroupEvent {
    GroupEvent::AgentsAdded { agent_ids: set(agent_ids), at: at(3) }
}

const fn strategy_changed(strategy: RoutingStrategy) -> GroupEvent {
    GroupEvent::StrategyChanged { strategy, at: at(2) }
}

const fn removed(agent_id: AgentId) -> GroupEvent {
    GroupEvent::AgentRemoved { agent_id, at: at(4) }
}

fn create() -> GroupCommand {
    GroupCommand::Create {
        name: name("Sales"),
        description: purpose(),
        strategy: RoutingStrategy::LeastLoaded,
        at: at(0),
    }
}

fn describe(text: &str, description: Option<Note>) -> GroupCommand {
    GroupCommand::Describe { name: name(text), description, at: at(1) }
}

fn add(agent_ids: &[AgentId]) -> GroupCommand {
    GroupCommand::AddAgents { agent_ids: set(agent_ids), at: at(3) }
}

const fn change_strategy(strategy: RoutingStrategy) -> GroupCommand {
    GroupCommand::ChangeStrategy { strategy, at: at(2) }
}

const fn remove(agent_id: AgentId) -> GroupCommand {
    GroupCommand::RemoveAgent { agent_id, at: at(4) }
}

fn set(agent_ids: &[AgentId]) -> BTreeSet<AgentId> {
    agent_ids.iter().copied().collect()
}

#[test]
fn group_begins_once() {
    given_nothing::<Group>().when(create()).then([created()]);
    given([created()]).when(create()).then_error(GroupError::AlreadyCreated);
    given([created(), DELETED]).when(create()).then_error(GroupError::AlreadyCreated);
}

#[test]
fn group_that_does_not_exist_refuses_everything_else() {
    for command in
        [describe("Sales", None), change_strategy(RoutingStrategy::Sticky), add(&[ANNA]), remove(ANNA), DELETE, RESTORE]
    {
        given_nothing::<Group>().when(command).then_error(GroupError::NotCreated);
    }
}

#[test]
fn deleted_group_refuses_changes() {
    for command in [describe("Support", None), change_strategy(RoutingStrategy::Sticky), add(&[BERT]), remove(ANNA)] {
        given([created(), added(&[ANNA]), DELETED]).when(command).then_error(GroupError::NotCreated);
    }
}

#[test]
fn group_gets_another_name_or_description() {
    given([created()]).when(describe("Support", purpose())).then([described("Support", purpose())]);
    given([created()]).when(describe("Sales", None)).then([described("Sales", None)]);
}

#[test]
fn the_same_name_and_description_change_nothing() {
    given([created()]).when(describe("Sales", purpose())).then_nothing();
    given([created(), described("Support", None)]).when(describe("Support", None)).then_nothing();
}

#[test]
fn strategy_changes_to_another_one() {
    use RoutingStrategy::{LeastLoaded, RoundRobin, Sticky};
    given([created()]).when(change_strategy(RoundRobin)).then([strategy_changed(RoundRobin)]);
    given([created()]).when(change_strategy(LeastLoaded)).then_nothing();
    given([created(), strategy_changed(Sticky)]).when(change_strategy(Sticky)).then_nothing();
    given([created(), strategy_changed(Sticky)])
        .when(change_strategy(LeastLoaded))
        .then([strategy_changed(LeastLoaded)]);
}

#[test]
fn only_new_agents_come_in() {
    given([created()]).when(add(&[ANNA, BERT])).then([added(&[ANNA, BERT])]);
    given([created(), added(&[ANNA])]).when(add(&[ANNA, BERT, CARA])).then([added(&[BERT, CARA])]);
    given([created(), added(&[ANNA, BERT])]).when(add(&[ANNA])).then_nothing();
    given([created()]).when(add(&[])).then_nothing();
}

#[test]
fn agent_who_is_in_goes() {
    given([created(), added(&[ANNA, BERT])]).when(remove(ANNA)).then([removed(ANNA)]);
    given([created(), added(&[ANNA])]).when(remove(BERT)).then_nothing();
    given([created(), added(&[ANNA]), removed(ANNA)]).when(remove(ANNA)).then_nothing();
    given([created(), added(&[ANNA]), removed(ANNA)]).when(add(&[ANNA])).then([added(&[ANNA])]);
}

#[test]
fn group_is_deleted_and_restored_once_each_time() {
    given([created()]).when(DELETE).then([DELETED]);
    given([created(), DELETED]).when(DELETE).then_nothing();
    given([created(), DELETED]).when(RESTORE).then([RESTORED]);
    given([created()]).when(RESTORE).then_nothing();
    given([created(), DELETED, RESTORED]).when(add(&[ANNA])).then([added(&[ANNA])]);
}

#[test]
fn restored_group_still_has_its_agents_and_strategy() {
    let past = [created(), strategy_changed(RoutingStrategy::Sticky), added(&[ANNA, BERT]), DELETED, RESTORED];
    let group = given(past).state();
    assert!(group.is_present());
    assert_eq!((group.strategy, group.agent_ids), (RoutingStrategy::Sticky, set(&[ANNA, BERT])));
    assert!(!given([created(), DELETED]).state().is_present());
    assert!(!given_nothing::<Group>().state().is_present());
}

#[test]
fn cqrs_es_drives_groups() {
    TestFramework::<Group>::with(()).given_no_previous_events().when(create()).then_expect_events(vec![created()]);
    TestFramework::<Group>::with(())
        .given(vec![created(), DELETED])
        .when(add(&[ANNA]))
        .then_expect_error(GroupError::NotCreated);
}
