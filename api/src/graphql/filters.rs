//! The conditions of lists.

use async_graphql::{ID, InputObject};
use domain::text::Name;
use domain::time::Timestamp;

use super::paging::Paging;
use super::types::{AgentStatus, AuditOrder, ConversationStatus, DateTime, Role};
use crate::service::rows::agents::AgentFilter;
use crate::service::rows::conversations::ConversationFilter;
use crate::service::rows::search::SearchText;
use crate::service::{AggregateFilter, AuditFilter, AuditQuery, Fields, LONGEST_AUDIT_WORD, Moment, Refusal};

/// The conditions of a list of agents.
#[derive(Default, InputObject)]
pub struct AgentFilterInput {
    /// Only those with this status.
    status: Option<AgentStatus>,
    /// Only those with this role.
    role: Option<Role>,
    /// Only those of this group.
    group_id: Option<ID>,
    /// Only those in whose name or address it occurs, with or without accents, in upper or lower case.
    search: Option<String>,
}

/// The conditions of a list of conversations.
#[derive(Default, InputObject)]
pub struct ConversationFilterInput {
    /// Only those that stand there.
    status: Option<ConversationStatus>,
    /// Only those that this agent serves, and of the closed ones those that they served last.
    agent_id: Option<ID>,
    /// Only those of this group.
    group_id: Option<ID>,
    /// Only those with this tag.
    tag_id: Option<ID>,
    /// Only those that have all of these words; the last one may be the beginning of a word.
    search: Option<String>,
    /// Only those that began at this time or later.
    from: Option<DateTime>,
    /// Only those that began before this time.
    to: Option<DateTime>,
}

/// The conditions of a list of the log's events.
#[derive(Default, InputObject)]
pub struct AuditFilterInput {
    /// Only what was done on behalf of this actor: `agent:ID`, `visitor:ID`, or a part of the program such as
    /// `system:router`.
    actor: Option<String>,
    /// Only events of this kind of stream, such as `conversation`, or of one stream: `conversation:ID`.
    aggregate: Option<String>,
    /// Only events of this name, such as `AgentAssigned`.
    r#type: Option<String>,
    /// The first event: a position, or the time from which events were recorded.
    from: Option<String>,
    /// The last event, included: a position or a time.
    to: Option<String>,
}

impl AgentFilterInput {
    pub(super) fn check(self, fields: &mut Fields) -> AgentFilter {
        let group_id = fields.optional_id("filter.groupId", self.group_id.as_ref().map(AsRef::as_ref));
        let search = fields.optional("filter.search", self.search.as_deref(), Name::parse);
        AgentFilter {
            status: self.status.map(Into::into),
            role: self.role.map(Into::into),
            group_id,
            search: search.map(|search| search.as_str().to_owned()),
            ..AgentFilter::default()
        }
    }
}

impl ConversationFilterInput {
    pub(super) fn check(self, fields: &mut Fields) -> ConversationFilter {
        ConversationFilter {
            status: self.status.map(Into::into),
            agent_id: fields.optional_id("filter.agentId", self.agent_id.as_ref().map(AsRef::as_ref)),
            group_id: fields.optional_id("filter.groupId", self.group_id.as_ref().map(AsRef::as_ref)),
            tag_id: fields.optional_id("filter.tagId", self.tag_id.as_ref().map(AsRef::as_ref)),
            from: time(fields, "filter.from", self.from),
            to: time(fields, "filter.to", self.to),
            search: fields.optional("filter.search", self.search.as_deref(), SearchText::parse).flatten(),
            visible_to: None,
        }
    }
}

fn time(fields: &mut Fields, field: &str, time: Option<DateTime>) -> Option<Timestamp> {
    let parsed = time?.0.parse().ok();
    parsed.or_else(|| fields.refuse(field, "must be a time as in RFC 3339, such as 2026-01-31T09:30:00Z"))
}

/// The page of the log that the arguments describe.
pub(super) fn audit_query(
    filter: AuditFilterInput,
    paging: &Paging,
    (sort, cursor): (Option<AuditOrder>, Option<String>),
) -> Result<AuditQuery, Refusal> {
    let mut fields = Fields::default();
    let from = parse::<Moment>(&mut fields, "filter.from", filter.from.as_deref());
    let to = parse::<Moment>(&mut fields, "filter.to", filter.to.as_deref());
    let aggregate = parse::<AggregateFilter>(&mut fields, "filter.aggregate", filter.aggregate.as_deref());
    let filter = AuditFilter {
        actor: word(&mut fields, "filter.actor", filter.actor),
        aggregate,
        event_type: word(&mut fields, "filter.type", filter.r#type),
    };
    let limit = paging.limit(&mut fields);
    let limit = fields.finish_with(limit)?;
    let newest_first = sort != Some(AuditOrder::Oldest);
    Ok(AuditQuery { filter, from, to, newest_first, cursor, limit: usize::try_from(limit).unwrap_or(usize::MAX) })
}

fn word(fields: &mut Fields, field: &str, text: Option<String>) -> Option<String> {
    let text = text?;
    if text.is_empty() || text.len() > LONGEST_AUDIT_WORD {
        return fields.refuse(field, format!("must have 1 to {LONGEST_AUDIT_WORD} bytes"));
    }
    Some(text)
}

fn parse<T: std::str::FromStr<Err: std::fmt::Display>>(
    fields: &mut Fields,
    field: &str,
    text: Option<&str>,
) -> Option<T> {
    text?.parse().map_or_else(|error: T::Err| fields.refuse(field, error.to_string()), Some)
}
