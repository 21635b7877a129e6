//! The enumerations of the domain under the names of GraphQL. `remote` keeps them complete.

use async_graphql::Enum;
use serde::Deserialize;

macro_rules! enums {
    ($($(#[doc = $doc:literal])+ $name:ident($remote:literal) { $($(#[doc = $about:literal])+ $variant:ident),+ $(,)? })+) => {$(
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Enum, Deserialize)]
        #[graphql(remote = $remote)]
        #[serde(rename_all = "snake_case")]
        pub enum $name {
            $($(#[doc = $about])+ $variant),+
        }
    )+};
}

enums! {
    /// What an agent may do.
    Role("domain::agent::Role") {
        /// Serves own chats and the queues of own groups.
        Agent,
        /// Manages all chats, groups and tags.
        Supervisor,
        /// Also manages agents, roles and the audit.
        Admin,
    }
    /// An agent's presence.
    AgentStatus("domain::agent::AgentStatus") {
        /// At work.
        Online,
        /// At work but not attentive: keeps chats and gets no new ones.
        Away,
        /// Not at work: keeps no chats.
        Offline,
    }
    /// How a group chooses an agent for a chat.
    RoutingStrategy("domain::assignment::RoutingStrategy") {
        /// The next agent after the last assigned one.
        RoundRobin,
        /// The agent with the fewest chats relative to the limit.
        LeastLoaded,
        /// The agent of the visitor's previous chat, else the least loaded.
        Sticky,
    }
    /// Whether a conversation waits, is served or has ended.
    ConversationStatus("domain::conversation::ConversationStatus") {
        /// It waits for an agent.
        Pending,
        /// An agent serves it.
        Active,
        /// It has ended and may be reopened.
        Closed,
    }
    /// Which conversations come first.
    ConversationOrder("crate::service::rows::conversations::ConversationOrder") {
        /// Those that began last.
        Newest,
        /// Those that began first.
        Oldest,
        /// Only those that wait, and those first that began to wait first.
        LongestWaiting,
    }
    /// Whether something goes on.
    ActivityState("crate::service::stream::frames::ActivityState") {
        /// It has begun, or goes on.
        Started,
        /// It is over.
        Stopped,
    }
    /// What an entry of a thread is.
    ThreadEventType("crate::service::rows::thread_events::ThreadEventKind") {
        /// Somebody said something.
        Message,
        /// Something happened to the thread.
        System,
    }
    /// The kind of an author.
    AuthorType("crate::service::rows::thread_events::AuthorType") {
        /// The person who asks.
        Visitor,
        /// A person who answers.
        Agent,
        /// Nobody.
        System,
    }
    /// The kind of a system event.
    SystemType("crate::service::rows::thread_events::SystemType") {
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
    /// Why the router chose a candidate or not.
    Verdict("domain::assignment::Verdict") {
        /// The candidate was chosen.
        Chosen,
        /// The candidate could have taken the chat, but the strategy preferred another.
        NotPreferred,
        /// The candidate was offline.
        Offline,
        /// The candidate was away.
        Away,
        /// The candidate did not accept chats.
        NotAccepting,
        /// All slots of the candidate were taken.
        AtLimit,
    }
    /// Why a chat has returned to a queue.
    QueueReason("domain::conversation::QueueReason") {
        /// Its agent went offline.
        AgentOffline,
        /// Its agent was deleted.
        AgentDeleted,
        /// Its agent left the group.
        AgentLeftGroup,
        /// A person transferred it to a group.
        Transferred,
        /// Its group was deleted.
        GroupDeleted,
    }
}

/// The kind of a reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReaderType {
    /// The person who asks.
    Visitor,
    /// A person who answers.
    Agent,
}

/// The order of the event log's pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum AuditOrder {
    /// The last events first.
    Newest,
    /// The first events first.
    Oldest,
}
