use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use application::agents::Sessions;
use application::command_bus::CommandBus;
use application::ports::{Clock, CredentialStore, EventLog, Ids, PasswordHasher};
use infrastructure::database::Database;
use infrastructure::subscription::RunnerHandle;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::{FirstAdmin, FolderLock};
use crate::edge::Edge;
use crate::service::{BackgroundTasks, Services, Views};

/// The longest time that a shutdown waits for requests and upgraded connections: the longest time of a request.
const DRAIN_WITHIN: Duration = Duration::from_secs(30);

/// The parts behind the services of a running server, for the demonstration and for tests.
pub struct Internals {
    /// Runs use cases.
    pub bus: CommandBus,
    /// Reads and appends events.
    pub log: Arc<dyn EventLog>,
    /// The progress of the read models.
    pub views: Arc<Views>,
    /// The present time.
    pub clock: Arc<dyn Clock>,
    /// Makes ids.
    pub ids: Arc<dyn Ids>,
    /// Hashes passwords.
    pub hasher: Arc<dyn PasswordHasher>,
    /// Keeps the hashes.
    pub credentials: Arc<dyn CredentialStore>,
    /// Opens sessions of agents.
    pub sessions: Sessions,
    /// Says which of them have ended too early, and stops them.
    pub tasks: BackgroundTasks,
}

/// A running server.
pub struct Running {
    pub(super) address: SocketAddr,
    pub(super) first_admin: Option<FirstAdmin>,
    pub(super) internals: Internals,
    pub(super) services: Arc<Services>,
    pub(super) edge: Arc<Edge>,
    pub(super) runners: Vec<RunnerHandle>,
    pub(super) server: JoinHandle<()>,
    pub(super) drain: watch::Sender<bool>,
    pub(super) drain_delay: Duration,
    pub(super) database: Database,
    pub(super) _folder: FolderLock,
}

impl Running {
    /// The address it listens on.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The admin that this start has created, if it was the first one.
    #[must_use]
    pub const fn first_admin(&self) -> Option<&FirstAdmin> {
        self.first_admin.as_ref()
    }

    /// The services that its doors call.
    #[must_use]
    pub fn services(&self) -> &Services {
        &self.services
    }

    /// The parts behind its services.
    #[must_use]
    pub const fn internals(&self) -> &Internals {
        &self.internals
    }

    /// Reports to load balancers for the drain delay that it is no longer ready, then finishes the current requests,
    /// releases this node's leases, and ends.
    pub async fn stop(self) {
        self.edge.drain();
        if !self.drain_delay.is_zero() {
            self.internals.clock.sleep(self.drain_delay).await;
        }
        // Without a receiver the server has already ended.
        let _ = self.drain.send(true);
        let mut server = self.server;
        match tokio::time::timeout(DRAIN_WITHIN, &mut server).await {
            Ok(Ok(())) => {}
            Err(_) => {
                tracing::warn!("the drain has timed out; open connections are cut");
                server.abort();
            }
            Ok(Err(error)) => tracing::error!(error = &error as &dyn std::error::Error, "the server task has failed"),
        }
        self.internals.tasks.stop();
        for runner in self.runners {
            runner.shut_down().await;
        }
        leave_complete(&self.database).await;
        self.database.close().await;
    }
}

/// Empties the write-ahead log, so that a copy of the database file alone is complete after the server has ended.
async fn leave_complete(database: &Database) {
    match database.wipe().await {
        Ok(true) => {}
        Ok(false) => tracing::warn!("another process is reading the database: copy its -wal file with it"),
        Err(error) => {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(
                error,
                "the write-ahead log could not be emptied: copy the database together with its -wal file"
            );
        }
    }
}
