//! The only place that builds adapters.

mod answers;
mod archive;
mod error;
mod folder_lock;
mod running;
mod services;
mod store;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use application::UseCaseError;
use application::agents::{Accounts, GuessingBrake, LogIn, Sessions, is_set_up};
use application::command_bus::CommandBus;
use application::ports::{Clock, EventLog, Ids, PersonalDataLog, RateLimiter, TokenIssuer, WakeUps};
use application::presence::Presence;
use application::process_managers::router::Router;
use domain::agent::{Registration, Role};
use domain::event::upcasters;
use domain::text::Name;
use infrastructure::auth::{Argon2PasswordHasher, HashingLimits, JwtTokens, SqlCredentialStore, SqlSessionStore};
use infrastructure::database::Database;
use infrastructure::event_log::{LogHint, LogPorts, SqlEventLog};
use infrastructure::housekeeping::Housekeeper;
use infrastructure::presence::{PresenceWatch, SqlPresenceStore};
use infrastructure::rate_limits::MemoryRateLimiter;
use infrastructure::redis::{RateLimiterOptions, RedisRateLimiter, RedisWakeUps, WakeUpOptions};
use infrastructure::responses::SqlResponseStore;
use infrastructure::subscription::{RunnerHandle, Subscriber, Subscriptions, View};
use infrastructure::system::RandomIds;
use infrastructure::wake_ups::NoWakeUps;
use projections::rebuild::{Replay, rebuild_outdated};
use projections::routing::SqlAttemptStore;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use answers::SqlAnswers;
pub use archive::Archive;
pub use error::StartError;
pub use folder_lock::{FolderLock, ensure_folder};
pub use running::{Internals, Running};
pub use store::{ensure_file, open_as_it_is, open_database, open_to_restore};

use crate::config::{Settings, random_password};
use crate::edge::Edge;
use crate::metrics::Metrics;
use crate::rest::extract::{DigestKey, digest};
use crate::rest::respond::Responder;
use crate::rest::{self, RestState};
use crate::server::{ConnectionLimits, Server};
use crate::service::{self, BackgroundTasks, FollowedView, SignalStatus, Views};

/// How long the first start waits for the views of what it has made.
const FIRST_VIEWS_WITHIN: Duration = Duration::from_secs(5);

/// The admin of a first start.
#[derive(Clone)]
pub struct FirstAdmin {
    /// Their address.
    pub email: String,
    /// Their password, when it was generated.
    pub one_time_password: Option<String>,
}

/// What everything else is built from.
struct Base {
    settings: Settings,
    database: Database,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
    log: Arc<dyn EventLog>,
    texts: Arc<dyn PersonalDataLog>,
    bus: CommandBus,
    signals: SignalStatus,
}

/// Starts a server with this clock.
///
/// # Errors
/// See [`StartError`].
pub async fn start(settings: Settings, clock: Arc<dyn Clock>) -> Result<Running, StartError> {
    let folder = FolderLock::wait(&settings, &*clock).await?;
    // Before anything else that takes time: an address in use should be told at once.
    let listener = listen(&settings.host, settings.port).await?;
    // From the first event on.
    let metrics = Metrics::start()?;
    let database = open_database(&settings).await?;
    let base = base(settings, database, clock).await?;
    let limiter = rate_limiter(&base.settings, &base.clock)?;
    let log_in = build_log_in(&base, limiter.clone())?;
    let accounts = accounts(&log_in);
    let first_admin = set_up(&base.settings, &accounts).await?;
    let (views, runners, router_task) = start_projectors(&base);
    let rebuilding = rebuild_in_background(&base, &runners);
    let database = base.database.clone();
    let housekeeper = Housekeeper::new(database.clone(), Arc::clone(&base.clock), &*base.ids);
    let (presence, presence_task) = start_presence(&base);
    let tasks = BackgroundTasks::new(vec![
        ("router", router_task),
        ("housekeeping", tokio::spawn(housekeeper.run())),
        ("presence", presence_task),
        ("metrics", tokio::spawn(metrics.clone().run(Arc::clone(&base.clock)))),
    ]);
    let trusted = base.settings.trusted_proxies.clone();
    let drain_delay = base.settings.drain_delay;
    let internals = Internals {
        bus: base.bus.clone(),
        log: Arc::clone(&base.log),
        views: Arc::new(views),
        clock: Arc::clone(&base.clock),
        ids: Arc::clone(&base.ids),
        hasher: Arc::clone(&log_in.hasher),
        credentials: Arc::clone(&log_in.credentials),
        tasks,
    };
    let edge = Arc::new(edge(&base.settings, metrics));
    let digest_key = DigestKey(digest(&DigestKey([0; 32]), &[b"request digests", &base.settings.jwt_secret]));
    let answers = Arc::new(SqlAnswers(SqlResponseStore::new(database.clone(), Arc::clone(&base.clock))));
    let services = Arc::new(services::build(base, &internals, presence, (log_in, accounts, limiter)));
    if first_admin.is_some() {
        // The first clients should find the default group and the admin.
        let head = internals.log.head().await?.position;
        internals.views.wait_for(&[service::View::Agents], head, FIRST_VIEWS_WITHIN).await;
    }
    let responder = Responder { dispatch: services.dispatch.clone(), answers, clock: Arc::clone(&internals.clock) };
    let state = RestState { services: Arc::clone(&services), edge: Arc::clone(&edge), responder, digest_key };
    let address = listener.local_addr().map_err(StartError::NoAddress)?;
    let (drain, drained) = watch::channel(false);
    let server = Server {
        listener,
        router: rest::router(state, Arc::clone(&internals.ids)),
        limits: ConnectionLimits::of_this_process(),
        trusted,
        clock: Arc::clone(&internals.clock),
    };
    let server = tokio::spawn(server.serve(drained));
    Ok(Running {
        address,
        first_admin,
        internals,
        services,
        edge,
        runners,
        rebuilding,
        server,
        drain,
        drain_delay,
        database,
        _folder: folder,
    })
}

