use std::collections::BTreeSet;

use application::ports::{EventHeader, Position, Sequence};
use domain::conversation::{ConversationEvent, ConversationStatus, Participant, QueueReason, VisitorCard};
use domain::ids::{AgentId, ConversationId, EntityId, GroupId, TagId, ThreadId, VisitorId};
use domain::time::Timestamp;
use infrastructure::database::{Row, RowError, SqlValue};
use infrastructure::sql_args;
use serde::Serialize;
use uuid::Uuid;

use super::readers::{ReaderKind, SeenUpTo};

use crate::rows::ViewRow;
use crate::sql::{document, named, unexpected};
use crate::table::ViewTable;

/// The stored form of a [`ConversationView`](super::ConversationView).
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ConversationRow {
    pub(crate) id: ConversationId,
    pub(crate) status: ConversationStatus,
    pub(crate) visitor_id: VisitorId,
    pub(crate) visitor_name: Option<String>,
    pub(crate) visitor_email: Option<String>,
    pub(crate) visitor_phone: Option<String>,
    pub(crate) group_id: GroupId,
    pub(crate) assigned_agent_id: Option<AgentId>,
    pub(crate) last_agent_id: Option<AgentId>,
    pub(crate) active_thread_id: Option<ThreadId>,
    pub(crate) thread_ids: Vec<ThreadId>,
    pub(crate) tag_ids: BTreeSet<TagId>,
    /// Its place in the queue. It is kept while an agent serves the chat, which gets it back when the agent drops it.
    pub(crate) arrival: Position,
    /// The last event with which it began to wait.
    pub(crate) began_to_wait: Position,
    pub(crate) waiting_since: Option<Timestamp>,
    pub(crate) last_message_at: Option<Timestamp>,
    pub(crate) created_at: Timestamp,
    pub(crate) closed_at: Option<Timestamp>,
    pub(crate) closed_by: Option<Participant>,
    pub(crate) version: Sequence,
    /// The visitor's messages that no agent has seen.
    pub(crate) unread_by_agents: i64,
    /// The agents' messages that the visitor has not seen.
    pub(crate) unread_by_visitor: i64,
    /// How far each reader has come, in the order of their first mark.
    pub(crate) seen_up_to: Vec<SeenUpTo>,
    /// The last event that changed this row.
    pub(crate) position: Position,
    pub(crate) created_position: Position,
}

impl ConversationRow {
    /// The row of a chat that has just begun.
    pub(crate) fn started(
        header: &EventHeader,
        visitor: &VisitorCard,
        group_id: GroupId,
        thread_id: ThreadId,
        at: Timestamp,
    ) -> Self {
        let mut row = Self {
            id: ConversationId::from_uuid(header.aggregate_id),
            status: ConversationStatus::Pending,
            visitor_id: visitor.id,
            visitor_name: None,
            visitor_email: None,
            visitor_phone: None,
            group_id,
            assigned_agent_id: None,
            last_agent_id: None,
            active_thread_id: Some(thread_id),
            thread_ids: vec![thread_id],
            tag_ids: BTreeSet::new(),
            arrival: header.position,
            began_to_wait: header.position,
            waiting_since: Some(at),
            last_message_at: None,
            created_at: at,
            closed_at: None,
            closed_by: None,
            unread_by_agents: 0,
            unread_by_visitor: 0,
            seen_up_to: vec![],
            version: header.sequence,
            position: header.position,
            created_position: header.position,
        };
        row.introduce(visitor);
        row
    }

    fn introduce(&mut self, visitor: &VisitorCard) {
        self.visitor_name = visitor.name.as_ref().map(|name| name.as_str().to_owned());
        self.visitor_email = visitor.email.as_ref().map(|email| email.as_str().to_owned());
        self.visitor_phone = visitor.phone.as_ref().map(|phone| phone.as_str().to_owned());
    }

