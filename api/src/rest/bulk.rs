//! The same for many conversations at once.

use std::collections::BTreeSet;

use application::chat::{AssignAgent, Chooser, CloseChat, TagChat, TransferChat};
use application::command_bus::{CommandContext, Executed, UseCase};
use application::ports::{Position, Principal};
use axum::extract::State;
use axum::response::Response;
use domain::ids::{AgentId, CommandId, ConversationId, GroupId, TagId};
use domain::text::{Name, Note};
use futures::StreamExt;
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::conversations::just;
use crate::app::App;
use crate::extract::{Agent, Fields, Write, WriteInfo};
use crate::openapi::values;
use crate::problem::Problem;
use crate::respond::{Answer, first_answer, keep_answer, settle_at};
use crate::views::View;

const MAX_CONVERSATIONS: usize = 100;

/// How many are changed at the same time. Where they compete for one agent's slots it is one: the first that were asked
/// for get them.
const AT_ONCE: usize = 8;

/// What is to happen, and to which conversations: exactly one of the actions.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(transform = exactly_one_action)]
pub struct Bulk {
    /// Each once.
    #[schemars(with = "Vec<values::Id>", extend("minItems" = 1, "maxItems" = MAX_CONVERSATIONS, "uniqueItems" = true))]
    conversation_ids: Vec<String>,
    /// Ends them.
    close: Option<BulkClose>,
    /// Puts a tag on them.
    tag: Option<BulkTag>,
    /// Takes a tag off them.
    untag: Option<BulkTag>,
    /// Gives them to an agent who serves them first.
    assign: Option<BulkAssign>,
    /// Hands them over.
    transfer: Option<BulkTransfer>,
}

const ACTIONS: [&str; 5] = ["close", "tag", "untag", "assign", "transfer"];

fn exactly_one_action(schema: &mut Schema) {
    let just = |given: &str| {
        let others = ACTIONS.iter().filter(|action| **action != given);
        let mut properties: serde_json::Map<String, Value> =
            others.map(|action| ((*action).to_owned(), json!({ "type": "null" }))).collect();
        properties.insert(given.to_owned(), json!({ "type": "object" }));
        json!({ "required": [given], "properties": properties })
    };
    schema.insert("oneOf".to_owned(), ACTIONS.map(just).into());
}

/// Like the body of a single close.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BulkClose {
    /// Why, in a few words.
    #[schemars(with = "values::Name")]
    reason: String,
    /// What the agent wants to remember.
    #[schemars(with = "Option<values::Note>")]
    notes: Option<String>,
}

/// The tag that is put on or taken off.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct BulkTag {
    /// Which.
    #[schemars(with = "values::Id")]
    tag_id: String,
}

/// Like the body of a single assignment.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct BulkAssign {
    /// Who shall serve them.
    #[schemars(with = "values::Id")]
    agent_id: String,
    /// Why; it is recorded with the assignments.
    #[schemars(with = "Option<values::Note>")]
    reason: Option<String>,
}

/// Like the body of a single transfer.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(extend("oneOf" = [just("agentId", "groupId"), just("groupId", "agentId")]))]
pub struct BulkTransfer {
    /// To this agent.
    #[schemars(with = "Option<values::Id>")]
    agent_id: Option<String>,
    /// Or to this group.
    #[schemars(with = "Option<values::Id>")]
    group_id: Option<String>,
    /// Why; it is recorded with the assignments.
    #[schemars(with = "Option<values::Note>")]
    reason: Option<String>,
}

/// An action whose words were checked.
#[derive(Clone)]
enum Action {
    Close { reason: Name, notes: Option<Note> },
    Tag { tag_id: TagId, on: bool },
    Assign { agent_id: AgentId, reason: Option<Note> },
    HandOver { agent_id: AgentId, reason: Option<Note> },
    Transfer { group_id: GroupId, reason: Option<Note> },
}

impl Bulk {
    fn check(&self) -> Result<(Vec<ConversationId>, Action), Problem> {
        let mut fields = Fields::default();
        let ids = self.check_ids(&mut fields);
        let actions = [
            self.close.as_ref().map(|close| close.check(&mut fields)),
            self.tag.as_ref().map(|tag| tag.check(&mut fields, "tag.tagId", true)),
            self.untag.as_ref().map(|tag| tag.check(&mut fields, "untag.tagId", false)),
            self.assign.as_ref().map(|assign| assign.check(&mut fields)),
            self.transfer.as_ref().map(|transfer| transfer.check(&mut fields)),
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
    fn check(&self, fields: &mut Fields) -> Option<Action> {
        let reason = fields.text("close.reason", &self.reason, Name::parse);
        let notes = fields.optional("close.notes", self.notes.as_deref(), Note::parse);
        Some(Action::Close { reason: reason?, notes })
    }
}

impl BulkTag {
    fn check(&self, fields: &mut Fields, field: &str, on: bool) -> Option<Action> {
        Some(Action::Tag { tag_id: fields.id(field, Some(&self.tag_id))?, on })
    }
}

impl BulkAssign {
    fn check(&self, fields: &mut Fields) -> Option<Action> {
        let agent_id = fields.id("assign.agentId", Some(&self.agent_id));
        let reason = fields.optional("assign.reason", self.reason.as_deref(), Note::parse);
        Some(Action::Assign { agent_id: agent_id?, reason })
    }
}

impl BulkTransfer {
    fn check(&self, fields: &mut Fields) -> Option<Action> {
        let agent_id = fields.id("transfer.agentId", self.agent_id.as_deref());
        let group_id = fields.id("transfer.groupId", self.group_id.as_deref());
        let reason = fields.optional("transfer.reason", self.reason.as_deref(), Note::parse);
        if self.agent_id.is_some() == self.group_id.is_some() {
            return fields.refuse("transfer.agentId", "either agentId or groupId must be given");
        }
        match agent_id {
            Some(agent_id) => Some(Action::HandOver { agent_id, reason }),
            None => group_id.map(|group_id| Action::Transfer { group_id, reason }),
        }
    }
}

impl Action {
    const fn at_once(&self) -> usize {
        match self {
            Self::Close { .. } | Self::Tag { .. } | Self::Transfer { .. } => AT_ONCE,
            Self::Assign { .. } | Self::HandOver { .. } => 1,
        }
    }
}

/// What came of one conversation: as the single call would have been answered.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BulkResult {
    conversation_id: ConversationId,
    /// The status code.
    status: u16,
    /// Where the change is in the log; null when there was nothing to do.
    position: Option<Position>,
    /// Why it was not done.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<Value>,
}

/// What came of all of them, in the order in which they were asked for.
#[derive(Serialize)]
pub struct BulkResults {
    data: Vec<BulkResult>,
    /// How many were done, or had nothing to do.
    succeeded: usize,
    /// How many were refused.
    failed: usize,
}

struct Outcome {
    result: BulkResult,
    repeated: bool,
}

/// One caller's changes.
struct Changes<'a> {
    app: &'a App,
    principal: Principal,
    info: &'a WriteInfo,
    action: Action,
}