async fn base(settings: Settings, database: Database, clock: Arc<dyn Clock>) -> Result<Base, StartError> {
    let ids: Arc<dyn Ids> = Arc::new(RandomIds);
    let hint = LogHint::default();
    let (wake_ups, signals) = signals(&settings, &clock, &ids, &hint)?;
    let ports = LogPorts { clock: Arc::clone(&clock), ids: Arc::clone(&ids), wake_ups, upcasters: upcasters(), hint };
    let texts = Arc::new(SqlEventLog::start(database.clone(), ports).await?);
    let log: Arc<dyn EventLog> = Arc::clone(&texts) as _;
    let bus = CommandBus::new(Arc::clone(&log), Arc::clone(&clock), Arc::clone(&ids));
    Ok(Base { settings, database, clock, ids, log, texts, bus, signals })
}

/// Starts the subscribers of the log: all views, and the router with its state.
fn start_projectors(base: &Base) -> (Views, Vec<RunnerHandle>, JoinHandle<()>) {
    let Base { database, clock, ids, log, bus, .. } = base;
    let attempts = Arc::new(SqlAttemptStore::new(database.clone()));
    let router = Router::new(bus.clone(), Arc::clone(clock), Arc::clone(ids), attempts);
    let subscriptions = Subscriptions::new(database.clone(), Arc::clone(log), Arc::clone(clock), Arc::clone(ids));
    let follow = |view: Arc<dyn View>| {
        let subscriber: Arc<dyn Subscriber> = view;
        FollowedView { runner: subscriptions.start(Arc::clone(&subscriber)), subscriber }
    };
    let views: Vec<_> = projections::all_views().into_iter().map(follow).collect();
    let managers = projections::all_managers(Arc::clone(router.memory())).into_iter();
    let managers: Vec<_> = managers.map(|manager| subscriptions.start(manager)).collect();
    let runners = views.iter().map(|view| view.runner.clone()).chain(managers.clone()).collect();
    (Views::new(views, managers), runners, tokio::spawn(router.run()))
}

fn start_presence(base: &Base) -> (Arc<Presence>, JoinHandle<()>) {
    let Base { database, clock, ids, bus, .. } = base;
    let presence = Presence::new(bus.clone(), Arc::new(SqlPresenceStore::new(database.clone())));
    let watch = PresenceWatch::new(Arc::clone(&presence), database.clone(), Arc::clone(clock), &**ids);
    (presence, tokio::spawn(watch.run()))
}

/// Tables that a program of an earlier version has filled are rebuilt while the service runs.
fn rebuild_in_background(base: &Base, runners: &[RunnerHandle]) -> JoinHandle<()> {
    let Base { database, clock, ids, log, .. } = base;
    let replay = Replay::new(database.clone(), Arc::clone(log), Arc::clone(clock), &**ids);
    let projectors = runners.iter().map(|runner| (runner.name(), runner.version())).collect();
    tokio::spawn(rebuild_outdated(replay, projectors))
}

fn edge(settings: &Settings, metrics: Metrics) -> Edge {
    Edge {
        trusted: settings.trusted_proxies.clone(),
        cors_origins: settings.cors_origins.clone(),
        metrics_token: settings.metrics_token.clone(),
        metrics,
        draining: AtomicBool::new(false),
    }
}

