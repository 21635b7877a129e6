use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::time::Duration;

use infrastructure::database::Database;
use infrastructure::subscription::RunnerHandle;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::{FirstAdmin, FolderLock};
use crate::app::App;
use crate::tasks::BackgroundTasks;

/// How long a shutdown waits for requests that are under way: as long as a request may take.
const DRAIN_WITHIN: Duration = Duration::from_secs(30);

/// A running server.
pub struct Running {
    pub(super) address: SocketAddr,
    pub(super) first_admin: Option<FirstAdmin>,
    pub(super) app: App,
    pub(super) runners: Vec<RunnerHandle>,
    pub(super) tasks: BackgroundTasks,
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

    /// What its handlers share.
    #[must_use]
    pub const fn app(&self) -> &App {
        &self.app
    }

    /// Lets requests that are under way finish, gives back what this node alone may do, and ends.
    /// Before that it tells load balancers for a while that it is not ready any more.
    pub async fn stop(self) {
        self.app.draining.store(true, Ordering::Relaxed);
        if !self.drain_delay.is_zero() {
            self.app.clock.sleep(self.drain_delay).await;
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
        self.tasks.stop();
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
