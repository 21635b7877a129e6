use std::sync::Arc;

use application::agents::Sessions;
use application::ports::ReadError;
use projections::agents::AgentQueries;
use projections::tags::TagQueries;

use super::Core;
use crate::service::reading::Reading;
use crate::service::stream::{Hub, HubPorts};
use crate::service::{Authenticator, Views};

/// Builds the hub of the live stream.
pub(super) async fn build(core: &Core, views: &Arc<Views>, sessions: &Sessions) -> Result<Arc<Hub>, ReadError> {
    let Core { database, clock, log, bus, .. } = core;
    let (sessions, tokens) = (sessions.clone(), Arc::clone(&sessions.tokens));
    Ok(Hub::new(HubPorts {
        bus: bus.clone(),
        log: Arc::clone(log),
        views: Arc::clone(views),
        reading: Reading::new(bus.clone(), Arc::clone(log), database),
        agents: AgentQueries::new(database.clone()),
        tags: TagQueries::new(database.clone()),
        authenticator: Authenticator { bus: bus.clone(), sessions, tokens },
        clock: Arc::clone(clock),
        epoch: log.head().await?.epoch,
    }))
}
