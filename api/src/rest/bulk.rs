//! Changes of many conversations at once.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use application::chat::BulkChange;
use application::ports::Position;
use axum::extract::State;
use axum::response::Response;
use domain::ids::ConversationId;
use domain::text::{Name, Note};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::destination::Destination;
use crate::rest::extract::{Write, WriteInfo};
use crate::rest::problem::Problem;
use crate::rest::recipient::Recipient;
use crate::rest::respond::{Answer, Responder};
use crate::rest::values;
use crate::service::{BulkOutcome, Caller, Fields, MAX_CONVERSATIONS, Refusal, Services};

/// The body as it comes: the conversations and exactly one of the actions.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Bulk {
    conversation_ids: Vec<String>,
    close: Option<BulkClose>,
    tag: Option<BulkTag>,
    untag: Option<BulkTag>,
    assign: Option<BulkAssign>,
    transfer: Option<Destination>,
}

/// A named type for each action: generators of clients do not understand conditions on the fields of one type.
macro_rules! actions {
    ($($(#[doc = $doc:literal])+ $name:ident { $(#[doc = $about:literal])+ $action:ident: $body:ty })+) => {
        $(
            $(#[doc = $doc])+
            #[derive(JsonSchema)]
            #[schemars(deny_unknown_fields, rename_all = "camelCase")]
            #[expect(dead_code, reason = "the type gives its schema")]
            struct $name {
                /// The ids of the conversations, each once.
                #[schemars(
                    with = "Vec<values::Id>",
                    extend("minItems" = 1, "maxItems" = MAX_CONVERSATIONS, "uniqueItems" = true)
                )]
                conversation_ids: Vec<String>,
                $(#[doc = $about])+
                $action: $body,
            }
        )+

        impl JsonSchema for Bulk {
            fn schema_name() -> Cow<'static, str> {
                "Bulk".into()
            }

            fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                json_schema!({
                    "description": "The conversations, and exactly one of the actions.",
                    "oneOf": [$(generator.subschema_for::<$name>()),+],
                })
            }
        }
    };
}

actions! {
    /// Closes conversations.
    BulkCloseRequest {
        /// The reason and the notes.
        close: BulkClose
    }
    /// Adds a tag to conversations.
    BulkTagRequest {
        /// The tag.
        tag: BulkTag
    }
    /// Removes a tag from conversations.
    BulkUntagRequest {
        /// The tag.
        untag: BulkTag
    }
    /// Assigns conversations to an agent.
    BulkAssignRequest {
        /// The agent and the reason.
        assign: BulkAssign
    }
    /// Transfers conversations to an agent or to a group.
    BulkTransferRequest {
        /// The agent or the group, and the reason.
        transfer: Destination
    }
}

/// Like the body of a single close.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BulkClose {
    /// Why, in a few words.
    #[schemars(with = "values::Name")]
    reason: String,
    /// What the agent wants to remember.
    #[schemars(with = "Option<values::OptionalNote>")]
    notes: Option<String>,
}

/// The tag that is put on or taken off.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct BulkTag {
    /// A tag that is not deleted, when it is put on.
    #[schemars(with = "values::Id")]
    tag_id: String,
}

/// Like the body of a single assignment.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct BulkAssign {
    /// The agent who serves them from now on.
    #[schemars(with = "values::Id")]
    agent_id: String,
    /// The reason; it is recorded with the assignments.
    #[schemars(with = "Option<values::OptionalNote>")]
    reason: Option<String>,
}

impl Bulk {
    fn check(&self) -> Result<(Vec<ConversationId>, BulkChange), Refusal> {
        let mut fields = Fields::default();
        let ids = self.check_ids(&mut fields);
        let actions = [
            self.close.as_ref().map(|close| close.check(&mut fields)),
            self.tag.as_ref().map(|tag| tag.check(&mut fields, "tag.tagId", true)),
            self.untag.as_ref().map(|tag| tag.check(&mut fields, "untag.tagId", false)),
            self.assign.as_ref().map(|assign| assign.check(&mut fields)),
            self.transfer.as_ref().map(|destination| transfer(destination, &mut fields)),
        ];
        let mut given = actions.into_iter().flatten();
        let (Some(action), None) = (given.next(), given.next()) else {
            let field = "conversationIds";
            fields.refuse::<()>(field, "exactly one of close, tag, untag, assign, transfer must be given with them");
            return fields.finish_with(None);
        };
        fields.finish_with(ids.zip(action))
    }

