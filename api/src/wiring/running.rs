use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use application::command_bus::CommandBus;
use application::ports::{Clock, CredentialStore, EventLog, Ids, PasswordHasher};
use infrastructure::database::Database;
use infrastructure::subscription::RunnerHandle;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::{FirstAdmin, FolderLock};
use crate::edge::Edge;
use crate::service::{BackgroundTasks, Services, Views};

/// How long a shutdown waits for requests that are under way: as long as a request may take.
const DRAIN_WITHIN: Duration = Duration::from_secs(30);

/// The parts behind the services of a running server, for the demonstration and for tests.
pub struct Internals {
    /// Runs use cases.
    pub bus: CommandBus,
    /// The event log.
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
    /// The tasks in the background.
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
    pub(super) rebuilding: JoinHandle<()>,
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

    /// The admin that this start has made, if it was the first.
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

    /// Lets requests that are under way finish, gives back what this node alone may do, and ends.
    /// Before that it tells load balancers for a while that it is not ready any more.
    pub async fn stop(self) {
        self.edge.drain();
        if !self.drain_delay.is_zero() {
            self.internals.clock.sleep(self.drain_delay).await;
        }
        // Nobody is listening only when the server has ended already.
        let _ = self.drain.send(true);
        let mut server = self.server;
        match tokio::time::timeout(DRAIN_WITHIN, &mut server).await {
            Ok(Ok(())) => {}
            Err(_) => {
                tracing::warn!("connections were still open and are cut");
                server.abort();
            }
            Ok(Err(error)) => tracing::error!(error = &error as &dyn std::error::Error, "server ended"),
        }
        self.internals.tasks.stop();
        self.rebuilding.abort();
        for runner in self.runners {
            runner.shut_down().await;
        }
        leave_whole(&self.database).await;
        self.database.close().await;
    }
}

/// Whoever copies the file of a server that has ended finds everything in it.
async fn leave_whole(database: &Database) {
    match database.wipe().await {
        Ok(true) => {}
        Ok(false) => tracing::warn!("somebody reads the database: copy its -wal file with it"),
        Err(error) => {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "the write-ahead log was not emptied: copy the database with its -wal file");
        }
    }
}
