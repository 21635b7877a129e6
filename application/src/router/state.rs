use std::collections::BTreeSet;
use std::sync::Arc;

use domain::routing::{Change, RoutingState};

use super::RoutingPart;
use crate::ports::LogEvent;

/// Folds a page of events and tells what has to be stored anew, each part once.
pub(super) fn fold(state: &mut RoutingState, events: &[Arc<LogEvent>]) -> Vec<RoutingPart> {
    let mut changes = BTreeSet::new();
    for event in events {
        let header = &event.header;
        changes.extend(state.apply(header.position, header.aggregate_id, &event.event));
    }
    changes.into_iter().filter_map(|change| part(state, change)).collect()
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
