//! Offline agents who still hold chats.

use super::*;
use crate::fixtures::BERT;

fn serving(desk: &mut Desk, agent_id: AgentId) {
    desk.on_agent(agent_id, AgentEvent::SlotTaken { conversation_id: chat(1), over_limit: false, at: at(1) });
}

#[test]
fn agent_who_goes_offline_or_is_deleted_with_chats_is_reported_once() {
    for left in [
        AgentEvent::StatusChanged { status: AgentStatus::Offline, cause: StatusCause::SetBy { id: BERT }, at: at(2) },
        AgentEvent::AgentDeleted { at: at(2) },
    ] {
        let mut desk = Desk::with(&[(ANNA, 6), (BERT, 6)]);
        serving(&mut desk, ANNA);
        serving(&mut desk, BERT);
        assert_eq!(desk.state.offline_holders(), []);
        desk.on_agent(ANNA, left);
        assert_eq!(desk.state.offline_holders(), [ANNA]);
        assert_eq!(desk.state.offline_holders(), []);
    }
}

#[test]
fn agent_who_gave_all_chats_back_is_not_reported() {
    let mut desk = Desk::with(&[(ANNA, 6)]);
    serving(&mut desk, ANNA);
    desk.status(ANNA, AgentStatus::Offline);
    desk.on_agent(ANNA, AgentEvent::SlotFreed { conversation_id: chat(1), at: at(2) });
    assert_eq!(desk.state.offline_holders(), []);
}

#[test]
fn agent_who_is_away_or_came_back_keeps_the_chats() {
    let mut desk = Desk::with(&[(ANNA, 6)]);
    serving(&mut desk, ANNA);
    for status in [AgentStatus::Away, AgentStatus::Offline, AgentStatus::Online] {
        desk.status(ANNA, status);
    }
    assert_eq!(desk.state.offline_holders(), []);
}

#[test]
fn offline_holder_is_found_by_the_sweep_and_after_a_restart() {
    let mut desk = Desk::with(&[(ANNA, 6), (BERT, 6)]);
    serving(&mut desk, ANNA);
    desk.status(ANNA, AgentStatus::Offline);
    desk.state.offline_holders();
    desk.state.wake_all();
    assert_eq!(desk.state.offline_holders(), [ANNA]);
    assert_eq!(desk.restarted().state.offline_holders(), [ANNA]);
}
