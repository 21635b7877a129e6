use std::sync::Arc;
use std::time::Duration;

use application::command_bus::CommandBus;
use application::ports::{Clock, EventLog, Ids};
use application::visitors::{Erased, Eraser};
use domain::event::AnyEvent;
use domain::time::Timestamp;
use domain::visitor::VisitorEvent;
use infrastructure::database::{Database, DatabaseError};
use infrastructure::event_log::{LogPorts, SqlEventLog};
use infrastructure::subscription::{Checkpoint, RunnerHandle, Subscriptions};
use infrastructure::system::RandomIds;

use super::{FolderLock, StartError, open_as_it_is};
use crate::config::Settings;

/// How long an operator's command waits for read models, and how often it looks.
const VIEWS_WITHIN: Duration = Duration::from_secs(60);
const LOOK_AT_VIEWS: Duration = Duration::from_millis(50);

/// What an operator's commands on what is stored need.
pub struct Archive {
    /// Reads the log.
    pub bus: CommandBus,
    /// Erases visitors.
    pub eraser: Eraser,
    database: Database,
    clock: Arc<dyn Clock>,
    runners: Vec<RunnerHandle>,
    _folder: Option<FolderLock>,
}

impl Archive {
    /// Opens a database that is there, also beside a server. Where no server can be projecting into its views, or projectors
    /// of several programs agree on who does, it does so itself.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn open(settings: Settings, clock: Arc<dyn Clock>) -> Result<Self, StartError> {
        let database = open_as_it_is(&settings).await?;
        let folder = match FolderLock::take(&settings) {
            Ok(folder) => Some(folder),
            Err(StartError::FolderInUse { .. } | StartError::FileInUse { .. }) => None,
            Err(error) => return Err(error),
        };
        let ids: Arc<dyn Ids> = Arc::new(RandomIds);
        let ports = LogPorts::alone(Arc::clone(&clock), Arc::clone(&ids));
        let texts = Arc::new(SqlEventLog::start(database.clone(), ports).await?);
        let log: Arc<dyn EventLog> = Arc::clone(&texts) as _;
        let bus = CommandBus::new(Arc::clone(&log), Arc::clone(&clock), Arc::clone(&ids));
        let subscriptions = Subscriptions::new(database.clone(), log, Arc::clone(&clock), ids);
        let mut runners = vec![];
        for view in projections::all_views() {
            // Tables of another version are the servers' business.
            let is_own = Checkpoint::find(&database, view.name(), view.version()).await?.is_some();
            if folder.is_some() && is_own {
                runners.push(subscriptions.start(view));
            }
        }
        let eraser = Eraser::new(bus.clone(), texts);
        Ok(Self { bus, eraser, database, clock, runners, _folder: folder })
    }

    /// Waits, within bounds, until all read models with something of visitors show an erasure. Tells whether they do.
    ///
    /// # Errors
    /// When the database does not work.
    pub async fn await_views(&self, erased: &Erased) -> Result<bool, DatabaseError> {
        let Some(position) = erased.position else { return Ok(true) };
        let views = || projections::all_views().into_iter().filter(|projector| projector.handles(&erasure()));
        let deadline = self.clock.now().plus(VIEWS_WITHIN);
        loop {
            let mut behind = 0;
            for view in views() {
                let stored = Checkpoint::find(&self.database, view.name(), view.version()).await?;
                behind += usize::from(stored.is_none_or(|stored| stored.position < position));
            }
            if behind == 0 || self.clock.now() > deadline {
                return Ok(behind == 0);
            }
            self.clock.sleep(LOOK_AT_VIEWS).await;
        }
    }

    /// Closes it.
    pub async fn close(self) {
        for runner in self.runners {
            runner.shut_down().await;
        }
        self.database.close().await;
    }
}

/// Any erasure, to ask who cares.
fn erasure() -> AnyEvent {
    let at = Timestamp::from_micros(0);
    AnyEvent::Visitor(VisitorEvent::PersonalDataErased { payloads: vec![], conversation_ids: vec![], at })
}
