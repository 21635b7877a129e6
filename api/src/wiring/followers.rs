//! What follows the log and what runs in the background.

use std::sync::Arc;

use application::agents::Sessions;
use application::presence::Presence;
use application::process_managers::router::Router;
use infrastructure::housekeeping::Housekeeper;
use infrastructure::presence::{PresenceWatch, SqlPresenceStore};
use infrastructure::subscription::{RunnerHandle, Subscriber, Subscriptions, View};
use projections::conversations::ConversationQueries;
use projections::rebuild::{Replay, rebuild_outdated};
use projections::routing::SqlAttemptStore;
use tokio::task::JoinHandle;

use super::stream::{self, Live};
use super::{Core, StartError};
use crate::metrics::Metrics;
use crate::service::stream::{Hub, Tickets};
use crate::service::{AbandonedChats, Activity, BackgroundTasks, FollowedView, Views};

/// Everything that follows the log.
pub(super) struct Followers {
    pub(super) views: Arc<Views>,
    pub(super) runners: Vec<RunnerHandle>,
    pub(super) presence: Arc<Presence>,
    pub(super) stream: Arc<Hub>,
    pub(super) activity: Activity,
    pub(super) tickets: Tickets,
    pub(super) tasks: BackgroundTasks,
}

impl Followers {
    /// Starts the followers of the log and the background tasks.
    pub(super) async fn start(core: &Core, sessions: &Sessions, metrics: &Metrics) -> Result<Self, StartError> {
        let (views, runners, router) = start_subscribers(core);
        let (presence, watch) = start_presence(core);
        let views = Arc::new(views);
        let Live { hub: stream, notices, activity, tickets } = stream::build(core, &views, sessions).await?;
        let housekeeper = Housekeeper::new(core.database.clone(), Arc::clone(&core.clock), &*core.ids);
        let tasks = BackgroundTasks::new(vec![
            ("router", router),
            ("housekeeping", tokio::spawn(housekeeper.run())),
            ("presence", watch),
            ("stream", tokio::spawn(Arc::clone(&stream).run())),
            ("streamLeases", tokio::spawn(Arc::clone(&stream).keep_leases(Arc::clone(&presence)))),
            ("streamNotices", tokio::spawn(Arc::clone(&stream).pass_on_notices(notices))),
            ("streamQueues", tokio::spawn(Arc::clone(&stream).watch_queues())),
            ("streamAuthority", tokio::spawn(Arc::clone(&stream).watch_authority())),
            ("rebuild", rebuild_in_background(core, &runners)),
            ("metrics", tokio::spawn(metrics.clone().run(Arc::clone(&core.clock)))),
            ("abandonedChats", tokio::spawn(abandoned_chats(core).run())),
        ]);
        Ok(Self { views, runners, presence, stream, activity, tickets, tasks })
    }
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
    let managers: Vec<_> = managers.map(|manager| subscriptions.start(manager.subscriber)).collect();
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

fn abandoned_chats(core: &Core) -> AbandonedChats {
    AbandonedChats {
        bus: core.bus.clone(),
        queries: ConversationQueries::new(core.database.clone()),
        clock: Arc::clone(&core.clock),
        after: core.settings.limits.chats.abandoned_after,
    }
}
