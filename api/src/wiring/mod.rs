//! The only place that builds adapters.

mod admin_tools;
mod agents;
mod answers;
mod core;
mod folder_lock;
mod followers;
mod offline_store;
mod running;
mod services;
mod start_error;
mod store;
mod stream;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use application::InstallationKey;
use application::agents::LogIn;
use application::ports::{Clock, Places, RateLimiter};
use domain::time::Timestamp;
use infrastructure::inspect::ahead_of_clock;
use infrastructure::rate_limits::{MemoryPlaces, MemoryRateLimiter};
use infrastructure::redis::{RedisPlaces, RedisRateLimiter, SharedCounts, SharedCountsOptions};
use infrastructure::responses::SqlResponseStore;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use self::core::{Core, random_ids};
use agents::{accounts, build_log_in, set_up};
use answers::SqlAnswers;
use followers::Followers;

pub use self::core::system_clock;
pub use admin_tools::AdminTools;
pub use agents::FirstAdmin;
pub use folder_lock::{FolderLock, ensure_folder};
pub use offline_store::OfflineStore;
pub use running::{Internals, Running};
pub use start_error::StartError;
pub use store::{ensure_file, open_as_it_is, open_database, open_to_restore, read_log, replay_of};

use crate::config::Settings;
use crate::edge::Edge;
use crate::metrics::Metrics;
use crate::rest::respond::Responder;
use crate::rest::{self, RestState};
use crate::server::hints::ProxyHints;
use crate::server::proxy_header::ProxyHeader;
use crate::server::{ConnectionLimits, Server, Strangers};
use crate::service::{self, Limits, OpenChats, Services};
use crate::web;

/// How long the first start waits until the views show the admin and the group that it has created.
const FIRST_VIEWS_WITHIN: Duration = Duration::from_secs(5);

/// Starts a server with this clock.
///
/// # Errors
/// See [`StartError`].
pub async fn start(settings: Settings, clock: Arc<dyn Clock>) -> Result<Running, StartError> {
    let Ground { folder, listener, metrics, core } = Ground::lay(settings, clock).await?;
    let (settings, database) = (core.settings.clone(), core.database.clone());
    let (limiter, places) = counters(&settings, &core.clock)?.unzip();
    let log_in = build_log_in(&core, limiter.clone())?;
    let first_admin = set_up(&settings, &accounts(&log_in)).await?;
    let followers = Followers::start(&core, &log_in.sessions, &metrics).await?;
    warn_of_the_future(core.log.head().await?.recorded_at, core.clock.now());
    let internals = internals(&core, &log_in, &followers);
    let Followers { runners, presence, stream, activity, tickets, .. } = followers;
    let edge = Arc::new(edge(&core, metrics));
    let limits = Limits::new(limiter, settings.limits.rates);
    let open_chats = OpenChats::new(places, settings.limits.chats.open_of_address, core.bus.clone());
    let agents = (accounts(&log_in), log_in, (limits.clone(), open_chats));
    let services = Arc::new(services::build(core, &internals, (presence, stream, (activity, tickets)), agents));
    if first_admin.is_some() {
        show_first_admin(&internals).await?;
    }
    let responder = Responder {
        dispatch: services.dispatch.clone(),
        answers: Arc::new(SqlAnswers(SqlResponseStore::new(database.clone(), Arc::clone(&internals.clock)))),
        limits,
        clock: Arc::clone(&internals.clock),
    };
    let doors = (Arc::clone(&services), Arc::clone(&edge), responder);
    let address = listener.local_addr().map_err(StartError::NoAddress)?;
    let (drain, server) = serve(listener, &settings, doors, &internals);
    Ok(Running {
        address,
        first_admin,
        internals,
        services,
        edge,
        runners,
        server,
        drain,
        drain_delay: settings.drain_delay,
        database,
        _folder: folder,
    })
}

/// What a server stands on.
struct Ground {
    folder: FolderLock,
    listener: TcpListener,
    metrics: Metrics,
    core: Core,
}

impl Ground {
    async fn lay(settings: Settings, clock: Arc<dyn Clock>) -> Result<Self, StartError> {
        let mut folder = FolderLock::wait(&settings, &*clock, &*random_ids()).await?;
        // Before everything that takes time, so that an address in use is reported at once.
        let listener = listen(&settings.host, settings.port).await?;
        // Before the first event, so that it is counted.
        let metrics = Metrics::start()?;
        let database = open_database(&settings).await?;
        folder.take_database(&settings)?;
        let core = Core::build(settings, database, clock).await?;
        Ok(Self { folder, listener, metrics, core })
    }
}

fn internals(core: &Core, log_in: &LogIn, followers: &Followers) -> Internals {
    Internals {
        bus: core.bus.clone(),
        log: Arc::clone(&core.log),
        views: Arc::clone(&followers.views),
        clock: Arc::clone(&core.clock),
        ids: Arc::clone(&core.ids),
        hasher: Arc::clone(&log_in.hasher),
        credentials: Arc::clone(&log_in.credentials),
        sessions: log_in.sessions.clone(),
        tasks: followers.tasks.clone(),
    }
}

/// The first clients should find the default group and the admin.
async fn show_first_admin(internals: &Internals) -> Result<(), StartError> {
    let head = internals.log.head().await?.position;
    internals.views.wait_for(&[service::ReadModel::Agents], head, FIRST_VIEWS_WITHIN).await;
    Ok(())
}

/// Serves all doors, until the sender asks for a drain.
fn serve(
    listener: TcpListener,
    settings: &Settings,
    (services, edge, responder): (Arc<Services>, Arc<Edge>, Responder),
    internals: &Internals,
) -> (watch::Sender<bool>, JoinHandle<()>) {
    let installation_key = InstallationKey::new("request digests", &settings.jwt_secret);
    let state = RestState { services, edge, responder, installation_key };
    let (drain, drained) = watch::channel(false);
    let server = Server {
        listener,
        router: rest::router(state, Arc::clone(&internals.ids), web::routes()),
        limits: ConnectionLimits::of_this_process(settings.limits.connections),
        trusted: settings.trusted_proxies.clone(),
        announced: settings.proxy_header == ProxyHeader::ProxyProtocol,
        clock: Arc::clone(&internals.clock),
    };
    (drain, tokio::spawn(server.serve(drained)))
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

async fn listen(host: &str, port: u16) -> Result<TcpListener, StartError> {
    let listener = TcpListener::bind((host, port)).await;
    listener.map_err(|source| StartError::Listen { host: host.to_owned(), port, source })
}

/// What is counted of callers; `None` if limits are off.
type Counters = Option<(Arc<dyn RateLimiter>, Arc<dyn Places>)>;

fn counters(settings: &Settings, clock: &Arc<dyn Clock>) -> Result<Counters, StartError> {
    if !settings.rate_limits {
        return Ok(None);
    }
    let Some(url) = &settings.redis_url else {
        let (rates, places) = (MemoryRateLimiter::new(Arc::clone(clock)), MemoryPlaces::new(Arc::clone(clock)));
        return Ok(Some((Arc::new(rates), Arc::new(places))));
    };
    let options = SharedCountsOptions {
        url: url.clone(),
        prefix: SharedCountsOptions::PREFIX.to_owned(),
        patience: SharedCountsOptions::PATIENCE,
        clock: Arc::clone(clock),
    };
    let counts = SharedCounts::new(options).map_err(|error| StartError::Redis(Box::new(error)))?;
    let counts = Arc::new(counts);
    Ok(Some((Arc::new(RedisRateLimiter::over(Arc::clone(&counts))), Arc::new(RedisPlaces::over(counts)))))
}
