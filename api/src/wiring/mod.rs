//! The only place that builds adapters.

mod admin_tools;
mod answers;
mod core;
mod folder_lock;
mod offline_store;
mod running;
mod services;
mod start_error;
mod store;
mod stream;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use application::agents::{Accounts, GuessingBrake, LogIn, Sessions, is_set_up};
use application::ports::{Clock, RateLimiter, TokenIssuer};
use application::presence::Presence;
use application::process_managers::router::Router;
use application::{InstallationKey, UseCaseError};
use domain::agent::{Registration, Role};
use domain::text::Name;
use domain::time::Timestamp;
use infrastructure::auth::{Argon2PasswordHasher, HashingLimits, JwtTokens, SqlCredentialStore};
use infrastructure::housekeeping::Housekeeper;
use infrastructure::inspect::ahead_of_clock;
use infrastructure::presence::{PresenceWatch, SqlPresenceStore};
use infrastructure::rate_limits::MemoryRateLimiter;
use infrastructure::redis::{RateLimiterOptions, RedisRateLimiter};
use infrastructure::responses::SqlResponseStore;
use infrastructure::subscription::{RunnerHandle, Subscriber, Subscriptions, View};
use projections::conversations::ConversationQueries;
use projections::rebuild::{Replay, rebuild_outdated};
use projections::routing::SqlAttemptStore;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use self::core::{Core, random_ids};
use answers::SqlAnswers;
use stream::Live;

pub use self::core::system_clock;
pub use admin_tools::AdminTools;
pub use folder_lock::{FolderLock, ensure_folder};
pub use offline_store::OfflineStore;
pub use running::{Internals, Running};
pub use start_error::StartError;
pub use store::{ensure_file, open_as_it_is, open_database, open_to_restore, read_log, replay_of};

use crate::config::{Settings, random_password};
use crate::edge::Edge;
use crate::metrics::Metrics;
use crate::rest::respond::Responder;
use crate::rest::{self, RestState};
use crate::server::hints::ProxyHints;
use crate::server::proxy_header::ProxyHeader;
use crate::server::{ConnectionLimits, Server, Strangers};
use crate::service::{self, AbandonedChats, BackgroundTasks, FollowedView, Views};
use crate::web;

/// How long the first start waits until the views show the admin and the group that it has created.
const FIRST_VIEWS_WITHIN: Duration = Duration::from_secs(5);

/// The admin that a first start has created.
#[derive(Clone)]
pub struct FirstAdmin {
    /// Their e-mail address.
    pub email: String,
    /// Their password, if the server has generated it.
    pub one_time_password: Option<String>,
}

/// Starts a server with this clock.
///
/// # Errors
/// See [`StartError`].
pub async fn start(settings: Settings, clock: Arc<dyn Clock>) -> Result<Running, StartError> {
    let mut folder = FolderLock::wait(&settings, &*clock, &*random_ids()).await?;
    // Before everything that takes time, so that an address in use is reported at once.
    let listener = listen(&settings.host, settings.port).await?;
    // Before the first event, so that it is counted.
    let metrics = Metrics::start()?;
    let database = open_database(&settings).await?;
    folder.take_database(&settings)?;
    let core = Core::build(settings, database, clock).await?;
    let limiter = rate_limiter(&core.settings, &core.clock)?;
    let log_in = build_log_in(&core, limiter.clone())?;
    let accounts = accounts(&log_in);
    let first_admin = set_up(&core.settings, &accounts).await?;
    let (views, runners, router_task) = start_subscribers(&core);
    let database = core.database.clone();
    let housekeeper = Housekeeper::new(database.clone(), Arc::clone(&core.clock), &*core.ids);
    let (presence, presence_task) = start_presence(&core);
    let views = Arc::new(views);
    let Live { hub: stream, notices, activity, tickets } = stream::build(&core, &views, &log_in.sessions).await?;
    let tasks = BackgroundTasks::new(vec![
        ("router", router_task),
        ("housekeeping", tokio::spawn(housekeeper.run())),
        ("presence", presence_task),
        ("stream", tokio::spawn(Arc::clone(&stream).run())),
        ("streamLeases", tokio::spawn(Arc::clone(&stream).keep_leases(Arc::clone(&presence)))),
        ("streamNotices", tokio::spawn(Arc::clone(&stream).pass_on_notices(notices))),
        ("streamQueues", tokio::spawn(Arc::clone(&stream).watch_queues())),
        ("streamAuthority", tokio::spawn(Arc::clone(&stream).watch_authority())),
        ("rebuild", rebuild_in_background(&core, &runners)),
        ("metrics", tokio::spawn(metrics.clone().run(Arc::clone(&core.clock)))),
        ("abandonedChats", tokio::spawn(abandoned_chats(&core).run())),
    ]);
    let trusted = core.settings.trusted_proxies.clone();
    let announced = core.settings.proxy_header == ProxyHeader::ProxyProtocol;
    let (drain_delay, connections) = (core.settings.drain_delay, core.settings.limits.connections);
    let internals = Internals {
        bus: core.bus.clone(),
        log: Arc::clone(&core.log),
        views,
        clock: Arc::clone(&core.clock),
        ids: Arc::clone(&core.ids),
        hasher: Arc::clone(&log_in.hasher),
        credentials: Arc::clone(&log_in.credentials),
        tasks,
    };
    warn_of_the_future(core.log.head().await?.recorded_at, core.clock.now());
    let edge = Arc::new(edge(&core, metrics));
    let installation_key = InstallationKey::new("request digests", &core.settings.jwt_secret);
    let answers = Arc::new(SqlAnswers(SqlResponseStore::new(database.clone(), Arc::clone(&core.clock))));
    let services = Arc::new(services::build(
        core,
        &internals,
        (presence, stream, (activity, tickets)),
        (log_in, accounts, limiter),
    ));
    if first_admin.is_some() {
        // The first clients should find the default group and the admin.
        let head = internals.log.head().await?.position;
        internals.views.wait_for(&[service::ReadModel::Agents], head, FIRST_VIEWS_WITHIN).await;
    }
    let responder = Responder {
        dispatch: services.dispatch.clone(),
        answers,
        limits: services.limits.clone(),
        clock: Arc::clone(&internals.clock),
    };
    let state = RestState { services: Arc::clone(&services), edge: Arc::clone(&edge), responder, installation_key };
    let address = listener.local_addr().map_err(StartError::NoAddress)?;
    let (drain, drained) = watch::channel(false);
    let server = Server {
        listener,
        router: rest::router(state, Arc::clone(&internals.ids), web::routes()),
        limits: ConnectionLimits::of_this_process(connections),
        trusted,
        announced,
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
        server,
        drain,
        drain_delay,
        database,
        _folder: folder,
    })
}

