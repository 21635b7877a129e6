//! How many conversations there are: counters that change with the conversations.

use std::collections::BTreeMap;

use domain::conversation::ConversationStatus;
use domain::ids::{AgentId, GroupId};
use infrastructure::database::{Database, DatabaseError, Dialect, SqlValue, Transaction, placeholders};
use infrastructure::sql_args;
use serde::Serialize;

use super::{ConversationFilter, ConversationRow, Visibility};
use crate::QueryError;
use crate::table::ViewTable;

pub(crate) const COUNTS_TABLE: ViewTable =
    ViewTable { name: "conversation_counts", columns: &["scope", "pending", "active", "closed"] };

/// The scope of all conversations.
const ALL: &str = "all";

/// The most rows of a statement; each number of rows is a statement of its own.
const CHUNK: usize = 8;

/// The number of conversations by status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ConversationCounts {
    /// Waiting conversations.
    pub pending: i64,
    /// Conversations that an agent serves.
    pub active: i64,
    /// Closed conversations.
    pub closed: i64,
    /// All conversations.
    pub total: i64,
}

/// The scope of a group's conversations.
pub(super) fn scope_of_group(group_id: GroupId) -> String {
    format!("group:{group_id}")
}

fn scope_of_agent(agent_id: AgentId, group_id: GroupId) -> String {
    format!("agent:{agent_id}:{group_id}")
}

fn scopes(row: &ConversationRow) -> impl Iterator<Item = String> {
    let of_agent = row.last_agent_id.map(|agent_id| scope_of_agent(agent_id, row.group_id));
    [Some(ALL.to_owned()), Some(scope_of_group(row.group_id)), of_agent].into_iter().flatten()
}

/// The place of a status among the columns that count.
const fn column(status: ConversationStatus) -> usize {
    match status {
        ConversationStatus::Pending => 0,
        ConversationStatus::Active => 1,
        ConversationStatus::Closed => 2,
    }
}

/// Counts the changes of conversations.
pub(super) async fn save<'a>(
    tx: &mut Transaction,
    changes: impl Iterator<Item = (Option<&'a ConversationRow>, &'a ConversationRow)>,
) -> Result<(), DatabaseError> {
    let mut deltas: BTreeMap<String, [i64; 3]> = BTreeMap::new();
    let mut count = |row: &ConversationRow, by: i64| {
        for scope in scopes(row) {
            deltas.entry(scope).or_default()[column(row.status)] += by;
        }
    };
    for (stored, now) in changes {
        stored.into_iter().for_each(|row| count(row, -1));
        count(now, 1);
    }
    let deltas: Vec<_> = deltas.into_iter().filter(|(_, delta)| *delta != [0; 3]).collect();
    for chunk in deltas.chunks(CHUNK) {
        let args =
            chunk.iter().flat_map(|(scope, [pending, active, closed])| sql_args![scope, *pending, *active, *closed]);
        tx.enqueue(&add(tx.dialect(), chunk.len()), args.collect()).await?;
    }
    let fewer = deltas.iter().filter(|(_, delta)| delta.iter().sum::<i64>() < 0);
    remove_empty(tx, &fewer.map(|(scope, _)| scope.as_str()).collect::<Vec<_>>()).await
}

fn add(dialect: Dialect, rows: usize) -> String {
    let values = vec!["(?, ?, ?, ?)"; rows].join(", ");
    let insert = format!("INSERT INTO conversation_counts (scope, pending, active, closed) VALUES {values}");
    let update = match dialect {
        Dialect::Mysql => {
            "ON DUPLICATE KEY UPDATE pending = pending + VALUES(pending), active = active + VALUES(active), \
             closed = closed + VALUES(closed)"
        }
        Dialect::Sqlite => {
            "ON CONFLICT (scope) DO UPDATE SET pending = pending + excluded.pending, \
             active = active + excluded.active, closed = closed + excluded.closed"
        }
    };
    format!("{insert} {update}")
}

