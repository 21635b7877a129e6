use std::collections::BTreeMap;

use application::process_managers::router::RoutingSnapshot;
use domain::ids::{AgentId, ConversationId, EntityId, GroupId, WorkspaceId};
use domain::routing::WaitingChat;
use domain::time::Timestamp;
use infrastructure::database::{Database, DatabaseError, Row, RowError};
use infrastructure::sql_args;
use serde::de::DeserializeOwned;

use super::parts::{AGENT, DEFAULT_GROUP, GIVER, GROUP, SERVED};
use crate::sql;

/// All that is stored of the router's state.
pub(super) async fn read(database: &Database) -> Result<RoutingSnapshot, DatabaseError> {
    Ok(RoutingSnapshot {
        agents: documents::<AgentId, _>(database, AGENT).await?,
        groups: documents::<GroupId, _>(database, GROUP).await?,
        waiting: waiting(database, documents(database, GIVER).await?).await?,
        served: documents::<ConversationId, _>(database, SERVED).await?,
        default_group_id: documents::<WorkspaceId, _>(database, DEFAULT_GROUP).await?.remove(&WorkspaceId::ONLY),
    })
}

async fn documents<I: EntityId + Ord, T: DeserializeOwned>(
    database: &Database,
    kind: &str,
) -> Result<BTreeMap<I, T>, DatabaseError> {
    const SQL: &str = "SELECT id, document FROM routing_state WHERE kind = ?";
    let rows = database.fetch_all(SQL, sql_args![kind]).await?;
    let entry = |row: &Row| Ok((I::from_uuid(row.uuid("id")?), sql::document(row, "document", "a part of a router")?));
    rows.iter().map(entry).collect()
}

async fn waiting(
    database: &Database,
    givers: BTreeMap<ConversationId, AgentId>,
) -> Result<BTreeMap<ConversationId, WaitingChat>, DatabaseError> {
    let rows = database.fetch_all("SELECT * FROM routing_queue", vec![]).await?;
    let mut chats: BTreeMap<_, _> = rows.iter().map(waiting_chat).collect::<Result<_, _>>()?;
    for (id, agent_id) in givers {
        if let Some(chat) = chats.get_mut(&id) {
            chat.given_back_by = Some(agent_id);
        }
    }
    Ok(chats)
}

/// A row of `routing_queue`, without the agent who gave the chat back.
pub(super) fn waiting_chat(row: &Row) -> Result<(ConversationId, WaitingChat), RowError> {
    let chat = WaitingChat {
        group_id: GroupId::from_uuid(row.uuid("group_id")?),
        arrival: row.int("arrival")?,
        waiting_since: row.int("waiting_since")?,
        since: Timestamp::from_micros(row.int("since_us")?),
        last_agent_id: row.opt_uuid("last_agent_id")?.map(AgentId::from_uuid),
        given_back_by: None,
        attempts: u32::try_from(row.int("attempts")?).map_err(|_| sql::unexpected("attempts", "a count"))?,
        next_attempt_at: row.opt_int("next_attempt_us")?.map(Timestamp::from_micros),
    };
    Ok((ConversationId::from_uuid(row.uuid("conversation_id")?), chat))
}
