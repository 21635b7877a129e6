use domain::ids::{AgentId, EntityId, GroupId};
use infrastructure::database::{Database, Row};
use infrastructure::sql_args;

use super::agent_list::{self, AgentFilter};
use super::{AgentRow, AgentView, GroupRow, GroupView, members};
use crate::cursor;
use crate::rows::{ViewRow, select_by_id};
use crate::{Deleted, Page, PageRequest, QueryError};

const AGENT_LIST: &str = "agents";
const GROUP_LIST: &str = "groups";

/// Reads agents and groups.
#[derive(Clone, Debug)]
pub struct AgentQueries {
    database: Database,
}

impl AgentQueries {
    /// Over this database.
    #[must_use]
    pub const fn new(database: Database) -> Self {
        Self { database }
    }

    /// An agent.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn find_agent(&self, id: AgentId, deleted: Deleted) -> Result<Option<AgentView>, QueryError> {
        const SQL: &str = "SELECT * FROM agents WHERE id = ? AND deleted <= ?";
        let rows = self.database.fetch_all(SQL, sql_args![id.uuid(), deleted == Deleted::Shown]).await?;
        Ok(self.agents(rows).await?.pop().map(|(_, view)| view))
    }

    /// The agents with these ids, deleted or not, in no order.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn find_agents(&self, ids: &[AgentId]) -> Result<Vec<AgentView>, QueryError> {
        let rows = select_by_id(&self.database, AgentRow::TABLE, ids).await?;
        Ok(self.agents(rows).await?.into_iter().map(|(_, view)| view).collect())
    }

    /// The groups with these ids, deleted or not, in no order.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn find_groups(&self, ids: &[GroupId]) -> Result<Vec<GroupView>, QueryError> {
        let rows = select_by_id(&self.database, GroupRow::TABLE, ids).await?;
        Ok(self.groups(rows).await?.into_iter().map(|(_, view)| view).collect())
    }

    /// The agents that the filter lets through, in the order of their registration.
    ///
    /// # Errors
    /// When the cursor is not one of this list, or the database does not answer.
    pub async fn list_agents(
        &self,
        filter: &AgentFilter,
        request: &PageRequest,
    ) -> Result<Page<AgentView>, QueryError> {
        let after = cursor::decode(AGENT_LIST, request.cursor.as_deref())?.unwrap_or(0);
        let (sql, args) = agent_list::statement(self.database.dialect(), filter, after, request.limit);
        let agents = self.agents(self.database.fetch_all(&sql, args).await?).await?;
        let page = Page::cut(agents, request.limit, |(position, _)| cursor::encode(AGENT_LIST, *position));
        Ok(page.map(|(_, view)| view))
    }

    /// The groups that an agent is in, also those that were deleted: their conversations stay readable to them.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn groups_of(&self, agent_id: AgentId) -> Result<Vec<GroupId>, QueryError> {
        const SQL: &str = "SELECT group_id FROM group_members WHERE agent_id = ? ORDER BY group_id";
        let rows = self.database.fetch_all(SQL, sql_args![agent_id.uuid()]).await?;
        rows.iter().map(|row| Ok(GroupId::from_uuid(row.uuid("group_id")?))).collect()
    }

    /// A group.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn find_group(&self, id: GroupId, deleted: Deleted) -> Result<Option<GroupView>, QueryError> {
        const SQL: &str = "SELECT * FROM agent_groups WHERE id = ? AND deleted <= ?";
        let rows = self.database.fetch_all(SQL, sql_args![id.uuid(), deleted == Deleted::Shown]).await?;
        Ok(self.groups(rows).await?.pop().map(|(_, view)| view))
    }

    /// The groups, in the order of their creation.
    ///
    /// # Errors
    /// When the cursor is not one of this list, or the database does not answer.
    pub async fn list_groups(&self, deleted: Deleted, request: &PageRequest) -> Result<Page<GroupView>, QueryError> {
        const SQL: &str = "SELECT * FROM agent_groups WHERE created_position > ? AND deleted <= ? \
                           ORDER BY created_position LIMIT ?";
        let after = cursor::decode(GROUP_LIST, request.cursor.as_deref())?.unwrap_or(0);
        let args = sql_args![after, deleted == Deleted::Shown, i64::from(request.limit) + 1];
        let groups = self.groups(self.database.fetch_all(SQL, args).await?).await?;
        let page = Page::cut(groups, request.limit, |(position, _)| cursor::encode(GROUP_LIST, *position));
        Ok(page.map(|(_, view)| view))
    }

    /// The ids of all groups that are not deleted.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn group_ids(&self) -> Result<Vec<GroupId>, QueryError> {
        const SQL: &str = "SELECT id FROM agent_groups WHERE deleted = ?";
        let rows = self.database.fetch_all(SQL, sql_args![false]).await?;
        rows.iter().map(|row| Ok(GroupId::from_uuid(row.uuid("id")?))).collect()
    }

    async fn agents(&self, rows: Vec<Row>) -> Result<Vec<(i64, AgentView)>, QueryError> {
        let rows = rows.iter().map(AgentRow::read).collect::<Result<Vec<_>, _>>()?;
        let ids: Vec<_> = rows.iter().map(ViewRow::id).collect();
        let mut groups = members::groups_of(&self.database, &ids).await?;
        let view = |row: AgentRow| {
            let group_ids = groups.remove(&row.id).unwrap_or_default();
            (row.created_position, AgentView::new(row, group_ids))
        };
        Ok(rows.into_iter().map(view).collect())
    }

    async fn groups(&self, rows: Vec<Row>) -> Result<Vec<(i64, GroupView)>, QueryError> {
        let rows = rows.iter().map(GroupRow::read).collect::<Result<Vec<_>, _>>()?;
        let ids: Vec<_> = rows.iter().map(ViewRow::id).collect();
        let mut agents = members::agents_of(&self.database, &ids).await?;
        let view = |row: GroupRow| {
            let agent_ids = agents.remove(&row.id).unwrap_or_default();
            (row.created_position, GroupView::new(row, agent_ids))
        };
        Ok(rows.into_iter().map(view).collect())
    }
}
