use std::sync::Arc;

use application::InstallationKey;
use application::command_bus::CommandBus;
use application::ports::{Clock, EventLog, Ids, PersonalDataLog, SessionStore, WakeUps};
use domain::event::upcasters;
use infrastructure::auth::SqlSessionStore;
use infrastructure::database::Database;
use infrastructure::event_log::{LogHint, LogPorts, SqlEventLog};
use infrastructure::redis::{ChannelOptions, RedisWakeUps};
use infrastructure::system::{RandomIds, SystemClock};
use infrastructure::wake_ups::NoWakeUps;

use super::StartError;
use crate::config::Settings;
use crate::service::SignalStatus;

/// The clock of the operating system.
#[must_use]
pub fn system_clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock)
}

pub(super) fn random_ids() -> Arc<dyn Ids> {
    Arc::new(RandomIds)
}

/// The event log of an open database, and the dependencies that everything built on it shares.
pub(super) struct Core {
    pub(super) settings: Settings,
    pub(super) database: Database,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) ids: Arc<dyn Ids>,
    pub(super) log: Arc<dyn EventLog>,
    pub(super) personal_data_log: Arc<dyn PersonalDataLog>,
    pub(super) bus: CommandBus,
    pub(super) sessions: Arc<dyn SessionStore>,
    pub(super) signals: SignalStatus,
}

impl Core {
    /// Sends and receives the signals between nodes, if the settings name a Redis.
    pub(super) async fn build(
        settings: Settings,
        database: Database,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StartError> {
        let ids = random_ids();
        let hint = LogHint::default();
        let (wake_ups, signals) = signals(&settings, &clock, &ids, &hint)?;
        let snapshot_key = snapshot_key(&settings);
        let ports = LogPorts { clock, ids, wake_ups, upcasters: upcasters(), hint, snapshot_key };
        Self::start(settings, database, ports, signals).await
    }

    /// Without signals: servers notice new events by looking.
    pub(super) async fn without_signals(settings: Settings, database: Database) -> Result<Self, StartError> {
        let snapshot_key = snapshot_key(&settings);
        let ports = LogPorts { snapshot_key, ..LogPorts::alone(system_clock(), random_ids()) };
        Self::start(settings, database, ports, Arc::new(|| None)).await
    }

    async fn start(
        settings: Settings,
        database: Database,
        ports: LogPorts,
        signals: SignalStatus,
    ) -> Result<Self, StartError> {
        let (clock, ids) = (Arc::clone(&ports.clock), Arc::clone(&ports.ids));
        let log = Arc::new(SqlEventLog::start(database.clone(), ports).await?);
        let personal_data_log: Arc<dyn PersonalDataLog> = Arc::clone(&log) as _;
        let log: Arc<dyn EventLog> = log;
        let sessions: Arc<dyn SessionStore> = Arc::new(SqlSessionStore::new(database.clone()));
        let bus =
            CommandBus::with_sessions(Arc::clone(&log), Arc::clone(&clock), Arc::clone(&ids), Arc::clone(&sessions));
        Ok(Self { settings, database, clock, ids, log, personal_data_log, bus, sessions, signals })
    }
}

fn snapshot_key(settings: &Settings) -> InstallationKey {
    InstallationKey::new("snapshots", &settings.jwt_secret)
}

fn signals(
    settings: &Settings,
    clock: &Arc<dyn Clock>,
    ids: &Arc<dyn Ids>,
    hint: &LogHint,
) -> Result<(Arc<dyn WakeUps>, SignalStatus), StartError> {
    let Some(url) = settings.redis_url.clone() else {
        return Ok((Arc::new(NoWakeUps), Arc::new(|| None)));
    };
    let options = ChannelOptions {
        url,
        channel: RedisWakeUps::CHANNEL.to_owned(),
        clock: Arc::clone(clock),
        ids: Arc::clone(ids),
    };
    let hint = hint.clone();
    let redis = RedisWakeUps::start(options, Arc::new(move |_| hint.look()));
    let redis = Arc::new(redis.map_err(|error| StartError::Redis(Box::new(error)))?);
    let status = Arc::clone(&redis);
    Ok((redis, Arc::new(move || Some(status.status()))))
}
