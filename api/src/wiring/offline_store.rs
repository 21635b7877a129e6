use std::sync::Arc;
use std::time::Duration;

use application::command_bus::CommandBus;
use application::ports::Clock;
use application::visitors::{Erased, Eraser};
use infrastructure::database::{Database, DatabaseError};
use infrastructure::subscription::{Checkpoint, RunnerHandle, Subscriptions, View};

use super::core::Core;
use super::{FolderLock, StartError, open_as_it_is};
use crate::config::Settings;

/// The longest time that an operator's command waits for read models.
const VIEWS_WITHIN: Duration = Duration::from_secs(60);

/// The pause between two looks at the read models.
const LOOK_AT_VIEWS: Duration = Duration::from_millis(50);

/// A store for an operator's commands, which may run alongside its server.
pub struct OfflineStore {
    /// Reads the log.
    pub bus: CommandBus,
    /// Erases visitors.
    pub eraser: Eraser,
    database: Database,
    clock: Arc<dyn Clock>,
    runners: Vec<RunnerHandle>,
    _folder: Option<FolderLock>,
}

impl OfflineStore {
    /// Opens an existing database. If no server can be projecting into its views, or if projectors of several programs
    /// agree on a leader, the store runs their projectors itself.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn open(settings: Settings) -> Result<Self, StartError> {
        let database = open_as_it_is(&settings).await?;
        let folder = match FolderLock::take(&settings) {
            Ok(folder) => Some(folder),
            Err(StartError::FolderInUse { .. } | StartError::FileInUse { .. }) => None,
            Err(error) => return Err(error),
        };
        let Core { database, clock, ids, log, personal_data_log, bus, .. } =
            Core::without_signals(settings, database).await?;
        let subscriptions = Subscriptions::new(database.clone(), log, Arc::clone(&clock), ids);
        let mut runners = vec![];
        for view in projections::all_views() {
            // Only a server may fill tables of another version.
            let is_own = Checkpoint::find(&database, view.name(), view.version()).await?.is_some();
            if folder.is_some() && is_own {
                runners.push(subscriptions.start(view));
            }
        }
        let eraser = Eraser::new(bus.clone(), personal_data_log);
        Ok(Self { bus, eraser, database, clock, runners, _folder: folder })
    }

    /// Waits, within bounds, until all read models that hold data of visitors show an erasure. Returns whether they do.
    ///
    /// # Errors
    /// When the database does not work.
    pub async fn await_views(&self, erased: &Erased) -> Result<bool, DatabaseError> {
        let Some(position) = erased.position else { return Ok(true) };
        let shows = |view: &Arc<dyn View>| erased.events.iter().any(|event| view.handles(event));
        let views: Vec<_> = projections::all_views().into_iter().filter(shows).collect();
        let deadline = self.clock.now().plus(VIEWS_WITHIN);
        loop {
            let mut behind = 0;
            for view in &views {
                let stored = Checkpoint::find(&self.database, view.name(), view.version()).await?;
                behind += usize::from(stored.is_none_or(|stored| stored.position < position));
            }
            if behind == 0 || self.clock.now() > deadline {
                return Ok(behind == 0);
            }
            self.clock.sleep(LOOK_AT_VIEWS).await;
        }
    }

    /// Ends the projectors of this process, and closes the database.
    pub async fn close(self) {
        for runner in self.runners {
            runner.shut_down().await;
        }
        self.database.close().await;
    }
}
