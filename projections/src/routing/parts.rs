use application::process_managers::router::RoutingPart;
use domain::ids::{ConversationId, EntityId, WorkspaceId};
use domain::routing::WaitingChat;
use infrastructure::database::{DatabaseError, SqlValue, Transaction, placeholders};
use infrastructure::sql_args;
use serde::Serialize;
use uuid::Uuid;

use crate::rows::id_args;
use crate::sql::filled_chunks;
use crate::table::ViewTable;

/// Without the columns that come from attempts: they do not follow from the log.
pub(crate) const QUEUE_TABLE: ViewTable = ViewTable {
    name: "routing_queue",
    columns: &["conversation_id", "group_id", "arrival", "waiting_since", "since_us", "last_agent_id"],
};

pub(crate) const STATE_TABLE: ViewTable = ViewTable { name: "routing_state", columns: &["kind", "id", "document"] };

const WAITING_COLUMNS: [&str; 8] = [
    "conversation_id",
    "group_id",
    "arrival",
    "waiting_since",
    "since_us",
    "last_agent_id",
    "attempts",
    "next_attempt_us",
];

pub(super) const AGENT: &str = "agent";
pub(super) const GROUP: &str = "group";
pub(super) const SERVED: &str = "served";
/// The agents who gave waiting chats back.
pub(super) const GIVER: &str = "giver";
pub(super) const DEFAULT_GROUP: &str = "default_group";

/// Stores the parts in the place of what is stored of them.
pub(super) async fn save(tx: &mut Transaction, parts: &[RoutingPart]) -> Result<(), DatabaseError> {
    let mut writes = Writes::default();
    for part in parts {
        writes.add(part);
    }
    writes.run(tx).await
}

#[derive(Default)]
struct Writes {
    chats: Vec<Uuid>,
    agents: Vec<Uuid>,
    groups: Vec<Uuid>,
    workspaces: Vec<Uuid>,
    queue: Vec<Vec<SqlValue>>,
    state: Vec<Vec<SqlValue>>,
}

impl Writes {
    fn add(&mut self, part: &RoutingPart) {
        match part {
            RoutingPart::Agent(id, agent) => {
                self.agents.push(id.uuid());
                self.state.push(document(AGENT, id.uuid(), agent));
            }
            RoutingPart::Group(id, group) => {
                self.groups.push(id.uuid());
                self.state.push(document(GROUP, id.uuid(), group));
            }
            RoutingPart::DefaultGroup(id) => {
                self.workspaces.push(WorkspaceId::ONLY.uuid());
                self.state.push(document(DEFAULT_GROUP, WorkspaceId::ONLY.uuid(), id));
            }
            RoutingPart::Waiting(id, chat) => {
                self.chats.push(id.uuid());
                self.queue.push(waiting(*id, chat));
                self.state.extend(chat.given_back_by.map(|agent_id| document(GIVER, id.uuid(), &agent_id)));
            }
            RoutingPart::Served(id, arrival) => {
                self.chats.push(id.uuid());
                self.state.push(document(SERVED, id.uuid(), arrival));
            }
            RoutingPart::Gone(id) => self.chats.push(id.uuid()),
        }
    }

    async fn run(self, tx: &mut Transaction) -> Result<(), DatabaseError> {
        delete(tx, "DELETE FROM routing_queue WHERE conversation_id IN", None, &self.chats).await?;
        let kinds = [
            (SERVED, &self.chats),
            (GIVER, &self.chats),
            (AGENT, &self.agents),
            (GROUP, &self.groups),
            (DEFAULT_GROUP, &self.workspaces),
        ];
        for (kind, ids) in kinds {
            delete(tx, "DELETE FROM routing_state WHERE kind = ? AND id IN", Some(kind), ids).await?;
        }
        tx.insert_many(QUEUE_TABLE.name, &WAITING_COLUMNS, self.queue).await?;
        tx.insert_many(STATE_TABLE.name, STATE_TABLE.columns, self.state).await
    }
}

async fn delete(tx: &mut Transaction, sql: &str, kind: Option<&str>, ids: &[Uuid]) -> Result<(), DatabaseError> {
    for chunk in filled_chunks(ids) {
        let args = kind.map(SqlValue::from).into_iter().chain(id_args(&chunk)).collect();
        tx.enqueue(&format!("{sql} ({})", placeholders(chunk.len())), args).await?;
    }
    Ok(())
}

fn waiting(id: ConversationId, chat: &WaitingChat) -> Vec<SqlValue> {
    sql_args![
        id.uuid(),
        chat.group_id.uuid(),
        chat.arrival,
        chat.waiting_since,
        chat.since,
        chat.last_agent_id.map(EntityId::uuid),
        chat.attempts,
        chat.next_attempt_at,
    ]
}

fn document(kind: &str, id: Uuid, content: &impl Serialize) -> Vec<SqlValue> {
    let json = serde_json::to_string(content).expect("the router's state can be written as JSON");
    sql_args![kind, id, json]
}
