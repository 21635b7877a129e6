//! The values that requests may hold, with the limits of the domain. They stand in for the unchecked texts of a request:
//! `#[schemars(with = "values::Name")]`.

use std::borrow::Cow;

use domain::agent::{self, AgentStatus, ChatLimit, Role};
use domain::aggregate::AggregateType;
use domain::conversation::{ConversationStatus, QueueReason};
use domain::routing::{RoutingStrategy, Verdict};
use domain::text;
use projections::conversations::ConversationOrder;
use projections::search::SearchText;
use projections::thread_events::{AuthorType, SystemType, ThreadEventKind};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use crate::rest::audit;
use crate::service::reading;

/// No control characters (Unicode category Cc), and something else than white space.
const LINE: &str = r"^[^\u0000-\u001f\u007f-\u009f]*[^\s\u0000-\u001f\u007f-\u009f][^\u0000-\u001f\u007f-\u009f]*$";

/// The same, with line breaks and tabs.
const LINES: &str = r"^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]*[^\s\u0000-\u001f\u007f-\u009f][^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]*$";

/// A text of at most so many bytes. JSON Schema counts characters, which are never more than the bytes.
fn text(max_bytes: usize, pattern: &str) -> Schema {
    json_schema!({
        "type": "string", "minLength": 1, "maxLength": max_bytes, "x-maxBytes": max_bytes, "pattern": pattern,
    })
}

fn kinds_of_streams() -> String {
    AggregateType::ALL.map(AggregateType::as_str).join("|")
}

macro_rules! values {
    ($($(#[doc = $doc:literal])+ $name:ident: $schema:expr;)+) => {$(
        $(#[doc = $doc])+
        pub struct $name;

        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                $schema
            }
        }
    )+};
}

values! {
    /// An id.
    Id: json_schema!({ "type": "string", "format": "uuid" });
    /// An actor or a type of events.
    AuditWord: json_schema!({ "type": "string", "minLength": 1, "maxLength": audit::LONGEST_WORD });
    /// A kind of stream, or one stream.
    AuditAggregate: json_schema!({
        "type": "string",
        "pattern": format!("^({})(:[0-9a-f]{{8}}(-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}})?$", kinds_of_streams()),
    });
    /// A position of the log, or a time.
    AuditMoment: json_schema!({
        "anyOf": [
            { "type": "string", "pattern": "^[1-9][0-9]{0,17}$" },
            { "type": "string", "format": "date-time" },
        ],
    });
    /// What comes first in the log.
    AuditOrderName: json_schema!({ "type": "string", "enum": ["newest", "oldest"] });
    /// A name, on one line.
    Name: text(text::Name::MAX_BYTES, LINE);
    /// A longer text.
    Note: text(text::Note::MAX_BYTES, LINES);
    /// What somebody says.
    MessageText: text(text::MessageText::MAX_BYTES, LINES);
    /// A telephone number.
    PhoneNumber: text(text::PhoneNumber::MAX_BYTES, LINE);
    /// A client's id of its message.
    ClientEventId: text(text::ClientEventId::MAX_BYTES, LINE);
    /// The address of a picture.
    AvatarUrl: text(text::AvatarUrl::MAX_BYTES, LINE);
    /// An e-mail address.
    EmailAddress: json_schema!({
        "type": "string", "format": "email", "minLength": 3, "maxLength": text::EmailAddress::MAX_BYTES,
        "x-maxBytes": text::EmailAddress::MAX_BYTES,
    });
    /// A colour.
    Color: json_schema!({ "type": "string", "pattern": "^#[0-9A-Fa-f]{6}$" });
    /// A password that is checked.
    GivenPassword: json_schema!({
        "type": "string", "format": "password", "minLength": agent::GivenPassword::BYTES.start(),
        "maxLength": agent::GivenPassword::BYTES.end(), "x-maxBytes": agent::GivenPassword::BYTES.end(),
    });
    /// A password that is set.
    NewPassword: json_schema!({
        "type": "string", "format": "password",
        "minLength": agent::NewPassword::CHARACTERS.start(), "maxLength": agent::NewPassword::CHARACTERS.end(),
    });
    /// How many chats at once.
    Chats: json_schema!({
        "type": "integer", "minimum": 1, "maximum": ChatLimit::MAX, "default": ChatLimit::default().get(),
    });
    /// What a client gets back as it gave it. Of a repeated key the last value is kept; numbers are 64-bit integers or
    /// doubles (RFC 8259 §4, §6).
    Metadata: json_schema!({
        "type": "object", "x-maxBytes": text::Metadata::MAX_BYTES, "x-maxLevels": text::Metadata::MAX_LEVELS,
    });
    /// The kind of event that a client may send.
    SentType: json_schema!({ "type": "string", "const": ThreadEventKind::Message.as_str() });
    /// The kinds of authors that a client may claim to be.
    ClaimedAuthor: json_schema!({
        "type": "string", "enum": [AuthorType::Visitor.as_str(), AuthorType::Agent.as_str()],
    });
    /// The most items of a page.
    Limit: json_schema!({
        "type": "integer", "minimum": 1, "maximum": reading::MAX_LIMIT, "default": reading::DEFAULT_LIMIT,
    });
    /// Where a page begins.
    Cursor: json_schema!({ "type": "string", "minLength": 1 });
    /// A point in time.
    Time: json_schema!({ "type": "string", "format": "date-time" });
    /// What is looked for.
    Search: json_schema!({ "type": "string", "maxLength": SearchText::MAX_CHARACTERS });
    /// A place in the log.
    Position: json_schema!({ "type": "integer", "format": "int64", "minimum": 0, "maximum": i64::MAX });
    /// A number of a page's last item, as text.
    NumberedCursor: json_schema!({ "type": "string", "pattern": "^[0-9]{1,18}$" });
}

