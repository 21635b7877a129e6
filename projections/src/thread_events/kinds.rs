use serde::{Deserialize, Serialize};

/// What an entry of a thread is, as clients see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ThreadEventKind {
    /// Somebody said something.
    Message,
    /// Something happened to the thread.
    System,
}

impl ThreadEventKind {
    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::System => "system",
        }
    }
}

/// Kinds of authors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthorType {
    /// The person who asks.
    Visitor,
    /// A person who answers, not necessarily the one that serves the chat.
    Agent,
    /// Nobody.
    System,
}

impl AuthorType {
    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Visitor => "visitor",
            Self::Agent => "agent",
            Self::System => "system",
        }
    }
}

/// Kinds of system events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SystemType {
    /// The thread began.
    ThreadStarted,
    /// An agent takes part.
    AgentJoined,
    /// An agent takes part no more.
    AgentLeft,
    /// Another group serves the chat.
    GroupChanged,
    /// The thread ended.
    ThreadClosed,
}

impl SystemType {
    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ThreadStarted => "thread_started",
            Self::AgentJoined => "agent_joined",
            Self::AgentLeft => "agent_left",
            Self::GroupChanged => "group_changed",
            Self::ThreadClosed => "thread_closed",
        }
    }
}
