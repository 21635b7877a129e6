use async_graphql::{ID, SimpleObject};

use super::{AgentStatus, ConversationStatus, DateTime, Role};

/// Tokens of an agent who has logged in.
#[derive(Clone, Debug, SimpleObject)]
pub struct AgentSession {
    /// The bearer token for the Authorization header of each request.
    pub access_token: String,
    /// The lifetime of the access token in seconds.
    pub expires_in: i32,
    /// The token for one renewal. Used again within a minute, it gives the same new token; later, it ends the session.
    pub refresh_token: String,
    /// The agent who has logged in.
    pub agent: AgentSummary,
}

/// An agent in brief.
#[derive(Clone, Debug, SimpleObject)]
pub struct AgentSummary {
    /// A UUID, assigned at the registration.
    pub id: ID,
    /// The agent's name.
    pub name: Option<String>,
    /// The agent's e-mail address.
    pub email: Option<String>,
    /// The agent's role.
    pub role: Role,
    /// The agent's presence.
    pub status: AgentStatus,
}

/// The answer to a heartbeat.
#[derive(Clone, Debug, SimpleObject)]
pub struct Heartbeat {
    /// The time at which the session's lease ends without another heartbeat.
    pub lease_ends_at: DateTime,
    /// The seconds after the end of the agent's last lease until an online agent becomes away.
    pub grace_seconds: i32,
    /// The agent's presence now.
    pub status: AgentStatus,
}

/// A chat that has begun or goes on, and the visitor's token.
#[derive(Clone, Debug, SimpleObject)]
pub struct VisitorSession {
    /// The visitor's bearer token. A returning visitor continues an open chat with it.
    pub session_token: String,
    /// The lifetime of the token in seconds. Renew it before it ends.
    pub expires_in: i32,
    /// A UUID; the same in all sessions of the visitor.
    pub visitor_id: ID,
    /// The conversation that the message has begun or continued.
    pub conversation_id: ID,
    /// The id of the thread that accepts messages.
    pub thread_id: ID,
    /// Whether the conversation waits or is served.
    pub status: ConversationStatus,
    /// The position in the group's queue, from 1; null when an agent serves the chat.
    pub queue_position: Option<i32>,
}

/// The result of an erasure. The numbers count this request: repeated, they are 0.
#[derive(Clone, Debug, SimpleObject)]
pub struct Erasure {
    /// The visitor whose data the request is about.
    pub visitor_id: ID,
    /// The number of stored payloads that were replaced.
    pub payloads: i32,
    /// The number of messages among them.
    pub messages: i32,
    /// Whether an open chat of the visitor was closed.
    pub closed_chat: bool,
    /// The number of deleted answers to requests with an idempotency key.
    pub answers: i32,
    /// Whether SQLite's write-ahead log holds nothing of the data any more. MySQL is not examined.
    pub off_the_disk: bool,
    /// Whether the read models show the erasure. If not, they follow; repeat the request to be sure.
    pub read_models: bool,
}
