use std::sync::Arc;

use application::InstallationKey;
use application::agents::{Accounts, LogIn};
use application::groups::Memberships;
use application::presence::Presence;
use application::visitors::{Eraser, PersonalData, VisitorSessions};
use infrastructure::audit::AuditQueries;
use infrastructure::write_probe::WriteProbe;
use projections::agent_stats::AgentStatsQueries;
use projections::agents::AgentQueries;
use projections::routing::RoutingQueries;
use projections::tags::TagQueries;
use projections::thread_events::ThreadEventQueries;

use super::{Core, Internals};
use crate::service::reading::Reading;
use crate::service::stream::{Hub, Tickets};
use crate::service::{
    Activity, AgentSessions, Arrivals, AuditReader, Authenticator, Conversations, Directory, Dispatch, FreshReads,
    Gate, Limits, Messages, OpenChats, Pace, Positions, Queue, Receipts, Services, VisitorRecords, Vitals,
};

/// Builds the services over the adapters.
pub(super) fn build(
    core: Core,
    internals: &Internals,
    (presence, stream, (activity, tickets)): (Arc<Presence>, Arc<Hub>, (Activity, Tickets)),
    (accounts, log_in, (limits, open_chats)): (Accounts, LogIn, (Limits, OpenChats)),
) -> Services {
    let Core { settings, database, clock, log, personal_data_log, bus, signals, .. } = core;
    let (views, sessions) = (Arc::clone(&internals.views), log_in.sessions.clone());
    let tokens = Arc::clone(&sessions.tokens);
    let freshness = FreshReads::new(bus.clone(), Arc::clone(&views));
    let dispatch = Dispatch::new(bus.clone(), Arc::clone(&views));
    let authenticator = Authenticator::new(bus.clone(), sessions, Arc::clone(&tokens));
    let visitor_sessions = VisitorSessions { bus: bus.clone(), tokens };
    let reading = Reading::new(bus.clone(), Arc::clone(&log), &database);
    let conversations = Conversations { freshness: freshness.clone(), reading };
    let (agents, queue) = (AgentQueries::new(database.clone()), RoutingQueries::new(database.clone()));
    Services {
        gate: Gate::new(authenticator.clone(), limits.clone()),
        dispatch: dispatch.clone(),
        sessions: AgentSessions::new(log_in, dispatch.clone()),
        accounts,
        arrivals: Arrivals::new(authenticator, (limits, open_chats), (visitor_sessions, dispatch.clone())),
        messages: Messages {
            dispatch: dispatch.clone(),
            conversations: conversations.clone(),
            key: InstallationKey::new("request digests", &settings.jwt_secret),
        },
        presence,
        memberships: Memberships { bus: bus.clone() },
        directory: Directory {
            freshness: freshness.clone(),
            agents: agents.clone(),
            stats: AgentStatsQueries::new(database.clone()),
            tags: TagQueries::new(database.clone()),
            clock: Arc::clone(&clock),
        },
        receipts: Receipts {
            conversations: conversations.clone(),
            threads: ThreadEventQueries::new(database.clone()),
            pace: Arc::new(Pace::new(Arc::clone(&clock))),
        },
        conversations,
        activity,
        tickets,
        queue: Queue { freshness: freshness.clone(), queue: queue.clone(), clock: Arc::clone(&clock) },
        visitors: VisitorRecords {
            dispatch,
            freshness: freshness.clone(),
            bus: bus.clone(),
            log: Arc::clone(&log),
            personal_data: PersonalData::new(Arc::clone(&personal_data_log)),
            eraser: Eraser::new(bus, personal_data_log),
        },
        positions: Positions::new(stream.epoch(), Arc::clone(&views)),
        stream,
        audit: AuditReader { freshness, audit: AuditQueries::new(database.clone()) },
        vitals: Vitals {
            log,
            views,
            tasks: internals.tasks.clone(),
            queue,
            agents,
            write_probe: WriteProbe::new(database),
            signals,
            clock,
        },
    }
}
