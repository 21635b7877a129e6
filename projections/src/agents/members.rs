//! The agents of each group.

use std::collections::BTreeMap;

use application::ports::LogEvent;
use domain::group::GroupEvent;
use domain::ids::{AgentId, EntityId, GroupId};
use infrastructure::database::{Database, DatabaseError, Transaction, placeholders};
use infrastructure::sql_args;
use infrastructure::subscription::HandleError;
use uuid::Uuid;

use crate::error::poison;
use crate::pairs::Pairs;
use crate::rows::id_args;
use crate::sql::filled_chunks;
use crate::table::ViewTable;

pub(crate) const TABLE: ViewTable = ViewTable { name: "group_members", columns: &["group_id", "agent_id"] };

/// What a page of events makes of the memberships.
pub(super) struct Members<'a> {
    pairs: Pairs<(Uuid, AgentId)>,
    last: BTreeMap<(Uuid, AgentId), &'a LogEvent>,
}

impl<'a> Members<'a> {
    pub(super) const fn new() -> Self {
        Self { pairs: Pairs::new(), last: BTreeMap::new() }
    }

    pub(super) fn apply(&mut self, event: &'a LogEvent, change: &GroupEvent) {
        let group_id = event.header.aggregate_id;
        match change {
            GroupEvent::AgentsAdded { agent_ids, .. } => {
                for agent_id in agent_ids {
                    self.pairs.add((group_id, *agent_id));
                }
            }
            GroupEvent::AgentRemoved { agent_id, .. } => {
                self.pairs.remove((group_id, *agent_id));
                self.last.insert((group_id, *agent_id), event);
            }
            GroupEvent::GroupCreated { .. }
            | GroupEvent::GroupDescribed { .. }
            | GroupEvent::StrategyChanged { .. }
            | GroupEvent::GroupDeleted { .. }
            | GroupEvent::GroupRestored { .. } => {}
        }
    }

    pub(super) async fn save(self, tx: &mut Transaction) -> Result<(), HandleError> {
        const REMOVE: &str = "DELETE FROM group_members WHERE group_id = ? AND agent_id = ?";
        let (added, removed) = self.pairs.into_added_and_removed();
        for pair in removed {
            let is_there = tx.expect(1, REMOVE, sql_args![pair.0, pair.1.uuid()]).await?;
            if let (false, Some(event)) = (is_there, self.last.get(&pair)) {
                return Err(poison(event, "removes an agent whom the group does not have"));
            }
        }
        let rows = added.into_iter().map(|(group_id, agent_id)| sql_args![group_id, agent_id.uuid()]).collect();
        Ok(tx.insert_many(TABLE.name, TABLE.columns, rows).await?)
    }
}

/// The groups of these agents that were not deleted, in the order of their creation.
pub(super) async fn groups_of(
    database: &Database,
    agent_ids: &[Uuid],
) -> Result<BTreeMap<AgentId, Vec<GroupId>>, DatabaseError> {
    const SQL: &str = "SELECT m.agent_id, m.group_id FROM group_members m JOIN agent_groups g ON g.id = m.group_id \
                       WHERE g.deleted = 0 AND m.agent_id IN";
    let mut groups = BTreeMap::<_, Vec<_>>::new();
    for chunk in filled_chunks(agent_ids) {
        let sql = format!("{SQL} ({}) ORDER BY g.created_position", placeholders(chunk.len()));
        for row in database.fetch_all(&sql, id_args(&chunk)).await? {
            let agent_id = AgentId::from_uuid(row.uuid("agent_id")?);
            groups.entry(agent_id).or_default().push(GroupId::from_uuid(row.uuid("group_id")?));
        }
    }
    Ok(groups)
}

/// The agents of these groups who were not deleted, in the order of their registration.
pub(super) async fn agents_of(
    database: &Database,
    group_ids: &[Uuid],
) -> Result<BTreeMap<GroupId, Vec<AgentId>>, DatabaseError> {
    const SQL: &str = "SELECT m.group_id, m.agent_id FROM group_members m JOIN agents a ON a.id = m.agent_id \
                       WHERE a.deleted = 0 AND m.group_id IN";
    let mut agents = BTreeMap::<_, Vec<_>>::new();
    for chunk in filled_chunks(group_ids) {
        let sql = format!("{SQL} ({}) ORDER BY a.created_position", placeholders(chunk.len()));
        for row in database.fetch_all(&sql, id_args(&chunk)).await? {
            let group_id = GroupId::from_uuid(row.uuid("group_id")?);
            agents.entry(group_id).or_default().push(AgentId::from_uuid(row.uuid("agent_id")?));
        }
    }
    Ok(agents)
}
