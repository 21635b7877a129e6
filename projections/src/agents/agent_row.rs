use application::ports::{EventHeader, Position, Sequence};
use domain::agent::{AgentEvent, AgentStatus, Role};
use domain::ids::{AgentId, EntityId};
use domain::time::Timestamp;
use infrastructure::database::{Row, RowError, SqlValue};
use infrastructure::sql_args;
use uuid::Uuid;

use crate::rows::ViewRow;
use crate::sql::named;
use crate::table::ViewTable;
use crate::text::fold;

/// The stored form of an [`AgentView`](super::AgentView).
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct AgentRow {
    pub(crate) id: AgentId,
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) role: Role,
    pub(crate) status: AgentStatus,
    pub(crate) accepting_chats: bool,
    pub(crate) chat_limit: i64,
    pub(crate) active_chats: i64,
    pub(crate) avatar: Option<String>,
    pub(crate) deleted: bool,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    pub(crate) version: Sequence,
    pub(crate) created_position: Position,
}

impl AgentRow {
    /// The row of a new agent; none if the event is not a registration.
    pub(crate) fn registered(header: &EventHeader, event: &AgentEvent) -> Option<Self> {
        let AgentEvent::AgentRegistered { name, email, avatar, role, status, accepting_chats, chat_limit, at } = event
        else {
            return None;
        };
        Some(Self {
            id: AgentId::from_uuid(header.aggregate_id),
            name: name.as_str().to_owned(),
            email: email.as_str().to_owned(),
            role: *role,
            status: *status,
            accepting_chats: *accepting_chats,
            chat_limit: chat_limit.get() as i64,
            active_chats: 0,
            avatar: avatar.as_ref().map(|avatar| avatar.as_str().to_owned()),
            deleted: false,
            created_at: *at,
            updated_at: *at,
            version: header.sequence,
            created_position: header.position,
        })
    }

    /// What an event, other than the registration, makes of the row.
    pub(crate) fn apply(&mut self, header: &EventHeader, event: &AgentEvent) {
        if event.is_edit() {
            self.version = header.sequence;
        }
        self.updated_at = match event {
            AgentEvent::AgentRegistered { at, .. } | AgentEvent::PasswordChanged { at } => *at,
            AgentEvent::StatusChanged { status, at, .. } => {
                self.status = *status;
                *at
            }
            AgentEvent::ChatsAccepted { at } => {
                self.accepting_chats = true;
                *at
            }
            AgentEvent::ChatsDeclined { at } => {
                self.accepting_chats = false;
                *at
            }
            AgentEvent::LimitChanged { chat_limit, at } => {
                self.chat_limit = chat_limit.get() as i64;
                *at
            }
            AgentEvent::ProfileChanged { name, avatar, at } => {
                self.name = name.as_str().to_owned();
                self.avatar = avatar.as_ref().map(|avatar| avatar.as_str().to_owned());
                *at
            }
            AgentEvent::EmailChanged { email, at } => {
                self.email = email.as_str().to_owned();
                *at
            }
            AgentEvent::RoleChanged { role, at } => {
                self.role = *role;
                *at
            }
            AgentEvent::SlotTaken { at, .. } => {
                self.active_chats += 1;
                *at
            }
            AgentEvent::SlotFreed { at, .. } => {
                self.active_chats -= 1;
                *at
            }
            AgentEvent::AgentDeleted { at } => {
                self.deleted = true;
                self.status = AgentStatus::Offline;
                *at
            }
            AgentEvent::AgentRestored { at } => {
                self.deleted = false;
                *at
            }
        };
    }
}

impl ViewRow for AgentRow {
    const TABLE: ViewTable = ViewTable {
        name: "agents",
        columns: &[
            "id",
            "name",
            "email",
            "search_text",
            "role",
            "status",
            "accepting_chats",
            "max_concurrent_chats",
            "active_chats",
            "avatar",
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
            id: AgentId::from_uuid(row.uuid("id")?),
            name: row.text("name")?,
            email: row.text("email")?,
            role: named(row, "role", "a role")?,
            status: named(row, "status", "a status of an agent")?,
            accepting_chats: row.bool("accepting_chats")?,
            chat_limit: row.int("max_concurrent_chats")?,
            active_chats: row.int("active_chats")?,
            avatar: row.opt_text("avatar")?,
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
            &self.email,
            fold(&format!("{}\n{}", self.name, self.email)),
            self.role.as_str(),
            self.status.as_str(),
            self.accepting_chats,
            self.chat_limit,
            self.active_chats,
            self.avatar.clone(),
            self.deleted,
            self.created_at,
            self.updated_at,
            self.version,
            self.created_position,
        ]
    }
}
