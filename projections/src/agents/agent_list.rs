use domain::agent::{AgentStatus, Role};
use domain::ids::{EntityId, GroupId};
use infrastructure::database::{Dialect, SqlValue};
use infrastructure::sql_args;

use crate::Deleted;
use crate::sql::containing;

/// The conditions of a list of agents; each that is present must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AgentFilter {
    /// Those with this status.
    pub status: Option<AgentStatus>,
    /// Those with this role.
    pub role: Option<Role>,
    /// Members of this group.
    pub group_id: Option<GroupId>,
    /// Agents with this text in their name or address; case and accents do not matter.
    pub search: Option<String>,
    /// Whether deleted agents are among them.
    pub deleted: Deleted,
}

/// The statement with its values; it gives one row more than `limit`, if there is one.
pub(super) fn statement(dialect: Dialect, filter: &AgentFilter, after: i64, limit: u32) -> (String, Vec<SqlValue>) {
    let AgentFilter { status, role, group_id, search, deleted } = filter;
    let mut sql = "SELECT * FROM agents WHERE created_position > ?".to_owned();
    let mut args = sql_args![after];
    let mut and = |condition: &str, value: SqlValue| {
        sql.push_str(condition);
        args.push(value);
    };
    if *deleted == Deleted::Hidden {
        and(" AND deleted = ?", false.into());
    }
    if let Some(status) = status {
        and(" AND status = ?", status.as_str().into());
    }
    if let Some(role) = role {
        and(" AND role = ?", role.as_str().into());
    }
    if let Some(group_id) = group_id {
        and(" AND id IN (SELECT agent_id FROM group_members WHERE group_id = ?)", group_id.uuid().into());
    }
    if let Some(search) = search {
        match containing(search) {
            Some(pattern) => {
                and(&format!(" AND search_text{} LIKE ? ESCAPE '!'", dialect.exact_collation()), pattern.into());
            }
            None => and(" AND search_text = ?", "".into()),
        }
    }
    and(" ORDER BY created_position LIMIT ?", (i64::from(limit) + 1).into());
    (sql, args)
}