/// The names on the wire.
fn named<T: serde::Serialize>(values: &[T]) -> Vec<Value> {
    values.iter().map(|value| json!(value)).collect()
}

macro_rules! words {
    ($($(#[doc = $doc:literal])+ $name:ident: $domain:ty, $names:expr, $($variant:ident),+;)+) => {$(
        $(#[doc = $doc])+
        pub struct $name;

        // A new word of the domain must be added here.
        const _: fn($domain) = |word| match word {
            $(<$domain>::$variant)|+ => {}
        };

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                let names: fn(&[$domain]) -> Vec<Value> = $names;
                let description = [$($doc.trim()),+].join(" ");
                json_schema!({
                    "type": "string",
                    "description": description,
                    "enum": names(&[$(<$domain>::$variant),+]),
                })
            }
        }
    )+};
}

words! {
    /// What an agent may do: each role may do what those before it may.
    RoleName: Role, named, Agent, Supervisor, Admin;
    /// Whether an agent is at work.
    AgentStatusName: AgentStatus, named, Online, Away, Offline;
    /// How a group's chats find their agents.
    RoutingStrategyName: RoutingStrategy, named, RoundRobin, LeastLoaded, Sticky;
    /// Where a conversation stands.
    ConversationStatusName: ConversationStatus, named, Pending, Active, Closed;
    /// What comes first in a list of conversations.
    ConversationOrderName: ConversationOrder, |orders| orders.iter().map(|order| json!(order.as_str())).collect(),
        Newest, Oldest, LongestWaiting;
    /// A message, or a system event.
    ThreadEventType: ThreadEventKind, named, Message, System;
    /// Who wrote it.
    AuthorTypeName: AuthorType, named, Visitor, Agent, System;
    /// What happened to the thread.
    SystemTypeName: SystemType, named, ThreadStarted, AgentJoined, AgentLeft, GroupChanged, ThreadClosed;
    /// Why a chat waits again.
    QueueReasonName: QueueReason, named,
        AgentOffline, AgentDeleted, AgentLeftGroup, Transferred, GroupDeleted;
    /// What the router found of an agent.
    VerdictName: Verdict, named, Chosen, NotPreferred, Offline, Away, NotAccepting, AtLimit;
}
