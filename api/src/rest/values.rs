//! Schemas of the values in requests, with the limits of the domain. They stand in for the unchecked texts of a request:
//! `#[schemars(with = "values::Name")]`.

use std::borrow::Cow;

use crate::service::rows::search::SearchText;
use crate::service::rows::thread_events::{AuthorType, ThreadEventKind};
use domain::agent::{self, ChatLimit};
use domain::aggregate::AggregateType;
use domain::text;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::service::{LONGEST_AUDIT_WORD, reading};

/// At least one character that can be seen: no white space, no control character (Unicode category Cc) and none that programs
/// may ignore (`Default_Ignorable_Code_Point`, without those beyond the basic plane).
const SEEN: &str = r"[^\s\u0000-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8]";

/// No control characters (Unicode category Cc), or nothing that can be seen.
const OPTIONAL_WITHOUT_CONTROLS: &str = r"^([^\u0000-\u001f\u007f-\u009f]*|[\s\u0000-\u001f\u007f-\u009f]*)$";

/// An address as `EmailAddress::parse` takes it (a part before one `@`, and a host after it), or nothing that can be seen: a
/// pattern, because a form may send the field empty, which `format: email` does not allow.
const OPTIONAL_EMAIL: &str = "^([\\s\\u0000-\\u001f\\u007f-\\u009f]*|[ \\t\\r\\n]*[^\\s@<>,;\"\\u0000-\\u001f\\u007f-\\u009f]{1,64}@\
[^\\s@\\u0000-\\u002c\\u002f\\u003a-\\u0040\\u005b-\\u0060\\u007b-\\u009f]+[ \\t\\r\\n]*)$";

/// The days that there are, each once: a pattern, because a choice of formats has no type in most languages.
const DATE: &str = "([0-9]{4}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|\
    02-(0[1-9]|1[0-9]|2[0-8]))|([0-9]{2}(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)-02-29)";

/// The time of a day with its offset (RFC 3339 §5.6).
const TIME: &str = r"T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])";

/// A text of at most `max_bytes`. JSON Schema counts characters, of which a text never has more than bytes.
fn text(max_bytes: usize) -> Schema {
    json_schema!({
        "type": "string", "minLength": 1, "maxLength": max_bytes, "x-maxBytes": max_bytes, "pattern": SEEN,
    })
}

/// A text that is absent when nothing of it can be seen.
fn optional(max_bytes: usize) -> Schema {
    json_schema!({ "type": "string", "maxLength": max_bytes, "x-maxBytes": max_bytes })
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
    /// An actor or an event type.
    AuditWord: json_schema!({ "type": "string", "minLength": 1, "maxLength": LONGEST_AUDIT_WORD });
    /// A kind of stream, or one stream.
    AuditAggregate: json_schema!({
        "type": "string",
        "pattern": format!("^({})(:[0-9a-f]{{8}}(-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}})?$", kinds_of_streams()),
    });
    /// A position in the log, or a time.
    AuditMoment: json_schema!({ "type": "string", "pattern": format!("^([1-9][0-9]{{0,17}}|{DATE}{TIME})$") });
    /// The order of an audit page.
    AuditOrderName: json_schema!({ "type": "string", "enum": ["newest", "oldest"] });
    /// A name, on one line.
    Name: text(text::Name::MAX_BYTES);
    /// A name, or nothing.
    OptionalName: optional(text::Name::MAX_BYTES);
    /// A longer text, or nothing.
    OptionalNote: optional(text::Note::MAX_BYTES);
    /// The text of a message.
    MessageText: text(text::MessageText::MAX_BYTES);
    /// The text of a message that is being written, or nothing.
    Draft: optional(text::MessageText::MAX_BYTES);
    /// A telephone number, or nothing.
    PhoneNumber: optional(text::PhoneNumber::MAX_BYTES);
    /// A client's own id of a message, or nothing.
    ClientEventId: json_schema!({
        "type": "string", "maxLength": text::ClientEventId::MAX_BYTES, "x-maxBytes": text::ClientEventId::MAX_BYTES,
        "pattern": OPTIONAL_WITHOUT_CONTROLS,
    });
    /// The address of a picture on the web, or nothing.
    AvatarUrl: json_schema!({
        "type": "string", "maxLength": text::AvatarUrl::MAX_BYTES, "x-maxBytes": text::AvatarUrl::MAX_BYTES,
        "pattern": "^(|[Hh][Tt][Tt][Pp][Ss]?://[A-Za-z0-9][^\\s\"'<>\\\\`^{|}\\u0000-\\u001F\\u007F-\\u009F]*)$",
    });
    /// An e-mail address, or nothing.
    OptionalEmailAddress: json_schema!({
        "type": "string", "maxLength": text::EmailAddress::MAX_BYTES, "x-maxBytes": text::EmailAddress::MAX_BYTES,
        "pattern": OPTIONAL_EMAIL,
    });
    /// A colour, or nothing.
    OptionalColor: json_schema!({ "type": "string", "pattern": "^(#[0-9A-Fa-f]{6})?$" });
    /// An e-mail address.
    EmailAddress: json_schema!({
        "type": "string", "format": "email", "minLength": 3, "maxLength": text::EmailAddress::MAX_BYTES,
        "x-maxBytes": text::EmailAddress::MAX_BYTES,
    });
    /// A password to check.
    GivenPassword: json_schema!({
        "type": "string", "format": "password", "minLength": agent::GivenPassword::BYTES.start(),
        "maxLength": agent::GivenPassword::BYTES.end(), "x-maxBytes": agent::GivenPassword::BYTES.end(),
    });
    /// A password to set.
    NewPassword: json_schema!({
        "type": "string", "format": "password",
        "minLength": agent::NewPassword::CHARACTERS.start(), "maxLength": agent::NewPassword::CHARACTERS.end(),
    });
    /// The most concurrent chats of an agent.
    Chats: json_schema!({
        "type": "integer", "minimum": 1, "maximum": ChatLimit::MAX, "default": ChatLimit::default().get(),
    });
    /// An object that clients get back with the same members and values. Repeated keys are refused, and numbers that neither
    /// a 64-bit integer nor a double holds (RFC 8259 §4, §6).
    Metadata: json_schema!({
        "type": "object", "additionalProperties": true,
        "x-maxBytes": text::Metadata::MAX_BYTES, "x-maxLevels": text::Metadata::MAX_LEVELS,
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
    /// The beginning of a page.
    Cursor: json_schema!({ "type": "string", "minLength": 1 });
    /// A point in time.
    Time: json_schema!({ "type": "string", "format": "date-time" });
    /// A search text.
    Search: json_schema!({ "type": "string", "maxLength": SearchText::MAX_CHARACTERS });
    /// A position in the log.
    Position: json_schema!({ "type": "integer", "format": "int64", "minimum": 0, "maximum": i64::MAX });
    /// The number of a page's last item, as text.
    NumberedCursor: json_schema!({ "type": "string", "pattern": "^[0-9]{1,18}$" });
}

// Names of the domain, whose schemas are the same in requests and in answers.
pub use crate::service::rows::conversations::ConversationOrder as ConversationOrderName;
pub use domain::agent::{AgentStatus as AgentStatusName, Role as RoleName};
pub use domain::assignment::RoutingStrategy as RoutingStrategyName;
pub use domain::conversation::ConversationStatus as ConversationStatusName;
