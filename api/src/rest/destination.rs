//! Where a chat is handed over to: the same in a transfer and in a bulk change.

use std::borrow::Cow;

use domain::text::Note;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

use super::recipient::Recipient;
use super::values;
use crate::service::Fields;

/// The body as it comes: exactly one of the two ids.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Destination {
    agent_id: Option<String>,
    group_id: Option<String>,
    reason: Option<String>,
}

impl Destination {
    /// The recipient and the reason, or `None` with what is wrong in `fields`. `prefix` comes before the names of fields.
    pub fn check(&self, fields: &mut Fields, prefix: &str) -> Option<(Recipient, Option<Note>)> {
        let recipient = Recipient::check(fields, prefix, self.agent_id.as_deref(), self.group_id.as_deref());
        let reason = fields.optional(&format!("{prefix}reason"), self.reason.as_deref(), Note::parse);
        Some((recipient?, reason))
    }
}

/// Hands over to an agent.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "camelCase")]
#[expect(dead_code, reason = "the type gives its schema")]
struct DestinationToAgent {
    /// The agent who serves the chat from now on.
    #[schemars(with = "values::Id")]
    agent_id: String,
    /// The reason; it is recorded with the assignment.
    #[schemars(with = "Option<values::OptionalNote>")]
    reason: Option<String>,
}

/// Hands over to a group.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "camelCase")]
#[expect(dead_code, reason = "the type gives its schema")]
struct DestinationToGroup {
    /// The group in whose queue the chat waits.
    #[schemars(with = "values::Id")]
    group_id: String,
    /// The reason; it is recorded with the assignment.
    #[schemars(with = "Option<values::OptionalNote>")]
    reason: Option<String>,
}

/// Generators of clients understand a choice between named types; conditions on the fields of one type they do not.
impl JsonSchema for Destination {
    fn schema_name() -> Cow<'static, str> {
        "Destination".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "An agent or a group.",
            "oneOf": [
                generator.subschema_for::<DestinationToAgent>(),
                generator.subschema_for::<DestinationToGroup>(),
            ],
        })
    }
}
