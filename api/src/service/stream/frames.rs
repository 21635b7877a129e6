//! The frames of the stream as JSON. Every door sends the same ones.

use application::ports::{Epoch, Position};
use domain::conversation::Participant;
use domain::ids::{AgentId, ConversationId, GroupId, ThreadId, VisitorId};
use domain::time::Timestamp;
use projections::agents::{AgentView, GroupView};
use projections::conversations::SeenUpTo;
use projections::tags::TagView;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::End;
use crate::service::reading::{NamedConversation, NamedEvent};

/// The most bytes of a frame, in either direction.
pub const MAX_FRAME: usize = 64 * 1024;

/// The most bytes of a content, which leaves room for the rest of its frame.
pub(super) const MAX_CONTENT: usize = MAX_FRAME - 512;

/// What an event of the log means to the reader. States are those at the position of the frame or later.
#[derive(Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case", rename_all_fields = "camelCase")]
#[schemars(rename = "StreamContent")]
#[expect(clippy::large_enum_variant, reason = "it is written as JSON at once and never kept")]
pub enum Content {
    /// A message or a system event, as `GET /v1/threads/{id}/events` has it. A message is also the conversation's last one.
    ThreadEvent {
        /// The conversation of the thread.
        conversation_id: ConversationId,
        /// The message or the system event.
        data: NamedEvent,
    },
    /// Somebody has read on. `seenUpTo` and, for the readers on the same side, `unread` of the conversation follow.
    Read {
        /// The conversation of the thread.
        conversation_id: ConversationId,
        /// The reader, and how far.
        data: Reading,
    },
    /// A conversation has changed.
    Conversation {
        /// The conversation, as `GET /v1/conversations/{id}` has it.
        data: NamedConversation,
    },
    /// An agent has changed. The agent's new name also holds in conversations and messages.
    Agent {
        /// The agent, as `GET /v1/agents/{id}` has it.
        data: AgentView,
    },
    /// A group has changed. Its members' `groupIds` follow from its `agentIds`; there is one default group.
    Group {
        /// The group, as `GET /v1/groups/{id}` has it.
        data: GroupView,
    },
    /// A tag has changed. Its new name and colour also hold in conversations.
    Tag {
        /// The tag, as `GET /v1/tags/{id}` has it.
        data: TagView,
    },
    /// The reader may not see it any more, or it was deleted.
    Removed {
        /// The kind and the id, by which the reader finds it.
        data: Thing,
    },
    /// It has changed, and its state is too large for a frame: read it.
    Changed {
        /// The kind and the id, by which the reader finds it.
        data: Thing,
    },
    /// The personal data of a visitor was erased. Remove the visitor's name, addresses and words, or read the visitor's
    /// conversations again.
    Erased {
        /// The visitor, by the id in conversations.
        data: ErasedVisitor,
    },
}

/// How far somebody has read a thread.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "StreamReading")]
pub struct Reading {
    /// The thread that was read.
    pub thread_id: ThreadId,
    /// The reader, with the position of the last message that the reader has seen.
    #[serde(flatten)]
    pub reader: SeenUpTo,
    /// The messages of the other side that follow: `unread` of the conversation for the reader's side, if nobody of that
    /// side has come further.
    pub unread: u32,
}

/// A thing that readers know by its id.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[schemars(rename = "StreamThing")]
pub struct Thing {
    /// Names the resource that has the id.
    pub kind: Kind,
    /// A UUID, as in the resource.
    #[schemars(with = "domain::schema::Id")]
    pub id: Uuid,
}

/// The kinds of things.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "StreamThingKind")]
pub enum Kind {
    Conversation,
    Agent,
    Group,
    Tag,
}

/// A visitor whose personal data was erased.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ErasedVisitor")]
pub struct ErasedVisitor {
    /// A UUID, as in conversations.
    pub visitor_id: VisitorId,
}

/// How much a client may send, and how many streams it may open.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "StreamLimits")]
pub struct StreamLimits {
    /// The most bytes of a frame, in either direction.
    pub max_frame_bytes: usize,
    /// The most frames that the client may send in a minute.
    pub frames_per_minute: u32,
    /// The most streams of this visitor or agent on a node.
    pub streams: usize,
}

