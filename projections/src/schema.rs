//! JSON schemas of the names in views.

use std::borrow::Cow;

use domain::schema_of_names;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::conversations::ConversationOrder;
use crate::thread_events::{AuthorType, SystemType, ThreadEventKind};

schema_of_names! {
    "A message, or a system event.": ThreadEventKind as "ThreadEventType", Message, System;
    "The kind of author.": AuthorType as "AuthorTypeName", Visitor, Agent, System;
    "The event that happened in the thread.": SystemType as "SystemTypeName",
        ThreadStarted, AgentJoined, AgentLeft, GroupChanged, ThreadClosed;
}

impl JsonSchema for ConversationOrder {
    fn schema_name() -> Cow<'static, str> {
        "ConversationOrderName".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "The order of a list of conversations.",
            "enum": Self::ALL.map(Self::as_str),
        })
    }
}
