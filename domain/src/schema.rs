//! JSON schemas of the domain's values, for the document of an API that answers with them.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::agent::{AgentStatus, Role};
use crate::assignment::{RoutingStrategy, Verdict};
use crate::conversation::{ConversationStatus, Participant, QueueReason};
use crate::ids::{
    AgentId, CommandId, ConversationId, EmailClaimId, EventId, GroupId, SessionId, TagId, TagNameClaimId, ThreadId,
    VisitorId, WorkspaceId,
};

use crate::text::{Color, EmailAddress, Name, Note, PhoneNumber};
use crate::time::Timestamp;

macro_rules! inline {
    ($($type:ty: $schema:expr;)+) => {$(
        impl JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                $schema
            }
        }
    )+};
}

/// Stands in for a UUID that no type of its own names.
pub struct Id;

fn uuid() -> Schema {
    json_schema!({ "type": "string", "format": "uuid" })
}

fn text() -> Schema {
    json_schema!({ "type": "string" })
}

inline! {
    Id: uuid();
    AgentId: uuid();
    CommandId: uuid();
    ConversationId: uuid();
    EmailClaimId: uuid();
    EventId: uuid();
    GroupId: uuid();
    SessionId: uuid();
    TagId: uuid();
    TagNameClaimId: uuid();
    ThreadId: uuid();
    VisitorId: uuid();
    WorkspaceId: uuid();
    Color: text();
    EmailAddress: text();
    Name: text();
    Note: text();
    PhoneNumber: text();
    Timestamp: json_schema!({
        "type": "string", "format": "date-time", "pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z$",
    });
}

/// Implements `JsonSchema` for enums whose variants are plain names on the wire:
/// `"What it is": Type as "SchemaName", Variant, Variant;`. A missing variant does not compile.
#[macro_export]
macro_rules! schema_of_names {
    ($($description:literal: $type:ty as $name:literal, $($variant:ident),+;)+) => {$(
        const _: fn($type) = |value| match value {
            $(<$type>::$variant)|+ => {}
        };

        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                $name.into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let names = [$(<$type>::$variant),+];
                schemars::json_schema!({ "type": "string", "description": $description, "enum": names })
            }
        }
    )+};
}

schema_of_names! {
    "The rights of an agent: each role includes those before it.": Role as "RoleName", Agent, Supervisor, Admin;
    "The presence of an agent.": AgentStatus as "AgentStatusName", Online, Away, Offline;
    "The rule by which a group's chats are assigned to agents.": RoutingStrategy as "RoutingStrategyName",
        RoundRobin, LeastLoaded, Sticky;
    "The status of a conversation.": ConversationStatus as "ConversationStatusName", Pending, Active, Closed;
    "The reason why a chat has returned to a queue.": QueueReason as "QueueReasonName",
        AgentOffline, AgentDeleted, AgentLeftGroup, Transferred, GroupDeleted;
    "The router's finding about an agent.": Verdict as "VerdictName",
        Chosen, NotPreferred, Offline, Away, NotAccepting, AtLimit;
}

/// A derived schema would spell out both kinds of participant; clients want one object.
impl JsonSchema for Participant {
    fn schema_name() -> Cow<'static, str> {
        "Participant".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "description": "A visitor or an agent.",
            "properties": {
                "type": { "type": "string", "description": "The kind of participant.", "enum": ["visitor", "agent"] },
                "id": { "type": "string", "description": "The id of the visitor or agent.", "format": "uuid" },
            },
            "required": ["type", "id"],
        })
    }
}