/// Starts the subscribers of the log: all views, and the router with its state.
fn start_subscribers(core: &Core) -> (Views, Vec<RunnerHandle>, JoinHandle<()>) {
    let Core { database, clock, ids, log, bus, .. } = core;
    let attempts = Arc::new(SqlAttemptStore::new(database.clone(), Arc::clone(clock), Arc::clone(ids)));
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

fn start_presence(core: &Core) -> (Arc<Presence>, JoinHandle<()>) {
    let Core { database, clock, ids, bus, .. } = core;
    let presence = Presence::new(bus.clone(), Arc::new(SqlPresenceStore::new(database.clone())));
    let watch = PresenceWatch::new(Arc::clone(&presence), database.clone(), Arc::clone(clock), &**ids);
    (presence, tokio::spawn(watch.run()))
}

/// Rebuilds, while the service runs, the tables that an earlier version of the program has filled.
fn rebuild_in_background(core: &Core, runners: &[RunnerHandle]) -> JoinHandle<()> {
    let Core { database, clock, ids, log, .. } = core;
    let replay = Replay::new(database.clone(), Arc::clone(log), Arc::clone(clock), Arc::clone(ids));
    let projectors = runners.iter().map(|runner| (runner.name(), runner.version())).collect();
    BackgroundTasks::lasting(rebuild_outdated(replay, projectors))
}

/// Warns if the clock was ahead before: times of events never go back.
fn warn_of_the_future(recorded_at: Timestamp, now: Timestamp) {
    if let Some(ahead) = ahead_of_clock(recorded_at, now) {
        tracing::warn!(
            seconds = ahead.as_secs(),
            "the last event is recorded in the future: until the clock reaches that time, new events get it, and cannot be found by their time"
        );
    }
}

fn abandoned_chats(core: &Core) -> AbandonedChats {
    AbandonedChats {
        bus: core.bus.clone(),
        queries: ConversationQueries::new(core.database.clone()),
        clock: Arc::clone(&core.clock),
        after: core.settings.limits.chats.abandoned_after,
    }
}

fn edge(core: &Core, metrics: Metrics) -> Edge {
    let settings = &core.settings;
    Edge {
        trusted: settings.trusted_proxies.clone(),
        proxy_header: settings.proxy_header,
        proxy_hints: ProxyHints::default(),
        cors_origins: settings.cors_origins.clone(),
        metrics_token: settings.metrics_token.clone(),
        metrics,
        draining: AtomicBool::new(false),
        strangers: Strangers::default(),
        ids: Arc::clone(&core.ids),
    }
}

fn build_log_in(core: &Core, limiter: Option<Arc<dyn RateLimiter>>) -> Result<LogIn, StartError> {
    let Core { settings, database, bus, .. } = core;
    let tokens: Arc<dyn TokenIssuer> = Arc::new(JwtTokens::new(&settings.jwt_secret)?);
    let store = Arc::clone(&core.sessions);
    Ok(LogIn {
        bus: bus.clone(),
        credentials: Arc::new(SqlCredentialStore::new(database.clone())),
        hasher: Arc::new(Argon2PasswordHasher::new(HashingLimits::default())),
        sessions: Sessions {
            bus: bus.clone(),
            store,
            tokens,
            renewal_key: InstallationKey::new("refresh tokens", &settings.jwt_secret),
        },
        brake: GuessingBrake { limiter, rates: settings.limits.failures },
    })
}

fn accounts(log_in: &LogIn) -> Accounts {
    let LogIn { bus, credentials, hasher, sessions, .. } = log_in.clone();
    Accounts { bus, credentials, hasher, sessions }
}

async fn listen(host: &str, port: u16) -> Result<TcpListener, StartError> {
    let listener = TcpListener::bind((host, port)).await;
    listener.map_err(|source| StartError::Listen { host: host.to_owned(), port, source })
}

/// The limiter of requests; `None` if rate limits are off.
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

/// Creates the default group and the first admin in an empty log.
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
