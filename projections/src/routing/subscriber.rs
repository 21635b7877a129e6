use std::sync::Arc;

use application::ports::LogEvent;
use application::process_managers::router::RouterMemory;
use async_trait::async_trait;
use domain::event::AnyEvent;
use domain::routing::RoutingState;
use infrastructure::database::{Database, Transaction};
use infrastructure::subscription::{HandleError, ROUTER, Subscriber};

use super::{parts, snapshot};
use crate::error::poison;

/// Where the router's memory is stored.
pub(crate) const TABLES: [&str; 2] = [parts::QUEUE_TABLE.name, parts::STATE_TABLE.name];

/// Keeps a router's memory up with the log, and stores it.
pub struct RouterSubscriber {
    memory: Arc<RouterMemory>,
}

impl RouterSubscriber {
    /// For the router with this memory; memory of its own folds the log, and nothing follows from it.
    #[must_use]
    pub const fn new(memory: Arc<RouterMemory>) -> Self {
        Self { memory }
    }
}

#[async_trait]
impl Subscriber for RouterSubscriber {
    fn name(&self) -> &'static str {
        ROUTER.0
    }

    fn version(&self) -> i64 {
        ROUTER.1
    }

    fn handles(&self, event: &AnyEvent) -> bool {
        RoutingState::handles(event)
    }

    async fn load(&self, database: &Database) -> Result<(), HandleError> {
        self.memory.load(snapshot::read(database).await?);
        Ok(())
    }

    async fn handle(&self, events: &[Arc<LogEvent>], tx: &mut Transaction) -> Result<(), HandleError> {
        let Some(first) = events.first() else { return Ok(()) };
        // Memory without a state folds nothing, which must not pass for having nothing to store.
        let parts = self.memory.handle(events).ok_or_else(|| poison(first, "the router's state was not loaded"))?;
        Ok(parts::save(tx, &parts).await?)
    }

    fn committed(&self) {
        self.memory.committed();
    }

    async fn released(&self) {
        self.memory.released();
        self.memory.at_rest().await;
    }
}
