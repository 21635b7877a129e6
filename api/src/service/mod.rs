//! The application without a protocol: what every door (REST, the live stream) calls. A door translates requests into
//! these calls and their results into its answers; it adds no rights, limits or waits of its own.
//!
//! 1. [`Gate::enter`] counts the action, and the [`Entrance`] that it gives finds the caller and checks the role. There is no
//!    other way to a [`Caller`].
//! 2. Changes go through [`Dispatch`], which takes commands of callers only, and waits for the read models that show their events.
//! 3. Reads go through the readers, which check rights and wait for what the caller has seen already ([`FreshReads`]).
//! 4. Each refusal is a [`Refusal`] with a stable code.
//!
//! Nothing here names a protocol's library, a header or a status code; a test reads every name.

mod abandoned;
mod access;
mod action;
mod activity;
mod agent_sessions;
mod agent_summary;
mod arrivals;
mod audit;
mod authenticate;
mod background;
mod conversations;
mod directory;
mod dispatch;
mod fields;
mod freshness;
mod gate;
pub mod limits;
mod messages;
mod open_chats;
mod personal_data;
mod positions;
mod queue;
pub mod reading;
mod receipts;
mod refusal;
pub mod rows;
pub mod stream;
mod views;
mod vitals;

use std::sync::Arc;

use application::agents::Accounts;
use application::groups::Memberships;
use application::presence::Presence;

pub use abandoned::AbandonedChats;
pub use access::Access;
pub use action::Action;
pub use activity::Activity;
pub use agent_sessions::AgentSessions;
pub use agent_summary::AgentStats;
pub use application::command_bus::{CommandContext, Executed, UseCase};
pub use arrivals::{Arrival, Arrivals};
pub use audit::{
    AggregateFilter, AuditFilter, AuditQuery, AuditReader, AuditRecord, LONGEST_WORD as LONGEST_AUDIT_WORD, Moment,
};
pub use authenticate::{Authenticator, Caller, CallingAgent};
pub use background::BackgroundTasks;
pub use conversations::{Conversations, EventsRequest};
pub use directory::{AgentFigures, Directory, Lookup, MAX_MEMBERS};
pub use dispatch::{BulkOutcome, ChangeRequest, Dispatch, Done, MAX_CONVERSATIONS, Wait};
pub use fields::Fields;
pub use freshness::FreshReads;
pub use gate::{Entrance, Gate};
pub use limits::Limits;
pub use messages::{Messages, NewMessage, Place, SentMessage};
pub use open_chats::OpenChats;
pub use personal_data::{Erasure, PersonalDataItem, ReadingItem, VisitorRecords};
pub use positions::Positions;
pub use queue::Queue;
pub use receipts::{Pace, Receipts};
pub use refusal::{Code, FieldError, Refusal};
pub use views::{FollowedView, ReadModel, Views};
pub use vitals::{Check, SignalStatus, SubscriberProgress, Vitals};

/// The services that doors share.
pub struct Services {
    /// Counts what callers do, finds them and checks their roles.
    pub gate: Gate,
    /// Runs use cases.
    pub dispatch: Dispatch,
    /// Logs agents in and changes their passwords.
    pub sessions: AgentSessions,
    /// Registers and deletes agents.
    pub accounts: Accounts,
    /// Begins, reopens and continues the chats of visitors.
    pub arrivals: Arrivals,
    /// Takes messages of visitors and agents, each once.
    pub messages: Messages,
    /// Takes heartbeats.
    pub presence: Arc<Presence>,
    /// Removes agents from groups.
    pub memberships: Memberships,
    /// Reads agents, groups and tags.
    pub directory: Directory,
    /// Reads conversations.
    pub conversations: Conversations,
    /// Takes the marks of readers.
    pub receipts: Receipts,
    /// Shows others what people do at this moment.
    pub activity: Activity,
    /// Reads the queue.
    pub queue: Queue,
    /// Exports and erases the personal data of visitors.
    pub visitors: VisitorRecords,
    /// Reads the event log.
    pub audit: AuditReader,
    /// Knows what answers include.
    pub positions: Positions,
    /// Issues tickets for the live stream.
    pub tickets: stream::Tickets,
    /// The live stream.
    pub stream: Arc<stream::Hub>,
    /// Knows whether everything works.
    pub vitals: Vitals,
}