    fn check_ids(&self, fields: &mut Fields) -> Option<Vec<ConversationId>> {
        let field = "conversationIds";
        if !(1..=MAX_CONVERSATIONS).contains(&self.conversation_ids.len()) {
            return fields.refuse(field, format!("must hold 1 to {MAX_CONVERSATIONS} ids"));
        }
        let ids: Option<Vec<ConversationId>> = self.conversation_ids.iter().map(|id| id.parse().ok()).collect();
        let Some(ids) = ids else { return fields.refuse(field, "must hold UUIDs") };
        if ids.iter().collect::<BTreeSet<_>>().len() < ids.len() {
            return fields.refuse(field, "must hold each id once");
        }
        Some(ids)
    }
}

impl BulkClose {
    fn check(&self, fields: &mut Fields) -> Option<BulkChange> {
        let reason = fields.text("close.reason", &self.reason, Name::parse);
        let notes = fields.optional("close.notes", self.notes.as_deref(), Note::parse);
        Some(BulkChange::Close { reason: reason?, notes })
    }
}

impl BulkTag {
    fn check(&self, fields: &mut Fields, field: &str, on: bool) -> Option<BulkChange> {
        Some(BulkChange::Tag { tag_id: fields.id(field, Some(&self.tag_id))?, on })
    }
}

impl BulkAssign {
    fn check(&self, fields: &mut Fields) -> Option<BulkChange> {
        let agent_id = fields.id("assign.agentId", Some(&self.agent_id));
        let reason = fields.optional("assign.reason", self.reason.as_deref(), Note::parse);
        Some(BulkChange::Assign { agent_id: agent_id?, reason })
    }
}

fn transfer(destination: &Destination, fields: &mut Fields) -> Option<BulkChange> {
    Some(match destination.check(fields, "transfer.")? {
        (Recipient::Agent(agent_id), reason) => BulkChange::HandOver { agent_id, reason },
        (Recipient::Group(group_id), reason) => BulkChange::Transfer { group_id, reason },
    })
}

/// The result for one conversation.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BulkResult {
    /// The conversation that the result is about.
    conversation_id: ConversationId,
    /// The status code that the single request would have got.
    status: u16,
    /// The position of the change in the log; null if nothing changed.
    position: Option<Position>,
    /// The reason for a refusal; absent otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "crate::rest::problem::Body<'static>")]
    problem: Option<Value>,
}

/// The results of a change of many conversations.
#[derive(Serialize, JsonSchema)]
pub struct BulkResults {
    /// The result for each conversation, in the order of the request.
    data: Vec<BulkResult>,
    /// The number of conversations that were changed or needed no change.
    #[schemars(with = "u32")]
    succeeded: usize,
    /// The number of refused changes.
    #[schemars(with = "u32")]
    failed: usize,
}

/// Each conversation is changed by the use case of a single one, under the same rights; a refusal does not stop the others.
/// The answer is 200 whenever the request itself makes sense: the outcomes are in the body, and a client that only looks at
/// the status must not take a part for the whole, nor repeat what was done.
pub async fn change(
    State(services): State<Arc<Services>>,
    State(responder): State<Responder>,
    caller: Caller,
    write: Write<Bulk>,
) -> Result<Response, Problem> {
    let Write { body, info } = write;
    let scope = caller.principal.actor();
    if let Some(answer) = responder.first_answer(&info, &scope).await? {
        return Ok(answer.into_response());
    }
    let (ids, change) = body.check()?;
    let done = services.dispatch.execute_bulk(&caller, &info.request(&caller), (change, ids)).await;
    let (parts, done) = done.split();
    let data: Vec<_> = parts.into_iter().map(|part| BulkResult::of(part, &info)).collect();
    let succeeded = data.iter().filter(|result| result.problem.is_none()).count();
    let failed = data.len() - succeeded;
    let may_come_again = data.iter().any(|result| result.status >= 500);
    let answer = Answer::ok(&BulkResults { data, succeeded, failed })?.of(&done, &info);
    // Without a kept answer, a repetition may get a better one, and nothing is done twice.
    responder.finish(&info, &scope, (answer, done.settled && !may_come_again)).await
}

impl BulkResult {
    fn of(part: BulkOutcome, info: &WriteInfo) -> Self {
        let conversation_id = part.conversation_id;
        match part.outcome {
            Ok(position) => Self { conversation_id, status: 200, position, problem: None },
            Err(refusal) => {
                let problem = Problem::from(refusal);
                let (status, problem) = (problem.status().as_u16(), problem.as_part(info.request_id.as_str()));
                Self { conversation_id, status, position: None, problem: Some(problem) }
            }
        }
    }
}
