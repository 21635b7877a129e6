use std::sync::Arc;
use std::time::Duration;

use application::ports::{Clock, Ids};
use application::presence::Presence;

use crate::database::Database;
use crate::lease::Lease;

/// The time between two looks for leases that have ended, and between two tries to get the right to look.
const EVERY: Duration = Duration::from_secs(1);

/// Watches over presence on one node at a time; another takes over when this one ends.
pub struct PresenceWatch {
    presence: Arc<Presence>,
    database: Database,
    clock: Arc<dyn Clock>,
    owner: String,
}

impl PresenceWatch {
    /// For a node that shares this database.
    #[must_use]
    pub fn new(presence: Arc<Presence>, database: Database, clock: Arc<dyn Clock>, ids: &dyn Ids) -> Self {
        Self { presence, database, clock, owner: ids.new_uuid().to_string() }
    }

    /// Watches until the task is dropped.
    pub async fn run(self) {
        loop {
            match Lease::take(&self.database, "presence", &self.owner, Arc::clone(&self.clock)).await {
                Ok(Some(lease)) => self.lead(lease).await,
                Ok(None) => {}
                Err(error) => tracing::debug!(error = &error as &dyn std::error::Error, "presence is not watched"),
            }
            self.clock.sleep(EVERY).await;
        }
    }

    async fn lead(&self, mut lease: Lease) {
        self.presence.watch();
        loop {
            tokio::select! {
                biased;
                () = lease.lost() => return,
                () = self.clock.sleep(EVERY) => {}
            }
            if let Err(error) = self.presence.sweep().await {
                tracing::warn!(error = &error as &dyn std::error::Error, "presence could not be watched");
                // Heartbeats could not be kept either, perhaps.
                self.presence.watch();
            }
        }
    }
}