/// What is about the moment: it is not in the log and has no position, it may be missing, and no replay repeats it.
#[derive(Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", rename_all_fields = "camelCase")]
#[schemars(rename = "Ephemeral")]
pub enum Ephemeral {
    /// A participant writes, or has stopped to. A message of the author ends it, too.
    Typing {
        /// The conversation that the author writes in.
        conversation_id: ConversationId,
        /// The visitor or the agent.
        author: Participant,
        /// Whether the author writes.
        state: ActivityState,
        /// What the visitor has written so far: for agents, and only where the installation allows it.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schemars(with = "String")]
        draft: Option<String>,
        /// The time after which it is over unless it is repeated, in milliseconds.
        ttl_ms: u64,
    },
    /// An agent looks at a conversation, or has stopped to; for agents.
    Looking {
        /// The conversation that the agent looks at.
        conversation_id: ConversationId,
        /// The agent, who need not serve it.
        agent_id: AgentId,
        /// Whether the agent looks.
        state: ActivityState,
        /// The time after which it is over unless it is repeated, in milliseconds.
        ttl_ms: u64,
    },
    /// The place of the visitor's conversation in the queue; for the visitor, at most every two seconds.
    QueuePosition {
        /// The conversation that waits.
        conversation_id: ConversationId,
        /// The place, from 1.
        queue_position: i64,
    },
    /// The queue of a group; for its agents and for supervisors, at most every two seconds.
    Queue {
        /// The group that the conversations wait for.
        group_id: GroupId,
        /// The number of waiting conversations.
        waiting: usize,
        /// The time since which the first of them has waited; null if none waits.
        waiting_since: Option<Timestamp>,
    },
}

impl Ephemeral {
    /// The frame as JSON.
    pub(super) fn into_json(self) -> String {
        ServerFrame::Ephemeral { content: self }.to_json()
    }
}

/// Whether somebody does something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "ActivityState")]
pub enum ActivityState {
    /// Begins, or goes on.
    Started,
    /// It is over.
    Stopped,
}

/// What the server sends, one JSON object each.
#[derive(Serialize, JsonSchema)]
#[serde(tag = "frame", rename_all = "snake_case", rename_all_fields = "camelCase")]
#[schemars(rename = "ServerFrame")]
#[expect(clippy::large_enum_variant, reason = "it is written as JSON at once and never kept")]
pub enum ServerFrame {
    /// The first frame. `position` is the client's position now.
    Welcome {
        /// The history of the log.
        #[schemars(with = "domain::schema::Id")]
        epoch: Epoch,
        /// The end of the log when the stream began.
        head: Position,
        /// The position after which the stream begins.
        position: Position,
        /// A silence of more than twice this long means that the connection is lost.
        heartbeat_seconds: u64,
        /// The limits of this stream.
        limits: StreamLimits,
    },
    /// A change. `after` is the position that the client had before: if it is another one, the client has missed something.
    Event {
        /// The client's position now.
        position: Position,
        /// The client's position before.
        after: Position,
        /// The change.
        #[serde(flatten)]
        content: Content,
    },
    /// Something about the moment. It moves no position.
    Ephemeral {
        /// What it is about.
        #[serde(flatten)]
        content: Ephemeral,
    },
    /// Nothing for this client has happened up to here.
    Position {
        /// The client's position now.
        position: Position,
    },
    /// The client has everything that had happened when the stream began. What follows is live.
    Live {
        /// The client's position now.
        position: Position,
    },
    /// The token is about to expire. A `token` frame with a new one continues the stream.
    Expiring {
        /// The seconds until then.
        in_seconds: u64,
    },
    /// The new token is valid.
    Renewed {},
    /// The answer to `ping`.
    Pong {
        /// The id of the ping.
        id: u64,
    },
    /// The stream ends.
    Error {
        /// The reason, on which programs may rely.
        #[schemars(with = "String")]
        code: &'static str,
        /// The reason for people.
        #[schemars(with = "String")]
        detail: &'static str,
        /// Whether a client with the same token and position is refused again.
        terminal: bool,
        /// The pause before another attempt, in milliseconds; absent if there is no sense in one.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schemars(with = "u64")]
        retry_in_ms: Option<u64>,
    },
}