/// Each conversation is changed by the same use case as a single one, under the same rights; one that is refused does
/// not stop the others. The answer is 200 whenever the request itself makes sense: what came of each is in the body, and
/// a client that only looks at the status must not take a part for the whole, nor repeat what was done.
pub async fn change(State(app): State<App>, agent: Agent, write: Write<Bulk>) -> Result<Response, Problem> {
    let Write { body, info } = write;
    let (principal, scope) = (agent.principal(), agent.principal().actor());
    if let Some(answer) = first_answer(&app, &info, &scope).await? {
        return Ok(answer.into_response());
    }
    let (ids, action) = body.check()?;
    let at_once = action.at_once();
    let changes = Changes { app: &app, principal, info: &info, action };
    let outcomes: Vec<Outcome> =
        futures::stream::iter(ids).map(|id| changes.carry_out(id)).buffered(at_once).collect().await;
    let repeated = outcomes.iter().any(|outcome| outcome.repeated);
    let data: Vec<_> = outcomes.into_iter().map(|outcome| outcome.result).collect();
    let position = data.iter().filter_map(|result| result.position).max();
    let settled = settle_at(&app, &info, position, &[View::Conversations, View::ThreadEvents, View::Agents]).await;
    let succeeded = data.iter().filter(|result| result.problem.is_none()).count();
    let failed = data.len() - succeeded;
    let may_come_again = data.iter().any(|result| result.status >= 500);
    let answer = Answer::ok(&BulkResults { data, succeeded, failed })?.at(position, &info).repeated(repeated);
    if !settled || may_come_again {
        // Who repeats the request may get a better answer, and nothing is done twice.
        return Ok(answer.into_response());
    }
    Ok(keep_answer(&app, &info, &scope, answer).await?.into_response())
}

impl Changes<'_> {
    async fn carry_out(&self, conversation_id: ConversationId) -> Outcome {
        let principal = self.principal;
        let done = match self.action.clone() {
            Action::Close { reason, notes } => {
                self.execute(conversation_id, CloseChat { principal, conversation_id, reason, notes }).await
            }
            Action::Tag { tag_id, on } => {
                self.execute(conversation_id, TagChat { principal, conversation_id, tag_id, on }).await
            }
            Action::Assign { agent_id, reason } => {
                let chooser = Chooser::Person { principal, reason };
                self.execute(conversation_id, AssignAgent { conversation_id, agent_id, chooser }).await
            }
            Action::HandOver { agent_id, reason } => {
                let chooser = Chooser::Transfer { principal, reason };
                self.execute(conversation_id, AssignAgent { conversation_id, agent_id, chooser }).await
            }
            Action::Transfer { group_id, reason } => {
                self.execute(conversation_id, TransferChat { principal, conversation_id, group_id, reason }).await
            }
        };
        self.outcome(conversation_id, done)
    }

    async fn execute<U: UseCase<Output = ()>>(
        &self,
        conversation_id: ConversationId,
        use_case: U,
    ) -> Result<Executed<()>, Problem> {
        Ok(self.app.bus.execute(self.context(conversation_id), use_case).await?)
    }

    /// Each conversation has a command id of its own that follows from the request's key: a request that was broken off
    /// and comes again does the rest.
    fn context(&self, conversation_id: ConversationId) -> CommandContext {
        let actor = self.principal.actor();
        let whole = self.info.command_id(&actor);
        let context = self.app.bus.context(actor, self.info.request_id.uuid());
        match whole {
            Some(whole) => {
                let part = CommandId::derived(&["bulk", &whole.to_string(), &conversation_id.to_string()]);
                context.repeatable(part, self.info.digest)
            }
            None => context,
        }
    }

    fn outcome(&self, conversation_id: ConversationId, done: Result<Executed<()>, Problem>) -> Outcome {
        let (status, position, problem, repeated) = match done {
            Ok(done) => (200, done.position(), None, done.repeated),
            Err(problem) => {
                let part = problem.as_part(self.info.request_id.as_str());
                (problem.status().as_u16(), None, Some(part), false)
            }
        };
        Outcome { result: BulkResult { conversation_id, status, position, problem }, repeated }
    }
}
