use std::collections::BTreeSet;
use std::sync::Arc;

use domain::conversation::ConversationEvent;
use domain::event::AnyEvent;
use domain::ids::{ConversationId, EntityId};
use domain::routing::{Change, RoutingState};

use super::RoutingPart;
use crate::ports::LogEvent;

/// Folds a page of events and tells what has to be stored anew, each part once.
pub(super) fn fold(state: &mut RoutingState, events: &[Arc<LogEvent>]) -> Vec<RoutingPart> {
    let mut changes = BTreeSet::new();
    for event in events {
        measure_wait(state, event);
        let header = &event.header;
        changes.extend(state.apply(header.position, header.aggregate_id, &event.event));
    }
    changes.into_iter().filter_map(|change| part(state, change)).collect()
}

/// From the beginning of a wait to the choice of an agent.
fn measure_wait(state: &RoutingState, event: &LogEvent) {
    let AnyEvent::Conversation(ConversationEvent::AgentAssigned { assignment, at, .. }) = &event.event else { return };
    let chat = ConversationId::from_uuid(event.header.aggregate_id);
    if let Some(waiting) = state.waiting(chat) {
        let by = if assignment.is_routed() { "router" } else { "person" };
        metrics::histogram!("livechatlog_assignment_seconds", "by" => by).record(at.since(waiting.since));
    }
}

fn part(state: &RoutingState, change: Change) -> Option<RoutingPart> {
    Some(match change {
        Change::Agent(id) => RoutingPart::Agent(id, state.agent(id)?.clone()),
        Change::Group(id) => RoutingPart::Group(id, state.group(id)?.clone()),
        Change::DefaultGroup => RoutingPart::DefaultGroup(state.default_group_id()?),
        Change::Chat(id) => match (state.waiting(id), state.served_arrival(id)) {
            (Some(chat), _) => RoutingPart::Waiting(id, chat.clone()),
            (None, Some(arrival)) => RoutingPart::Served(id, arrival),
            (None, None) => RoutingPart::Gone(id),
        },
    })
}
