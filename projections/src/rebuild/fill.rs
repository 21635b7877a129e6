use std::sync::Arc;

use application::command_bus::CommandBus;
use application::ports::{EventLog, LogEvent, Position, ReadError};
use application::router::Router;
use infrastructure::database::{Database, DatabaseError};
use infrastructure::subscription::{ProjectError, Projector};
use infrastructure::system::{RandomIds, SystemClock};

use super::view_projectors;
use crate::routing::{RoutingProjector, SqlAttemptStore};

/// How many events are projected in one transaction.
const PAGE: usize = 500;

/// Why the views could not be filled.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    /// The log could not be read.
    #[error("event log could not be read")]
    Read(#[from] ReadError),
    /// An event could not be applied.
    #[error(transparent)]
    Project(#[from] ProjectError),
    /// The target did not take the rows.
    #[error("target of the rebuild is unavailable")]
    Database(#[from] DatabaseError),
}

/// Projects the whole log into a migrated database without any rows, and tells how far it came.
///
/// # Errors
/// See [`RebuildError`].
pub async fn rebuild_into(log: &Arc<dyn EventLog>, target: &Database) -> Result<Position, RebuildError> {
    let mut projectors = view_projectors();
    projectors.push(routing(log, target));
    for projector in &projectors {
        projector.load(target).await?;
    }
    let mut position = 0;
    loop {
        let events = log.read_after(position, PAGE).await?;
        let Some(last) = events.last() else { return Ok(position) };
        position = last.header.position;
        project(&projectors, &events, target).await?;
    }
}

async fn project(
    projectors: &[Arc<dyn Projector>],
    events: &[Arc<LogEvent>],
    target: &Database,
) -> Result<(), RebuildError> {
    let mut tx = target.begin_view().await?;
    for projector in projectors {
        let handled: Vec<_> = events.iter().filter(|event| projector.handles(&event.event)).cloned().collect();
        projector.project(&handled, &mut tx).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Of a router that never runs: it folds, and dispatches nothing.
fn routing(log: &Arc<dyn EventLog>, target: &Database) -> Arc<dyn Projector> {
    let (clock, ids) = (Arc::new(SystemClock), Arc::new(RandomIds));
    let bus = CommandBus::new(Arc::clone(log), clock.clone(), ids.clone());
    let attempts = Arc::new(SqlAttemptStore::new(target.clone()));
    Arc::new(RoutingProjector::new(Router::new(bus, clock, ids, attempts)))
}
