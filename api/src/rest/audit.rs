//! The event log itself, for admins.

use std::sync::Arc;

use crate::service::rows::Page;
use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::Deserialize;

use super::paging;
use crate::rest::extract::{AtLeast, Query};
use crate::rest::problem::Problem;
use crate::rest::values;
use crate::service::{
    AggregateFilter, AuditFilter, AuditQuery, AuditRecord, Caller, Fields, LONGEST_AUDIT_WORD, Moment, Refusal,
    Services,
};

/// The conditions and the page of a list of log records.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "AuditQuery")]
pub struct AuditParameters {
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

impl AuditParameters {
    fn check(self) -> Result<AuditQuery, Refusal> {
        let mut fields = Fields::default();
        let filter = AuditFilter {
            actor: word(&mut fields, "actor", self.actor),
            aggregate: parsed::<AggregateFilter>(&mut fields, "aggregate", self.aggregate.as_deref()),
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
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Ok(AuditQuery { filter, from, to, newest_first, cursor: self.cursor, limit })
    }
}

fn word(fields: &mut Fields, field: &str, text: Option<String>) -> Option<String> {
    let text = text?;
    if text.is_empty() || text.len() > LONGEST_AUDIT_WORD {
        return fields.refuse(field, format!("must have 1 to {LONGEST_AUDIT_WORD} bytes"));
    }
    Some(text)
}

fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(
    fields: &mut Fields,
    field: &str,
    text: Option<&str>,
) -> Option<T> {
    let text = text?;
    let parsed = text.parse().or_else(|error: T::Err| paging::with_plus(text).parse().map_err(|_| error));
    parsed.map_or_else(|error| fields.refuse(field, error.to_string()), Some)
}

/// The events of the log, with positions and hashes. A page may be short, or even empty, and not be the last.
pub async fn list(
    State(services): State<Arc<Services>>,
    caller: Caller,
    Query(query): Query<AuditParameters>,
    at_least: AtLeast,
) -> Result<Json<Page<AuditRecord>>, Problem> {
    Ok(Json(services.audit.page(&caller, query.check()?, at_least.position()?).await?))
}
