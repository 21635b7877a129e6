use domain::ids::{AgentId, EntityId, GroupId, TagId};
use infrastructure::database::{SqlValue, placeholders};
use infrastructure::sql_args;

use crate::conversations::{ConversationFilter, Visibility};
use crate::search::Word;

/// Conditions that must all hold, with their values. They are about a row that is called `x`.
#[derive(Clone, Debug, Default)]
pub(super) struct Conditions {
    sql: Vec<String>,
    args: Vec<SqlValue>,
}

impl Conditions {
    /// What everything fulfils.
    pub(super) const NONE: Self = Self { sql: vec![], args: vec![] };

    pub(super) fn and(mut self, sql: impl Into<String>, args: Vec<SqlValue>) -> Self {
        self.sql.push(sql.into());
        self.args.extend(args);
        self
    }

    pub(super) fn and_all(mut self, other: Self) -> Self {
        self.sql.extend(other.sql);
        self.args.extend(other.args);
        self
    }

    pub(super) fn is_empty(&self) -> bool {
        self.sql.is_empty()
    }

    /// As a text with its values.
    pub(super) fn into_parts(self) -> (String, Vec<SqlValue>) {
        (self.sql.join(" AND "), self.args)
    }
}

pub(super) fn of_status(status: &'static str) -> Conditions {
    Conditions::default().and("x.status = ?", sql_args![status])
}

pub(super) fn of_group(group_id: GroupId) -> Conditions {
    Conditions::default().and("x.group_id = ?", sql_args![group_id.uuid()])
}

pub(super) fn of_agent(agent_id: AgentId) -> Conditions {
    Conditions::default().and("x.listed_agent_id = ?", sql_args![agent_id.uuid()])
}

/// Those that wait and were the agent's before.
pub(super) fn waiting_again(agent_id: AgentId) -> Conditions {
    Conditions::default().and("x.last_agent_id = ? AND x.waiting_position > 0", sql_args![agent_id.uuid()])
}

/// Of conversations, where the tag's own rows are not what is read.
pub(super) fn of_tag(tag_id: TagId) -> Conditions {
    let row = "SELECT 1 FROM conversation_tags g WHERE g.tag_id = ? AND g.created_position = x.created_position";
    Conditions::default().and(format!("({row} LIMIT 1) IS NOT NULL"), sql_args![tag_id.uuid()])
}

/// Those of a range of time.
pub(super) fn of_time(filter: &ConversationFilter) -> Conditions {
    let conditions = Conditions::default();
    let conditions = match filter.from {
        Some(from) => conditions.and("x.created_us >= ?", sql_args![from]),
        None => conditions,
    };
    match filter.to {
        Some(to) => conditions.and("x.created_us < ?", sql_args![to]),
        None => conditions,
    }
}

/// Those that the agent may see.
pub(super) fn visible(to: &Visibility) -> Conditions {
    let own = sql_args![to.agent_id.uuid()];
    if to.group_ids.is_empty() {
        return Conditions::default().and("x.last_agent_id = ?", own);
    }
    let groups = to.group_ids.iter().flat_map(|group_id| sql_args![group_id.uuid()]);
    let list = placeholders(to.group_ids.len());
    Conditions::default()
        .and(format!("(x.last_agent_id = ? OR x.group_id IN ({list}))"), own.into_iter().chain(groups).collect())
}

/// Those in which one of several words is: a scalar subquery is looked up for each row; what looks like a join would be
/// turned round by MySQL. A word alone is joined instead, see [`super::ranges::Range::words`].
pub(super) fn with_any(word: &Word) -> Conditions {
    match word {
        Word::Any(words) => {
            let list = placeholders(words.len());
            let row = "SELECT 1 FROM search_words s WHERE s.created_position = x.created_position";
            Conditions::default().and(
                format!("({row} AND s.word IN ({list}) LIMIT 1) IS NOT NULL"),
                words.iter().map(|word| SqlValue::from(word.as_str())).collect(),
            )
        }
        Word::Between(first, beyond) => Conditions::default().and(
            "x.created_position IN (SELECT s.created_position FROM search_words s WHERE s.word >= ? AND s.word < ?)",
            sql_args![first, beyond],
        ),
    }
}

/// All that the filter says of a conversation, other than its words.
pub(super) fn of_filter(filter: &ConversationFilter) -> Conditions {
    let all = [
        filter.status.map(|status| of_status(status.as_str())),
        filter.agent_id.map(of_agent),
        filter.group_id.map(of_group),
        filter.visible_to.as_ref().map(visible),
        Some(of_time(filter)),
        filter.tag_id.map(of_tag),
    ];
    all.into_iter().flatten().fold(Conditions::default(), Conditions::and_all)
}
