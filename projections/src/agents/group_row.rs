use application::ports::{EventHeader, Position, Sequence};
use domain::group::GroupEvent;
use domain::ids::{EntityId, GroupId};
use domain::routing::RoutingStrategy;
use domain::time::Timestamp;
use infrastructure::database::{Row, RowError, SqlValue};
use infrastructure::sql_args;
use uuid::Uuid;

use crate::rows::ViewRow;
use crate::sql::named;
use crate::table::ViewTable;

/// A row of `agent_groups`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct GroupRow {
    pub(crate) id: GroupId,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) strategy: RoutingStrategy,
    pub(crate) is_default: bool,
    pub(crate) deleted: bool,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    pub(crate) version: Sequence,
    pub(crate) created_position: Position,
}

impl GroupRow {
    /// The row of a new group; none if the event is not a creation.
    pub(crate) fn created(header: &EventHeader, event: &GroupEvent) -> Option<Self> {
        let GroupEvent::GroupCreated { name, description, strategy, at } = event else { return None };
        Some(Self {
            id: GroupId::from_uuid(header.aggregate_id),
            name: name.as_str().to_owned(),
            description: description.as_ref().map(|description| description.as_str().to_owned()),
            strategy: *strategy,
            is_default: false,
            deleted: false,
            created_at: *at,
            updated_at: *at,
            version: header.sequence,
            created_position: header.position,
        })
    }

    /// What an event, other than the creation, makes of the row.
    pub(crate) fn apply(&mut self, header: &EventHeader, event: &GroupEvent) {
        self.version = header.sequence;
        self.updated_at = match event {
            GroupEvent::GroupCreated { at, .. }
            | GroupEvent::AgentsAdded { at, .. }
            | GroupEvent::AgentRemoved { at, .. } => *at,
            GroupEvent::GroupDescribed { name, description, at } => {
                self.name = name.as_str().to_owned();
                self.description = description.as_ref().map(|description| description.as_str().to_owned());
                *at
            }
            GroupEvent::StrategyChanged { strategy, at } => {
                self.strategy = *strategy;
                *at
            }
            GroupEvent::GroupDeleted { at } => {
                self.deleted = true;
                *at
            }
            GroupEvent::GroupRestored { at } => {
                self.deleted = false;
                *at
            }
        };
    }
}

impl ViewRow for GroupRow {
    const TABLE: ViewTable = ViewTable {
        name: "agent_groups",
        columns: &[
            "id",
            "name",
            "description",
            "routing_strategy",
            "is_default",
            "deleted",
            "created_us",
            "updated_us",
            "version",
            "created_position",
        ],
    };

    fn id(&self) -> Uuid {
        self.id.uuid()
    }

    fn read(row: &Row) -> Result<Self, RowError> {
        Ok(Self {
            id: GroupId::from_uuid(row.uuid("id")?),
            name: row.text("name")?,
            description: row.opt_text("description")?,
            strategy: named(row, "routing_strategy", "a routing strategy")?,
            is_default: row.bool("is_default")?,
            deleted: row.bool("deleted")?,
            created_at: Timestamp::from_micros(row.int("created_us")?),
            updated_at: Timestamp::from_micros(row.int("updated_us")?),
            version: row.int("version")?,
            created_position: row.int("created_position")?,
        })
    }

    fn values(&self) -> Vec<SqlValue> {
        sql_args![
            self.id.uuid(),
            &self.name,
            self.description.clone(),
            self.strategy.as_str(),
            self.is_default,
            self.deleted,
            self.created_at,
            self.updated_at,
            self.version,
            self.created_position,
        ]
    }
}
