//! Lists of conversations, and how many there are.

use std::sync::Arc;

use crate::service::rows::Page;
use crate::service::rows::conversations::{ConversationCounts, ConversationFilter, ConversationOrder};
use crate::service::rows::search::SearchText;
use axum::Json;
use axum::extract::State;
use domain::conversation::ConversationStatus;
use domain::time::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;

use super::paging;
use crate::rest::extract::{AtLeast, Query};
use crate::rest::problem::Problem;
use crate::rest::values;
use crate::service::reading::NamedConversation;
use crate::service::{Caller, Fields, Services};

/// The conditions, the order and the page of a list of conversations.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ConversationQuery {
    /// Only those that stand there.
    #[schemars(with = "Option<values::ConversationStatusName>")]
    status: Option<String>,
    /// Only those that this agent serves, and of the closed ones those that they served last.
    #[schemars(with = "Option<values::Id>")]
    agent_id: Option<String>,
    /// Only those of this group.
    #[schemars(with = "Option<values::Id>")]
    group_id: Option<String>,
    /// Only those with this tag.
    #[schemars(with = "Option<values::Id>")]
    tag_id: Option<String>,
    /// Only those that have all of these words; the last one may be the beginning of a word.
    #[schemars(with = "Option<values::Search>")]
    search: Option<String>,
    /// Only those that began at this time or later.
    #[schemars(with = "Option<values::Time>")]
    from: Option<String>,
    /// Only those that began before this time.
    #[schemars(with = "Option<values::Time>")]
    to: Option<String>,
    /// What comes first; `newest` when absent.
    #[schemars(with = "Option<values::ConversationOrderName>")]
    sort: Option<String>,
    /// The most items of the page.
    #[schemars(with = "Option<values::Limit>")]
    limit: Option<String>,
    /// The `nextCursor` of the page before, of the same filters and order.
    #[schemars(with = "Option<values::Cursor>")]
    cursor: Option<String>,
}

impl ConversationQuery {
    fn filter(&self, fields: &mut Fields) -> ConversationFilter {
        let status = self.status.as_deref();
        ConversationFilter {
            status: fields.optional_word("status", status, ConversationStatus::parse, "pending, active, closed"),
            agent_id: fields.optional_id("agentId", self.agent_id.as_deref()),
            group_id: fields.optional_id("groupId", self.group_id.as_deref()),
            tag_id: fields.optional_id("tagId", self.tag_id.as_deref()),
            from: time(fields, "from", self.from.as_deref()),
            to: time(fields, "to", self.to.as_deref()),
            search: search(fields, self.search.as_deref()),
            visible_to: None,
        }
    }

    fn order(&self, fields: &mut Fields) -> ConversationOrder {
        let names = "newest, oldest, longest_waiting";
        let order = fields.optional_word("sort", self.sort.as_deref(), ConversationOrder::parse, names);
        order.unwrap_or_default()
    }
}

fn time(fields: &mut Fields, field: &str, text: Option<&str>) -> Option<Timestamp> {
    let text = text?;
    let parsed = text.parse().or_else(|_| paging::with_plus(text).parse()).ok();
    parsed.or_else(|| fields.refuse(field, "must be a time as in RFC 3339, such as 2026-01-31T09:30:00Z"))
}

fn search(fields: &mut Fields, text: Option<&str>) -> Option<SearchText> {
    fields.optional("search", text, SearchText::parse).flatten()
}

pub async fn list(
    State(services): State<Arc<Services>>,
    caller: Caller,
    Query(query): Query<ConversationQuery>,
    at_least: AtLeast,
) -> Result<Json<Page<NamedConversation>>, Problem> {
    let mut fields = Fields::default();
    let filter = query.filter(&mut fields);
    let order = query.order(&mut fields);
    let limit = paging::limit(&mut fields, query.limit.as_deref());
    let page = paging::page(fields, limit, query.cursor)?;
    Ok(Json(services.conversations.list(&caller, (filter, order), &page, at_least.position()?).await?))
}

/// The conditions of counted conversations.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct CountQuery {
    /// Only those that this agent serves or served last.
    #[schemars(with = "Option<values::Id>")]
    agent_id: Option<String>,
    /// Only those of this group.
    #[schemars(with = "Option<values::Id>")]
    group_id: Option<String>,
}

/// How many of the conversations that the caller may read wait, are served, and are closed.
pub async fn count(
    State(services): State<Arc<Services>>,
    caller: Caller,
    Query(query): Query<CountQuery>,
    at_least: AtLeast,
) -> Result<Json<ConversationCounts>, Problem> {
    let mut fields = Fields::default();
    let agent_id = fields.optional_id("agentId", query.agent_id.as_deref());
    let group_id = fields.optional_id("groupId", query.group_id.as_deref());
    fields.finish()?;
    let filter = ConversationFilter { agent_id, group_id, ..ConversationFilter::default() };
    Ok(Json(services.conversations.count(&caller, filter, at_least.position()?).await?))
}
