use std::collections::BTreeSet;
use std::sync::Arc;

use domain::conversation::ConversationEvent;
use domain::event::AnyEvent;
use domain::ids::{ConversationId, EntityId};
use domain::routing::{RoutingChange, RoutingState};

use super::RoutingPart;
use crate::ports::LogEvent;

/// Folds a page of events and returns the parts to store, each once.
pub(super) fn fold(state: &mut RoutingState, events: &[Arc<LogEvent>]) -> Vec<RoutingPart> {
    let mut changes = BTreeSet::new();
    for event in events {
        measure_wait(state, event);
        let header = &event.header;
        changes.extend(state.apply(header.position, header.aggregate_id, &event.event));
    }
    changes.into_iter().filter_map(|change| part(state, change)).collect()
}

/// Measures the time from the beginning of a wait to the assignment.
fn measure_wait(state: &RoutingState, event: &LogEvent) {
    let AnyEvent::Conversation(ConversationEvent::AgentAssigned { assignment, at, .. }) = &event.event else { return };
    let chat = ConversationId::from_uuid(event.header.aggregate_id);
    if let Some(waiting) = state.waiting(chat) {
        let by = if assignment.is_routed() { "router" } else { "person" };
        metrics::histogram!("livechatlog_assignment_seconds", "by" => by).record(at.since(waiting.since));
    }
}

fn part(state: &RoutingState, change: RoutingChange) -> Option<RoutingPart> {
    Some(match change {
        RoutingChange::Agent(id) => RoutingPart::Agent(id, state.agent(id)?.clone()),
        RoutingChange::Group(id) => RoutingPart::Group(id, state.group(id)?.clone()),
        RoutingChange::DefaultGroup => RoutingPart::DefaultGroup(state.default_group_id()?),
        RoutingChange::Chat(id) => match (state.waiting(id), state.served_arrival(id)) {
            (Some(chat), _) => RoutingPart::Waiting(id, chat.clone()),
            (None, Some(arrival)) => RoutingPart::Served(id, arrival),
            (None, None) => RoutingPart::Gone(id),
        },
    })
}
