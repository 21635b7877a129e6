use std::sync::Arc;

use application::command_bus::CommandBus;
use application::ports::{EventLog, LogEvent, Position, ReadError};
use application::process_managers::router::Router;
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
    /// There is no such projector.
    #[error("there is no projection {name}; there are: {}", known.join(", "))]
    Unknown {
        /// What was asked for.
        name: String,
        /// Those that there are.
        known: Vec<&'static str>,
    },
    /// What a transaction has written may be there or not.
    #[error("the database did not say whether a part of the rebuild is kept")]
    Unsure(#[source] DatabaseError),
    /// The live tables do not stand still for long enough.
    #[error("the live tables do not stand still for long enough to be compared")]
    Restless,
    /// Somebody else rebuilds.
    #[error("another rebuild is under way")]
    Busy,
    /// The live tables were never filled.
    #[error("the projection {projector} has not begun: the service fills its tables when it is started")]
    NotBegun {
        /// The projector.
        projector: &'static str,
    },
    /// The live tables belong to another version of the program.
    #[error(
        "the tables of {projector} are of version {stored}, this program's are of version {known}: the service of \
             the newer version rebuilds them when it is started"
    )]
    OtherVersion {
        /// The projector.
        projector: &'static str,
        /// The version of the tables.
        stored: i64,
        /// The version of this program.
        known: i64,
    },
}

impl RebuildError {
    /// Whether a statement failed that may work when it is run again.
    pub(super) const fn is_of_database(&self) -> bool {
        !matches!(self, Self::Busy | Self::Read(_)) && self.is_transient()
    }

    /// Whether a later try may work.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        match self {
            Self::Read(ReadError::Unavailable { .. }) | Self::Busy => true,
            Self::Project(ProjectError::Database(error)) | Self::Database(error) => error.is_transient(),
            Self::Read(_) | Self::Project(_) | Self::Unknown { .. } | Self::NotBegun { .. } => false,
            Self::OtherVersion { .. } | Self::Unsure(_) | Self::Restless => false,
        }
    }
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
pub(super) fn routing(log: &Arc<dyn EventLog>, target: &Database) -> Arc<dyn Projector> {
    let (clock, ids) = (Arc::new(SystemClock), Arc::new(RandomIds));
    let bus = CommandBus::new(Arc::clone(log), clock.clone(), ids.clone());
    let attempts = Arc::new(SqlAttemptStore::new(target.clone()));
    Arc::new(RoutingProjector::new(Router::new(bus, clock, ids, attempts)))
}