impl ServerFrame {
    /// The last frame of a stream, with the pause before another attempt.
    #[must_use]
    pub fn error(end: End, retry_in_ms: u64) -> Self {
        let terminal = !end.is_passing();
        let retry_in_ms = (!terminal).then_some(retry_in_ms);
        Self::Error { code: end.code(), detail: end.detail(), terminal, retry_in_ms }
    }

    /// Writes it on one line.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("frames are plain JSON")
    }
}

/// What the client may send, one JSON object each.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(tag = "frame", rename_all = "snake_case", rename_all_fields = "camelCase", deny_unknown_fields)]
#[schemars(rename = "ClientFrame")]
pub enum ClientFrame {
    /// The first frame.
    Hello {
        /// The token of an agent or visitor.
        token: String,
        /// The position after which the stream begins, `EPOCH:POSITION`; the end of the log if absent.
        #[serde(default)]
        after: Option<String>,
    },
    /// A new token for the same agent or visitor.
    Token {
        /// A later token than that of the greeting.
        token: String,
    },
    /// The client's visitor or agent writes in a conversation, or has stopped to. Repeat it every five seconds while it is so.
    /// What the caller may not do is ignored.
    Typing {
        /// An open conversation of the visitor, or one that the agent serves.
        #[schemars(with = "domain::schema::Id")]
        conversation_id: ConversationId,
        /// Whether the author writes.
        state: ActivityState,
        /// What the visitor has written so far, at most 16 KiB; for visitors.
        #[serde(default)]
        draft: Option<String>,
    },
    /// The client's agent looks at a conversation, or has stopped to. Repeat it every fifteen seconds while it is so.
    Looking {
        /// A conversation that the agent may read.
        #[schemars(with = "domain::schema::Id")]
        conversation_id: ConversationId,
        /// Whether the agent looks.
        state: ActivityState,
    },
    /// Asks for a `pong`.
    Ping {
        /// Any number, which comes back.
        id: u64,
    },
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn frames_of_clients_are_read_and_unknown_fields_refused() {
        let read = |value: serde_json::Value| serde_json::from_str::<ClientFrame>(&value.to_string()).is_ok();
        assert!(read(json!({ "frame": "hello", "token": "t" })));
        assert!(read(json!({ "frame": "hello", "token": "t", "after": "x" })));
        assert!(read(json!({ "frame": "ping", "id": 7 })));
        assert!(!read(json!({ "frame": "hello", "token": "t", "topics": [] })));
        let id = "00000000-0000-7000-8000-000000000007";
        assert!(read(json!({ "frame": "typing", "conversationId": id, "state": "started", "draft": "Hel" })));
        assert!(read(json!({ "frame": "looking", "conversationId": id, "state": "stopped" })));
        assert!(!read(json!({ "frame": "looking", "conversationId": id, "state": "stopped", "draft": "x" })));
        assert!(!read(json!({ "frame": "typing", "conversationId": id, "state": "maybe" })));
        assert!(!read(json!({ "frame": "ping", "id": 7, "more": 1 })));
        assert!(!read(json!({ "frame": "welcome" })));
        assert!(!read(json!({ "token": "t" })));
    }

    #[test]
    fn error_says_whether_coming_back_makes_sense() {
        let passing: serde_json::Value = serde_json::from_str(&ServerFrame::error(End::Draining, 7).to_json()).unwrap();
        assert_eq!((&passing["terminal"], &passing["retryInMs"]), (&json!(false), &json!(7)));
        let last: serde_json::Value = serde_json::from_str(&ServerFrame::error(End::Revoked, 7).to_json()).unwrap();
        assert_eq!((&last["terminal"], last.get("retryInMs")), (&json!(true), None));
    }
}