    /// What an event of the conversation, other than its start, makes of the row.
    pub(crate) fn apply(&mut self, header: &EventHeader, event: &ConversationEvent) {
        self.version = header.sequence;
        self.position = header.position;
        match event {
            ConversationEvent::ChatStarted { .. } => {}
            ConversationEvent::AgentAssigned { agent_id, .. } => {
                self.status = ConversationStatus::Active;
                self.assigned_agent_id = Some(*agent_id);
                self.last_agent_id = Some(*agent_id);
                self.waiting_since = None;
            }
            ConversationEvent::ChatReturnedToQueue { group_id, reason, at, .. } => {
                self.group_id = *group_id;
                self.assigned_agent_id = None;
                // The router's rule (domain::routing): a transfer is a new request to another team.
                let arrival = if *reason == QueueReason::Transferred { header.position } else { self.arrival };
                self.wait(arrival, header.position, *at);
            }
            ConversationEvent::ChatClosed { by, at, .. } => {
                self.status = ConversationStatus::Closed;
                self.assigned_agent_id = None;
                self.active_thread_id = None;
                self.waiting_since = None;
                self.closed_at = Some(*at);
                self.closed_by = Some(*by);
            }
            ConversationEvent::ChatReopened { thread_id, group_id, at, .. } => {
                self.group_id = *group_id;
                self.active_thread_id = Some(*thread_id);
                self.thread_ids.push(*thread_id);
                self.closed_at = None;
                self.closed_by = None;
                self.wait(header.position, header.position, *at);
            }
            ConversationEvent::ChatTagged { tag_id, .. } => {
                self.tag_ids.insert(*tag_id);
            }
            ConversationEvent::ChatUntagged { tag_id, .. } => {
                self.tag_ids.remove(tag_id);
            }
            ConversationEvent::VisitorCardChanged { visitor, .. } => self.introduce(visitor),
        }
    }

    /// Counts a message as unread by the other side, and as the last one.
    pub(crate) fn note_message(&mut self, header: &EventHeader, author: Participant, at: Timestamp) {
        self.last_message_at = Some(at);
        self.position = header.position;
        match author {
            Participant::Visitor(_) => self.unread_by_agents += 1,
            Participant::Agent(_) => self.unread_by_visitor += 1,
        }
    }

    /// Notes how far a reader has come. `unread` counts for the reader's side if none of it has come further.
    pub(crate) fn note_reading(&mut self, header: &EventHeader, reader: Participant, up_to: Position, unread: u32) {
        self.position = header.position;
        let reader = SeenUpTo { position: up_to, ..reader.into() };
        let of_side = self.seen_up_to.iter().filter(|one| one.kind == reader.kind);
        if of_side.map(|one| one.position).max().is_none_or(|furthest| furthest < up_to) {
            match reader.kind {
                ReaderKind::Visitor => self.unread_by_visitor = unread.into(),
                ReaderKind::Agent => self.unread_by_agents = unread.into(),
            }
        }
        match self.seen_up_to.iter_mut().find(|one| (one.kind, one.id) == (reader.kind, reader.id)) {
            Some(known) => known.position = known.position.max(up_to),
            None => self.seen_up_to.push(reader),
        }
    }

    fn wait(&mut self, arrival: Position, began: Position, at: Timestamp) {
        self.status = ConversationStatus::Pending;
        self.arrival = arrival;
        self.began_to_wait = began;
        self.waiting_since = Some(at);
    }

    /// Its place in its group's queue, while it waits.
    pub(crate) fn queue_arrival(&self) -> Option<Position> {
        (self.status == ConversationStatus::Pending).then_some(self.arrival)
    }

    /// Its place among all that wait, by the beginning of their wait.
    pub(crate) fn waiting_position(&self) -> Option<Position> {
        (self.status == ConversationStatus::Pending).then_some(self.began_to_wait)
    }

    /// The agent whose list has it: the one that serves it, or served it when it was closed.
    pub(crate) fn listed_agent_id(&self) -> Option<AgentId> {
        match self.status {
            ConversationStatus::Pending => None,
            ConversationStatus::Active => self.assigned_agent_id,
            ConversationStatus::Closed => self.last_agent_id,
        }
    }
}

impl ViewRow for ConversationRow {
    const TABLE: ViewTable = ViewTable {
        name: "conversations",
        columns: &[
            "created_position",
            "id",
            "status",
            "visitor_id",
            "visitor_name",
            "visitor_email",
            "visitor_phone",
            "group_id",
            "assigned_agent_id",
            "listed_agent_id",
            "last_agent_id",
            "active_thread_id",
            "thread_ids",
            "tag_ids",
            "queue_arrival",
            "arrival",
            "waiting_position",
            "waiting_since_us",
            "last_message_us",
            "created_us",
            "closed_us",
            "closed_by_type",
            "closed_by_id",
            "unread_by_agents",
            "unread_by_visitor",
            "seen_up_to",
            "version",
            "position",
        ],
    };

