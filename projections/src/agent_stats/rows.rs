use domain::ids::{AgentId, CommandId, EntityId, ThreadId};
use domain::time::Timestamp;
use infrastructure::database::{Row, RowError, SqlValue};
use infrastructure::sql_args;
use uuid::Uuid;

use crate::rows::ViewRow;
use crate::table::ViewTable;

/// A row of `agent_chats`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ChatRow {
    pub(super) agent_id: AgentId,
    pub(super) thread_id: ThreadId,
    /// When the agent first joined.
    pub(super) began_at: Timestamp,
    /// When the agent joined last, while they serve the chat.
    pub(super) joined_at: Option<Timestamp>,
    /// How long they served it before that.
    pub(super) served_us: i64,
    pub(super) first_response_us: Option<i64>,
}

impl ChatRow {
    pub(super) const fn new(agent_id: AgentId, thread_id: ThreadId, at: Timestamp) -> Self {
        Self { agent_id, thread_id, began_at: at, joined_at: None, served_us: 0, first_response_us: None }
    }

    pub(super) fn id_of(agent_id: AgentId, thread_id: ThreadId) -> Uuid {
        CommandId::derived(&["agent_chats", &agent_id.to_string(), &thread_id.to_string()]).uuid()
    }

    /// The agent serves the chat no more, if they did.
    pub(super) fn leave(&mut self, at: Timestamp) {
        if let Some(joined_at) = self.joined_at.take() {
            self.served_us = self.served_us.saturating_add(micros(joined_at, at));
        }
    }

    pub(super) fn respond(&mut self, at: Timestamp) {
        if let (None, Some(joined_at)) = (self.first_response_us, self.joined_at) {
            self.first_response_us = Some(micros(joined_at, at));
        }
    }
}

fn micros(from: Timestamp, to: Timestamp) -> i64 {
    i64::try_from(to.since(from).as_micros()).unwrap_or(i64::MAX)
}

impl ViewRow for ChatRow {
    const TABLE: ViewTable = ViewTable {
        name: "agent_chats",
        columns: &["id", "agent_id", "thread_id", "began_us", "joined_us", "served_us", "first_response_us"],
    };

    fn id(&self) -> Uuid {
        Self::id_of(self.agent_id, self.thread_id)
    }

    fn read(row: &Row) -> Result<Self, RowError> {
        Ok(Self {
            agent_id: AgentId::from_uuid(row.uuid("agent_id")?),
            thread_id: ThreadId::from_uuid(row.uuid("thread_id")?),
            began_at: Timestamp::from_micros(row.int("began_us")?),
            joined_at: row.opt_int("joined_us")?.map(Timestamp::from_micros),
            served_us: row.int("served_us")?,
            first_response_us: row.opt_int("first_response_us")?,
        })
    }

    fn values(&self) -> Vec<SqlValue> {
        sql_args![
            self.id(),
            self.agent_id.uuid(),
            self.thread_id.uuid(),
            self.began_at,
            self.joined_at,
            self.served_us,
            self.first_response_us,
        ]
    }
}

/// A row of `agent_days`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct DayRow {
    pub(super) agent_id: AgentId,
    pub(super) day: i64,
    pub(super) chats: i64,
    pub(super) messages: i64,
}

impl DayRow {
    pub(super) const fn new(agent_id: AgentId, at: Timestamp) -> Self {
        Self { agent_id, day: at.day(), chats: 0, messages: 0 }
    }
}

impl ViewRow for DayRow {
    const TABLE: ViewTable = ViewTable { name: "agent_days", columns: &["id", "agent_id", "day", "chats", "messages"] };

    fn id(&self) -> Uuid {
        CommandId::derived(&["agent_days", &self.agent_id.to_string(), &self.day.to_string()]).uuid()
    }

    fn read(row: &Row) -> Result<Self, RowError> {
        Ok(Self {
            agent_id: AgentId::from_uuid(row.uuid("agent_id")?),
            day: row.int("day")?,
            chats: row.int("chats")?,
            messages: row.int("messages")?,
        })
    }

    fn values(&self) -> Vec<SqlValue> {
        sql_args![self.id(), self.agent_id.uuid(), self.day, self.chats, self.messages]
    }
}
