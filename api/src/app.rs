//! What handlers share.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use application::agents::{Accounts, LogIn};
use application::command_bus::CommandBus;
use application::ports::{Clock, CredentialStore, EventLog, Hash, Ids, PasswordHasher, TokenIssuer};
use application::presence::Presence;
use application::visitors::{Eraser, PersonalData, VisitorSessions};
use infrastructure::audit::AuditQueries;
use infrastructure::responses::SqlResponseStore;
use infrastructure::wake_ups::WakeUpStatus;
use infrastructure::write_probe::WriteProbe;
use projections::agent_stats::AgentStatsQueries;
use projections::agents::AgentQueries;
use projections::routing::RoutingQueries;
use projections::tags::TagQueries;

use crate::cors::CorsOrigins;
use crate::limits::Limits;
use crate::metrics::Metrics;
use crate::service::reading::Reading;
use crate::tasks::BackgroundTasks;
use crate::views::Views;

/// Tells how the connection to other nodes is.
pub type SignalStatus = Arc<dyn Fn() -> Option<WakeUpStatus> + Send + Sync>;

/// The parts of the program that handlers use.
pub struct Parts {
    /// Runs use cases.
    pub bus: CommandBus,
    /// The event log.
    pub log: Arc<dyn EventLog>,
    /// Reads conversations and messages for callers.
    pub reading: Reading,
    /// Reads agents and groups.
    pub agents: AgentQueries,
    /// Reads what agents did.
    pub agent_stats: AgentStatsQueries,
    /// Reads tags.
    pub tags: TagQueries,
    /// Reads the queue.
    pub queue: RoutingQueries,
    /// Reads the log for those who look into it.
    pub audit: AuditQueries,
    /// Begins visitors' sessions.
    pub visitor_sessions: VisitorSessions,
    /// Erases visitors.
    pub eraser: Eraser,
    /// Reads all that is known of a visitor.
    pub personal_data: PersonalData,
    /// How far the read models are.
    pub views: Views,
    /// What goes on in the background.
    pub tasks: BackgroundTasks,
    /// Takes heartbeats.
    pub presence: Arc<Presence>,
    /// Checks and changes agents' passwords.
    pub log_in: LogIn,
    /// Registers and deletes agents.
    pub accounts: Accounts,
    /// Issues and checks tokens.
    pub tokens: Arc<dyn TokenIssuer>,
    /// Hashes passwords.
    pub hasher: Arc<dyn PasswordHasher>,
    /// Keeps password hashes.
    pub credentials: Arc<dyn CredentialStore>,
    /// Keeps first answers.
    pub responses: SqlResponseStore,
    /// Keeps callers to the limits.
    pub limits: Limits,
    /// Whose pages may call.
    pub cors_origins: CorsOrigins,
    /// Makes the digests of requests worthless to others.
    pub digest_key: Hash,
    /// Whether the program is about to end.
    pub draining: AtomicBool,
    /// Tries whether the database takes writes.
    pub write_probe: WriteProbe,
    /// Counts what happens.
    pub metrics: Metrics,
    /// Lets programs that watch this one in.
    pub metrics_token: Vec<u8>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Makes ids.
    pub ids: Arc<dyn Ids>,
    /// How the signals between nodes are; none where there are none.
    pub signals: SignalStatus,
}

/// The program, shared by all handlers.
#[derive(Clone)]
pub struct App(Arc<Parts>);

impl App {
    /// Shares the parts.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}
