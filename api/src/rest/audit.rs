//! The event log itself, for admins.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use infrastructure::audit::{Aggregate, AuditFilter, AuditPageRequest, AuditRecord, Moment};
use projections::{CursorError, Page, decode_cursor, encode_cursor};
use schemars::JsonSchema;
use serde::Deserialize;

use super::paging;
use crate::app::App;
use crate::openapi::values;
use crate::rest::extract::{Fields, Query};
use crate::rest::problem::Problem;

/// The longest actor or type that is looked for, in bytes; the log has no longer ones.
pub const LONGEST_WORD: usize = 128;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct AuditQuery {
    /// Only what was done on behalf of this actor: `agent:ID`, `visitor:ID`, or a part of the program such as
    /// `system:router`.
    #[schemars(with = "Option<values::AuditWord>")]
    actor: Option<String>,
    /// Only events of this kind of stream, such as `conversation`, or of one stream: `conversation:ID`.
    #[schemars(with = "Option<values::AuditAggregate>")]
    aggregate: Option<String>,
    /// Only events of this name, such as `AgentAssigned`.
    #[serde(rename = "type")]
    #[schemars(with = "Option<values::AuditWord>")]
    event_type: Option<String>,
    /// The first event: a position, or the time from which events were recorded.
    #[schemars(with = "Option<values::AuditMoment>")]
    from: Option<String>,
    /// The last event, included: a position or a time.
    #[schemars(with = "Option<values::AuditMoment>")]
    to: Option<String>,
    /// What comes first; `newest` when absent.
    #[schemars(with = "Option<values::AuditOrderName>")]
    sort: Option<String>,
    /// The most events of the page.
    #[schemars(with = "Option<values::Limit>")]
    limit: Option<String>,
    /// The `nextCursor` of the page before, of the same order.
    #[schemars(with = "Option<values::Cursor>")]
    cursor: Option<String>,
}

impl AuditQuery {
    fn check(self) -> Result<(AuditPageRequest, &'static str), Problem> {
        let mut fields = Fields::default();
        let filter = AuditFilter {
            actor: word(&mut fields, "actor", self.actor),
            aggregate: parsed::<Aggregate>(&mut fields, "aggregate", self.aggregate.as_deref()),
            event_type: word(&mut fields, "type", self.event_type),
        };
        let from = parsed::<Moment>(&mut fields, "from", self.from.as_deref());
        let to = parsed::<Moment>(&mut fields, "to", self.to.as_deref());
        let newest_first = match self.sort.as_deref() {
            None | Some("newest") => true,
            Some("oldest") => false,
            Some(_) => fields.refuse("sort", "must be one of newest, oldest").unwrap_or_default(),
        };
        let limit = paging::limit(&mut fields, self.limit.as_deref());
        let limit = fields.finish_with(limit)?;
        let list = if newest_first { "audit.newest" } else { "audit.oldest" };
        let after = decode_cursor(list, self.cursor.as_deref()).map_err(bad_cursor)?;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Ok((AuditPageRequest { filter, from, to, newest_first, after, limit }, list))
    }
}

fn word(fields: &mut Fields, field: &str, text: Option<String>) -> Option<String> {
    let text = text?;
    if text.is_empty() || text.len() > LONGEST_WORD {
        return fields.refuse(field, format!("must have 1 to {LONGEST_WORD} bytes"));
    }
    Some(text)
}

fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(
    fields: &mut Fields,
    field: &str,
    text: Option<&str>,
) -> Option<T> {
    text?.parse().map_or_else(|error: T::Err| fields.refuse(field, error.to_string()), Some)
}

fn bad_cursor(error: CursorError) -> Problem {
    projections::QueryError::from(error).into()
}

/// The events of the log, with positions and hashes. A page may be short, or even empty, and not be the last.
pub async fn list(
    State(app): State<App>,
    Query(query): Query<AuditQuery>,
    headers: HeaderMap,
) -> Result<Json<Page<AuditRecord>>, Problem> {
    let (request, list) = query.check()?;
    crate::rest::respond::await_position(&app, &headers, &[]).await?;
    let page = app.audit.page(&request).await?;
    let next_cursor = page.next.map(|position| encode_cursor(list, position));
    Ok(Json(Page { data: page.records, next_cursor }))
}
