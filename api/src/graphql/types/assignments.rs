use async_graphql::{ID, SimpleObject, Union};
use serde::Deserialize;

use super::{DateTime, QueueReason, RoutingStrategy, Verdict};

/// A change of a conversation's agent, or its end, and the reason.
#[derive(Clone, Debug, SimpleObject, Deserialize)]
#[serde(rename_all = "camelCase")]
#[graphql(name = "ConversationAssignment")]
pub struct AssignmentRecord {
    /// The version of the conversation after the change.
    pub version: i32,
    /// The agent who serves the chat from now on; null if the chat waits or has ended.
    pub agent_id: Option<ID>,
    /// The present name, which outlasts a deletion.
    pub agent_name: Option<String>,
    /// The agent who served the chat before.
    pub previous_agent_id: Option<ID>,
    /// The present name, which outlasts a deletion.
    pub previous_agent_name: Option<String>,
    /// The thread of the change; null if the chat waits.
    pub thread_id: Option<ID>,
    /// The reason of the change.
    pub assignment: Assignment,
    /// The time of the change.
    pub at: DateTime,
}

/// The reason of a change: a choice of an agent, a return to the queue, or the end of the chat.
// Fields of one name have one type, so that a client can ask for all of them without aliases.
#[derive(Clone, Debug, Union, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Assignment {
    Routed(RoutedAssignment),
    Manual(ManualAssignment),
    Returned(ReturnToQueue),
    Closed(Closing),
}

/// The router has chosen the agent.
#[derive(Clone, Debug, SimpleObject, Deserialize)]
pub struct RoutedAssignment {
    /// How the router made its choice.
    pub decision: RoutingDecision,
}

/// How the router made its choice.
#[derive(Clone, Debug, SimpleObject, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RoutingDecision {
    /// The strategy of the group.
    pub strategy: RoutingStrategy,
    /// The chosen agent first, then the others in stable order; at most 25.
    pub candidates: Vec<Candidate>,
    /// The number of agents who were considered but are not listed.
    pub omitted_candidates: i32,
    /// Counts the router's attempts for this wait from 1.
    pub attempt: i32,
}

/// A member of the group as the router saw them.
#[derive(Clone, Debug, SimpleObject, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Candidate {
    /// The candidate.
    pub agent_id: ID,
    /// Why the router chose the agent or not.
    pub verdict: Verdict,
    /// Chats served or in flight to the agent.
    pub active_chats: i32,
    /// The most chats that the agent serves at the same time.
    pub chat_limit: i32,
    /// Whether the agent has given the chat back, or a person has just taken it from them: all others come first.
    #[serde(default)]
    pub gave_back: bool,
}

/// A person has chosen the agent.
#[derive(Clone, Debug, SimpleObject, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ManualAssignment {
    /// The person who has chosen.
    #[graphql(name = "assignedBy")]
    pub by: ID,
    /// The person's reason.
    pub reason: Option<String>,
    /// Whether the agent had no free slot, which only a supervisor may ignore.
    pub over_limit: bool,
}

/// The chat has returned to a queue.
#[derive(Clone, Debug, SimpleObject, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReturnToQueue {
    /// The cause of the return.
    pub cause: QueueReason,
    /// The group whose queue the chat waits in.
    pub group_id: ID,
    /// The person who has transferred the chat.
    #[graphql(name = "transferredBy")]
    pub by: Option<ID>,
    /// The person's reason.
    pub reason: Option<String>,
}

/// The chat was closed.
#[derive(Clone, Debug, SimpleObject, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Closing {
    /// The visitor or agent who has closed it.
    pub closed_by: Participant,
    /// The reason in a few words.
    #[graphql(name = "closingReason")]
    pub reason: String,
    /// The agent's notes.
    pub notes: Option<String>,
}

/// A visitor or an agent; one of the two is null.
#[derive(Clone, Debug, SimpleObject, Deserialize)]
#[serde(from = "Author")]
pub struct Participant {
    /// Null if an agent has done it.
    pub visitor_id: Option<ID>,
    /// Null if a visitor has done it.
    pub agent_id: Option<ID>,
}

/// A participant as the log writes it.
#[derive(Deserialize)]
#[serde(tag = "type", content = "id", rename_all = "snake_case")]
enum Author {
    Visitor(ID),
    Agent(ID),
}

impl From<Author> for Participant {
    fn from(author: Author) -> Self {
        match author {
            Author::Visitor(id) => Self { visitor_id: Some(id), agent_id: None },
            Author::Agent(id) => Self { visitor_id: None, agent_id: Some(id) },
        }
    }
}
