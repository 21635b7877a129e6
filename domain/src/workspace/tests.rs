//! Rules of workspaces.

use cqrs_es::test::TestFramework;

use super::{Workspace, WorkspaceCommand, WorkspaceError, WorkspaceEvent};
use crate::fixtures::{ANNA, BERT, SALES, SUPPORT, at};
use crate::ids::{AgentId, GroupId};
use crate::testing::{given, given_nothing};

const fn default_chosen(group_id: GroupId) -> WorkspaceEvent {
    WorkspaceEvent::DefaultGroupChosen { group_id, at: at(0) }
}

const fn appointed(agent_id: AgentId) -> WorkspaceEvent {
    WorkspaceEvent::AdminAppointed { agent_id, at: at(1) }
}

const fn dismissed(agent_id: AgentId) -> WorkspaceEvent {
    WorkspaceEvent::AdminDismissed { agent_id, at: at(2) }
}

const fn choose_default(group_id: GroupId) -> WorkspaceCommand {
    WorkspaceCommand::ChooseDefaultGroup { group_id, at: at(0) }
}

const fn appoint(agent_id: AgentId) -> WorkspaceCommand {
    WorkspaceCommand::AppointAdmin { agent_id, at: at(1) }
}

const fn dismiss(agent_id: AgentId) -> WorkspaceCommand {
    WorkspaceCommand::DismissAdmin { agent_id, at: at(2) }
}

#[test]
fn one_group_is_the_default() {
    given_nothing::<Workspace>().when(choose_default(SALES)).then([default_chosen(SALES)]);
    given([default_chosen(SALES)]).when(choose_default(SALES)).then_nothing();
    given([default_chosen(SALES)]).when(choose_default(SUPPORT)).then([default_chosen(SUPPORT)]);
    let state = given([default_chosen(SALES), default_chosen(SUPPORT)]).state();
    assert_eq!(state.default_group_id, Some(SUPPORT));
}

#[test]
fn admin_is_appointed_once() {
    given_nothing::<Workspace>().when(appoint(ANNA)).then([appointed(ANNA)]);
    given([appointed(ANNA)]).when(appoint(ANNA)).then_nothing();
    given([appointed(ANNA)]).when(appoint(BERT)).then([appointed(BERT)]);
}

#[test]
fn admin_is_dismissed_while_another_remains() {
    given([appointed(ANNA), appointed(BERT)]).when(dismiss(ANNA)).then([dismissed(ANNA)]);
}

#[test]
fn last_admin_is_not_dismissed() {
    given([appointed(ANNA)]).when(dismiss(ANNA)).then_error(WorkspaceError::LastAdmin);
    given([appointed(ANNA), appointed(BERT), dismissed(ANNA)])
        .when(dismiss(BERT))
        .then_error(WorkspaceError::LastAdmin);
}

#[test]
fn who_is_no_admin_is_dismissed_without_effect() {
    given_nothing::<Workspace>().when(dismiss(ANNA)).then_nothing();
    given([appointed(BERT)]).when(dismiss(ANNA)).then_nothing();
    given([appointed(ANNA), appointed(BERT), dismissed(ANNA)]).when(dismiss(ANNA)).then_nothing();
}

#[test]
fn dismissed_admin_may_be_appointed_again() {
    given([appointed(ANNA), appointed(BERT), dismissed(ANNA)]).when(appoint(ANNA)).then([appointed(ANNA)]);
}

#[test]
fn cqrs_es_drives_the_workspace() {
    TestFramework::<Workspace>::with(())
        .given_no_previous_events()
        .when(choose_default(SALES))
        .then_expect_events(vec![default_chosen(SALES)]);
    TestFramework::<Workspace>::with(())
        .given(vec![appointed(ANNA)])
        .when(dismiss(ANNA))
        .then_expect_error(WorkspaceError::LastAdmin);
}