async fn remove_empty(tx: &mut Transaction, scopes: &[&str]) -> Result<(), DatabaseError> {
    for chunk in scopes.chunks(CHUNK) {
        let sql = format!(
            "DELETE FROM conversation_counts WHERE scope IN ({}) AND pending = 0 AND active = 0 AND closed = 0",
            placeholders(chunk.len())
        );
        tx.enqueue(&sql, chunk.iter().map(|scope| SqlValue::from(*scope)).collect()).await?;
    }
    Ok(())
}

/// Which counters are added up.
#[derive(Default)]
struct Counters {
    scopes: Vec<String>,
    /// All groups of this agent, other than these.
    elsewhere: Option<(AgentId, Vec<GroupId>)>,
}

impl Counters {
    fn of(filter: &ConversationFilter) -> Self {
        let visible = filter.visible_to.as_ref();
        match (filter.agent_id, filter.group_id) {
            (Some(agent_id), group_id) => Self::of_agent(agent_id, group_id, visible),
            (None, Some(group_id)) => {
                let own = visible.filter(|to| !to.group_ids.contains(&group_id));
                let scope = own.map_or(scope_of_group(group_id), |to| scope_of_agent(to.agent_id, group_id));
                Self { scopes: vec![scope], elsewhere: None }
            }
            (None, None) => visible.map_or(Self { scopes: vec![ALL.to_owned()], elsewhere: None }, Self::visible),
        }
    }

    fn of_agent(agent_id: AgentId, group_id: Option<GroupId>, visible: Option<&Visibility>) -> Self {
        let others = visible.filter(|to| to.agent_id != agent_id);
        match (group_id, others) {
            (None, None) => Self { scopes: vec![], elsewhere: Some((agent_id, vec![])) },
            (Some(group_id), None) => Self { scopes: vec![scope_of_agent(agent_id, group_id)], elsewhere: None },
            (group_id, Some(to)) => {
                let groups = to.group_ids.iter().filter(|id| group_id.is_none_or(|wanted| wanted == **id));
                Self { scopes: groups.map(|id| scope_of_agent(agent_id, *id)).collect(), elsewhere: None }
            }
        }
    }

    fn visible(to: &Visibility) -> Self {
        let scopes = to.group_ids.iter().copied().map(scope_of_group).collect();
        Self { scopes, elsewhere: Some((to.agent_id, to.group_ids.clone())) }
    }

    fn statement(self) -> Option<(String, Vec<SqlValue>)> {
        let mut conditions = vec![];
        let mut args: Vec<SqlValue> = vec![];
        if !self.scopes.is_empty() {
            conditions.push(format!("scope IN ({})", placeholders(self.scopes.len())));
            args.extend(self.scopes.into_iter().map(SqlValue::from));
        }
        if let Some((agent_id, but)) = self.elsewhere {
            // `;` is the character after `:`.
            let mut condition = "(scope >= ? AND scope < ?".to_owned();
            args.extend(sql_args![format!("agent:{agent_id}:"), format!("agent:{agent_id};")]);
            if !but.is_empty() {
                condition.push_str(&format!(" AND scope NOT IN ({})", placeholders(but.len())));
                args.extend(but.into_iter().map(|group_id| scope_of_agent(agent_id, group_id).into()));
            }
            conditions.push(format!("{condition})"));
        }
        let sql = "SELECT pending, active, closed FROM conversation_counts WHERE";
        (!conditions.is_empty()).then(|| (format!("{sql} {}", conditions.join(" OR ")), args))
    }
}

/// Counts what the filter's agent, group and visibility let through; what else it says does not matter.
pub(super) async fn read(database: &Database, filter: &ConversationFilter) -> Result<ConversationCounts, QueryError> {
    let mut counts = ConversationCounts::default();
    let Some((sql, args)) = Counters::of(filter).statement() else { return Ok(counts) };
    for row in database.fetch_all(&sql, args).await? {
        counts.pending += row.int("pending")?;
        counts.active += row.int("active")?;
        counts.closed += row.int("closed")?;
    }
    if filter.agent_id.is_some() {
        // Those that wait are in no agent's list.
        counts.pending = 0;
    }
    counts.total = counts.pending + counts.active + counts.closed;
    Ok(counts)
}
