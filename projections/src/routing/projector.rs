use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use application::ports::LogEvent;
use application::process_managers::router::Router;
use async_trait::async_trait;
use domain::event::AnyEvent;
use domain::routing::RoutingState;
use infrastructure::database::{Database, Transaction};
use infrastructure::subscription::{ProjectError, Projector, ProjectorId};

use super::{parts, snapshot};
use crate::error::poison;

/// Where that is stored.
pub(crate) const TABLES: [&str; 2] = [parts::QUEUE_TABLE.name, parts::STATE_TABLE.name];

/// Its name and its version.
pub const PROJECTOR: ProjectorId = ("routing", 1);

/// Lets a router fold the log and stores what it folded.
pub struct RoutingProjector {
    router: Arc<Router>,
    /// A router that has not been restored folds nothing, which must not pass for having nothing to store.
    loaded: AtomicBool,
}

impl RoutingProjector {
    /// For this router.
    #[must_use]
    pub const fn new(router: Arc<Router>) -> Self {
        Self { router, loaded: AtomicBool::new(false) }
    }
}

#[async_trait]
impl Projector for RoutingProjector {
    fn name(&self) -> &'static str {
        PROJECTOR.0
    }

    fn version(&self) -> i64 {
        PROJECTOR.1
    }

    fn tables(&self) -> &'static [&'static str] {
        &TABLES
    }

    fn handles(&self, event: &AnyEvent) -> bool {
        RoutingState::handles(event)
    }

    async fn load(&self, database: &Database) -> Result<(), ProjectError> {
        self.router.restore(snapshot::read(database).await?);
        self.loaded.store(true, Ordering::Release);
        Ok(())
    }

    async fn project(&self, events: &[Arc<LogEvent>], tx: &mut Transaction) -> Result<(), ProjectError> {
        if let (Some(first), false) = (events.first(), self.loaded.load(Ordering::Acquire)) {
            return Err(poison(first, "the router's state was not loaded"));
        }
        Ok(parts::save(tx, &self.router.fold(events)).await?)
    }

    fn committed(&self) {
        self.router.stored();
    }

    fn released(&self) {
        self.loaded.store(false, Ordering::Release);
        self.router.stand_down();
    }
}
