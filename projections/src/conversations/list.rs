//! The statement of a list: a union of ranges, each read from its end of one index, whatever the filter.

use domain::conversation::ConversationStatus;
use domain::ids::{AgentId, EntityId, GroupId, TagId};
use infrastructure::database::{SqlValue, placeholders};
use infrastructure::sql_args;

use super::order::ConversationOrder;

/// Which conversations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConversationFilter {
    /// Those that stand there.
    pub status: Option<ConversationStatus>,
    /// Those that the agent serves, and of the closed ones those that the agent served last.
    pub agent_id: Option<AgentId>,
    /// Those of the group.
    pub group_id: Option<GroupId>,
    /// Those with the tag.
    pub tag_id: Option<TagId>,
    /// Those that an agent may see; all when absent.
    pub visible_to: Option<Visibility>,
}

/// What an agent may see: the conversations that they serve or served last, and those of their groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visibility {
    /// The agent.
    pub agent_id: AgentId,
    /// Their groups.
    pub group_ids: Vec<GroupId>,
}

/// More ranges than this are not worth it: the list is then read in its order and sifted.
const MAX_RANGES: usize = 32;

/// Conditions that must all hold, with their values.
#[derive(Clone, Debug, Default)]
struct Conditions {
    sql: Vec<String>,
    args: Vec<SqlValue>,
}

impl Conditions {
    fn and(mut self, sql: impl Into<String>, args: Vec<SqlValue>) -> Self {
        self.sql.push(sql.into());
        self.args.extend(args);
        self
    }

    fn and_all(mut self, other: &Self) -> Self {
        self.sql.extend_from_slice(&other.sql);
        self.args.extend_from_slice(&other.args);
        self
    }
}

/// The statement with its values; it gives one row more than `limit`, if there is one.
pub(super) fn statement(
    filter: &ConversationFilter,
    order: ConversationOrder,
    after: Option<i64>,
    limit: u32,
) -> (String, Vec<SqlValue>) {
    let (ranges, rest) = plan(filter);
    let place = after.unwrap_or(order.beginning());
    let rest = rest.and(format!("created_position {} ?", order.comparison()), sql_args![place]);
    let end = format!("ORDER BY created_position {} LIMIT ?", order.direction());
    let rows = i64::from(limit) + 1;
    let mut args = vec![];
    let mut selects = vec![];
    for range in ranges {
        let conditions = range.and_all(&rest);
        selects.push(format!("FROM conversations WHERE {} {end}", conditions.sql.join(" AND ")));
        args.extend(conditions.args);
        args.extend(sql_args![rows]);
    }
    if let [only] = selects.as_slice() {
        return (format!("SELECT * {only}"), args);
    }
    args.extend(sql_args![rows]);
    (union(&selects, &end), args)
}

fn union(selects: &[String], end: &str) -> String {
    let ranges: Vec<_> = selects
        .iter()
        .enumerate()
        .map(|(range, select)| format!("SELECT created_position FROM (SELECT created_position {select}) r{range}"))
        .collect();
    format!("SELECT c.* FROM ({}) picked JOIN conversations c USING (created_position) {end}", ranges.join(" UNION "))
}

/// The ranges whose union is read, and what else must hold in each.
fn plan(filter: &ConversationFilter) -> (Vec<Conditions>, Conditions) {
    let rest = Conditions::default();
    let rest = match filter.status {
        Some(status) => rest.and("status = ?", sql_args![status.as_str()]),
        None => rest,
    };
    let rest = match filter.tag_id {
        Some(tag_id) => rest.and(
            "created_position IN (SELECT created_position FROM conversation_tags WHERE tag_id = ?)",
            sql_args![tag_id.uuid()],
        ),
        None => rest,
    };
    let by_group = filter.group_id.map(of_group);
    match (filter.agent_id, by_group, &filter.visible_to) {
        (Some(agent_id), by_group, visible_to) => {
            let rest = by_group.iter().fold(rest, Conditions::and_all);
            (of_agent(agent_id), sift(rest, visible_to.as_ref()))
        }
        (None, Some(by_group), visible_to) => (vec![by_group], sift(rest, visible_to.as_ref())),
        (None, None, Some(visible_to)) if visible_to.group_ids.len() < MAX_RANGES => (visible_ranges(visible_to), rest),
        (None, None, visible_to) => (vec![Conditions::default()], sift(rest, visible_to.as_ref())),
    }
}

fn of_group(group_id: GroupId) -> Conditions {
    Conditions::default().and("group_id = ?", sql_args![group_id.uuid()])
}

fn of_agent(agent_id: AgentId) -> Vec<Conditions> {
    let agent = || sql_args![agent_id.uuid()];
    vec![
        Conditions::default().and("assigned_agent_id = ?", agent()),
        Conditions::default().and("last_agent_id = ?", agent()).and("status = 'closed'", vec![]),
    ]
}

fn visible_ranges(visible_to: &Visibility) -> Vec<Conditions> {
    // An agent who serves a conversation is also the one who served it last.
    let own = Conditions::default().and("last_agent_id = ?", sql_args![visible_to.agent_id.uuid()]);
    let groups = visible_to.group_ids.iter().copied().map(of_group);
    std::iter::once(own).chain(groups).collect()
}

fn sift(rest: Conditions, visible_to: Option<&Visibility>) -> Conditions {
    let Some(visible_to) = visible_to else { return rest };
    let own = sql_args![visible_to.agent_id.uuid()];
    if visible_to.group_ids.is_empty() {
        return rest.and("last_agent_id = ?", own);
    }
    let groups = visible_to.group_ids.iter().flat_map(|group_id| sql_args![group_id.uuid()]);
    let list = placeholders(visible_to.group_ids.len());
    rest.and(format!("(last_agent_id = ? OR group_id IN ({list}))"), own.into_iter().chain(groups).collect())
}