fn build_log_in(base: &Base, limiter: Option<Arc<dyn RateLimiter>>) -> Result<LogIn, StartError> {
    let Base { settings, database, bus, .. } = base;
    let tokens: Arc<dyn TokenIssuer> = Arc::new(JwtTokens::new(&settings.jwt_secret)?);
    let store = Arc::new(SqlSessionStore::new(database.clone()));
    Ok(LogIn {
        bus: bus.clone(),
        credentials: Arc::new(SqlCredentialStore::new(database.clone())),
        hasher: Arc::new(Argon2PasswordHasher::new(HashingLimits::default())),
        sessions: Sessions { bus: bus.clone(), store, tokens },
        brake: GuessingBrake { limiter },
    })
}

fn accounts(log_in: &LogIn) -> Accounts {
    let LogIn { bus, credentials, hasher, sessions, .. } = log_in.clone();
    Accounts { bus, credentials, hasher, sessions }
}

/// What an operator's commands on agents need.
pub struct Office {
    /// Changes passwords.
    pub log_in: LogIn,
    /// Makes admins.
    pub accounts: Accounts,
    database: Database,
    _folder: FolderLock,
}

impl Office {
    /// Opens a log that is there without serving it. An embedded database must not be in use by a server.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn open(settings: Settings, clock: Arc<dyn Clock>) -> Result<Self, StartError> {
        ensure_file(&settings)?;
        let folder = FolderLock::take(&settings)?;
        let database = open_as_it_is(&settings).await?;
        let base = base(settings, database, clock).await?;
        // The operator needs no brake: nobody else can start this program on the database.
        let log_in = build_log_in(&base, None)?;
        Ok(Self { accounts: accounts(&log_in), log_in, database: base.database, _folder: folder })
    }

    /// Closes it.
    pub async fn close(self) {
        self.database.close().await;
    }
}

async fn listen(host: &str, port: u16) -> Result<TcpListener, StartError> {
    let listener = TcpListener::bind((host, port)).await;
    listener.map_err(|source| StartError::Listen { host: host.to_owned(), port, source })
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
    let options = WakeUpOptions {
        url,
        channel: WakeUpOptions::CHANNEL.to_owned(),
        clock: Arc::clone(clock),
        ids: Arc::clone(ids),
    };
    let hint = hint.clone();
    let redis = RedisWakeUps::start(options, Arc::new(move |_| hint.look()));
    let redis = Arc::new(redis.map_err(|error| StartError::Redis(Box::new(error)))?);
    let status = Arc::clone(&redis);
    Ok((redis, Arc::new(move || Some(status.status()))))
}

/// `None` where limits are off.
fn rate_limiter(settings: &Settings, clock: &Arc<dyn Clock>) -> Result<Option<Arc<dyn RateLimiter>>, StartError> {
    if !settings.rate_limits {
        return Ok(None);
    }
    let limiter: Arc<dyn RateLimiter> = match &settings.redis_url {
        None => Arc::new(MemoryRateLimiter::new(Arc::clone(clock))),
        Some(url) => {
            let options = RateLimiterOptions {
                url: url.clone(),
                prefix: RateLimiterOptions::PREFIX.to_owned(),
                patience: RateLimiterOptions::PATIENCE,
                clock: Arc::clone(clock),
            };
            let redis = RedisRateLimiter::new(options).map_err(|error| StartError::Redis(Box::new(error)))?;
            Arc::new(redis)
        }
    };
    Ok(Some(limiter))
}

/// Makes the default group and the first admin in an empty log.
async fn set_up(settings: &Settings, accounts: &Accounts) -> Result<Option<FirstAdmin>, StartError> {
    let bus = &accounts.bus;
    if is_set_up(bus).await? {
        return Ok(None);
    }
    let (password, is_generated) = match settings.admin_password.clone() {
        Some(password) => (password, false),
        None => (random_password()?, true),
    };
    let name = Name::parse("Admin").map_err(|_| UseCaseError::Aborted)?;
    let admin = Registration::offline(name, settings.admin_email.clone(), Role::Admin, bus.now());
    let group_name = Name::parse("General").map_err(|_| UseCaseError::Aborted)?;
    let context = bus.context("system:setup".to_owned(), bus.new_uuid());
    let begun = accounts.bootstrap(context, group_name, (admin, &password)).await?;
    let email = settings.admin_email.as_str().to_owned();
    let one_time_password = is_generated.then(|| password.as_str().to_owned());
    Ok(begun.then_some(FirstAdmin { email, one_time_password }))
}
