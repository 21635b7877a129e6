//! The query parameters of lists: `limit`, `cursor` and `includeDeleted`.

use crate::service::rows::PageRequest;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::rest::extract::AtLeast;
use crate::rest::values;
use crate::service::reading::{DEFAULT_LIMIT, MAX_LIMIT};
use crate::service::{CallingAgent, Fields, Lookup, Refusal};

/// The `limit` parameter: 1 to 100, 25 when absent.
pub fn limit(fields: &mut Fields, text: Option<&str>) -> Option<u32> {
    let Some(text) = text else { return Some(DEFAULT_LIMIT) };
    let parsed = text.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit));
    if parsed.is_none() {
        fields.refuse::<u32>("limit", format!("must be a number from 1 to {MAX_LIMIT}"));
    }
    parsed
}

/// A number from 0 on, such as a position, that may be missing.
pub fn number(fields: &mut Fields, field: &str, text: Option<&str>, message: &str) -> Option<i64> {
    let parsed = text?.parse().ok().filter(|number| *number >= 0);
    parsed.or_else(|| fields.refuse(field, message))
}

/// A time as it was pasted into a query, where a plus sign stands for a space: `…T09:30:00+02:00` arrives as
/// `…T09:30:00 02:00`.
pub fn with_plus(text: &str) -> String {
    match text.rsplit_once(' ') {
        Some((time, offset)) => format!("{time}+{offset}"),
        None => text.to_owned(),
    }
}

/// The page of `limit` and `cursor`.
pub fn page(fields: Fields, limit: Option<u32>, cursor: Option<String>) -> Result<PageRequest, Refusal> {
    let limit = fields.finish_with(limit)?;
    Ok(PageRequest { cursor, limit })
}

/// The query of a list without filters.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ListQuery {
    /// Shows what was deleted as well; only for admins.
    include_deleted: Option<bool>,
    /// The most items of the page.
    #[schemars(with = "Option<values::Limit>")]
    limit: Option<String>,
    /// The `nextCursor` of the page before.
    #[schemars(with = "Option<values::Cursor>")]
    cursor: Option<String>,
}

impl ListQuery {
    /// The read of an agent, and the page.
    pub fn check(self, agent: CallingAgent, at_least: &AtLeast) -> Result<(Lookup, PageRequest), Refusal> {
        let mut fields = Fields::default();
        let limit = limit(&mut fields, self.limit.as_deref());
        let page = page(fields, limit, self.cursor)?;
        Ok((lookup(agent, self.include_deleted, at_least)?, page))
    }
}

/// The query of a single thing.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct OneQuery {
    /// Shows it even if it was deleted; only for admins.
    include_deleted: Option<bool>,
}

impl OneQuery {
    /// The read of an agent.
    pub fn check(self, agent: CallingAgent, at_least: &AtLeast) -> Result<Lookup, Refusal> {
        lookup(agent, self.include_deleted, at_least)
    }
}

/// The read of an agent.
pub fn lookup(agent: CallingAgent, include_deleted: Option<bool>, at_least: &AtLeast) -> Result<Lookup, Refusal> {
    Ok(Lookup { agent, include_deleted, at_least: at_least.position()? })
}