    fn id(&self) -> Uuid {
        self.id.uuid()
    }

    fn read(row: &Row) -> Result<Self, RowError> {
        Ok(Self {
            id: ConversationId::from_uuid(row.uuid("id")?),
            status: named(row, "status", "a status of a conversation")?,
            visitor_id: VisitorId::from_uuid(row.uuid("visitor_id")?),
            visitor_name: row.opt_text("visitor_name")?,
            visitor_email: row.opt_text("visitor_email")?,
            visitor_phone: row.opt_text("visitor_phone")?,
            group_id: GroupId::from_uuid(row.uuid("group_id")?),
            assigned_agent_id: row.opt_uuid("assigned_agent_id")?.map(AgentId::from_uuid),
            last_agent_id: row.opt_uuid("last_agent_id")?.map(AgentId::from_uuid),
            active_thread_id: row.opt_uuid("active_thread_id")?.map(ThreadId::from_uuid),
            thread_ids: document(row, "thread_ids", "a list of ids")?,
            tag_ids: document(row, "tag_ids", "a list of ids")?,
            arrival: row.int("arrival")?,
            began_to_wait: row.opt_int("waiting_position")?.unwrap_or_default(),
            waiting_since: row.opt_int("waiting_since_us")?.map(Timestamp::from_micros),
            last_message_at: row.opt_int("last_message_us")?.map(Timestamp::from_micros),
            created_at: Timestamp::from_micros(row.int("created_us")?),
            closed_at: row.opt_int("closed_us")?.map(Timestamp::from_micros),
            closed_by: closed_by(row)?,
            unread_by_agents: row.int("unread_by_agents")?,
            unread_by_visitor: row.int("unread_by_visitor")?,
            seen_up_to: document(row, "seen_up_to", "a list of readers")?,
            version: row.int("version")?,
            position: row.int("position")?,
            created_position: row.int("created_position")?,
        })
    }

    fn values(&self) -> Vec<SqlValue> {
        let closed_by = self.closed_by.map(kind_and_id);
        sql_args![
            self.created_position,
            self.id.uuid(),
            self.status.as_str(),
            self.visitor_id.uuid(),
            self.visitor_name.clone(),
            self.visitor_email.clone(),
            self.visitor_phone.clone(),
            self.group_id.uuid(),
            self.assigned_agent_id.map(EntityId::uuid),
            self.listed_agent_id().map(EntityId::uuid),
            self.last_agent_id.map(EntityId::uuid),
            self.active_thread_id.map(EntityId::uuid),
            json(&self.thread_ids),
            json(&self.tag_ids),
            self.queue_arrival(),
            self.arrival,
            self.waiting_position(),
            self.waiting_since,
            self.last_message_at,
            self.created_at,
            self.closed_at,
            closed_by.map(|(kind, _)| kind),
            closed_by.map(|(_, id)| id),
            self.unread_by_agents,
            self.unread_by_visitor,
            json(&self.seen_up_to),
            self.version,
            self.position,
        ]
    }
}

fn json(list: &impl Serialize) -> String {
    serde_json::to_string(list).expect("lists of ids and of readers can be written as JSON")
}

fn kind_and_id(participant: Participant) -> (&'static str, Uuid) {
    match participant {
        Participant::Visitor(id) => ("visitor", id.uuid()),
        Participant::Agent(id) => ("agent", id.uuid()),
    }
}

fn closed_by(row: &Row) -> Result<Option<Participant>, RowError> {
    let Some(id) = row.opt_uuid("closed_by_id")? else { return Ok(None) };
    match row.text("closed_by_type")?.as_str() {
        "visitor" => Ok(Some(Participant::Visitor(VisitorId::from_uuid(id)))),
        "agent" => Ok(Some(Participant::Agent(AgentId::from_uuid(id)))),
        _ => Err(unexpected("closed_by_type", "visitor or agent")),
    }
}
