use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use application::ports::LogEvent;
use async_trait::async_trait;
use domain::event::AnyEvent;
use domain::ids::{ConversationId, EntityId};
use domain::thread::ThreadEvent;
use domain::visitor::ERASED;
use infrastructure::database::{SqlValue, Transaction};
use infrastructure::sql_args;
use infrastructure::subscription::{HandleError, Subscriber, View, names};
use uuid::Uuid;

use super::ThreadEventView;
use crate::erasure::{is_erasure, parts};
use crate::error::poison;
use crate::rows::fetch_by_id;
use crate::table::ViewTable;

pub(crate) const THREADS_TABLE: ViewTable = ViewTable { name: "threads", columns: &["id", "conversation_id"] };

pub(crate) const EVENTS_TABLE: ViewTable = ViewTable {
    name: "thread_events",
    columns: &[
        "position",
        "id",
        "thread_id",
        "conversation_id",
        "kind",
        "author_type",
        "author_id",
        "content",
        "system_type",
        "client_event_id",
        "metadata",
        "created_us",
    ],
};

/// As a rebuild finds them in the log.
const ERASE: &str = "UPDATE thread_events SET content = ?, client_event_id = NULL, metadata = NULL
    WHERE position IN ({})";

/// Fills `threads` and `thread_events`.
#[derive(Clone, Copy, Debug, Default)]
pub struct ThreadEventsProjector;

#[async_trait]
impl Subscriber for ThreadEventsProjector {
    fn name(&self) -> &'static str {
        names::THREAD_EVENTS
    }

    fn version(&self) -> i64 {
        2
    }

    fn handles(&self, event: &AnyEvent) -> bool {
        matches!(event, AnyEvent::Thread(_)) || is_erasure(event)
    }

    async fn handle(&self, events: &[Arc<LogEvent>], tx: &mut Transaction) -> Result<(), HandleError> {
        for (events, erasure) in parts(events) {
            project_part(events, tx).await?;
            if let Some(erasure) = erasure {
                erasure.write(tx, ERASE, sql_args![ERASED]).await?;
            }
        }
        Ok(())
    }
}

impl View for ThreadEventsProjector {
    fn tables(&self) -> &'static [&'static str] {
        &[THREADS_TABLE.name, EVENTS_TABLE.name]
    }
}

async fn project_part(events: &[Arc<LogEvent>], tx: &mut Transaction) -> Result<(), HandleError> {
    let mut conversations = stored_conversations(tx, events).await?;
    let mut threads: Vec<Vec<SqlValue>> = vec![];
    let mut rows = vec![];
    for event in events {
        let AnyEvent::Thread(thread_event) = &event.event else { continue };
        let thread_id = event.header.aggregate_id;
        if let ThreadEvent::ThreadStarted { conversation_id, .. } = thread_event {
            threads.push(sql_args![thread_id, conversation_id.uuid()]);
            conversations.insert(thread_id, *conversation_id);
        }
        let conversation_id = named_conversation(thread_event).or_else(|| conversations.get(&thread_id).copied());
        let conversation_id =
            conversation_id.ok_or_else(|| poison(event, "event of a thread that the view does not have"))?;
        rows.extend(ThreadEventView::of(event, conversation_id).map(ThreadEventView::values));
    }
    tx.insert_many(THREADS_TABLE.name, THREADS_TABLE.columns, threads).await?;
    Ok(tx.insert_many(EVENTS_TABLE.name, EVENTS_TABLE.columns, rows).await?)
}

/// The conversation that an event names itself. Most are messages, so that most pages need no look-up.
const fn named_conversation(event: &ThreadEvent) -> Option<ConversationId> {
    match event {
        ThreadEvent::ThreadStarted { conversation_id, .. }
        | ThreadEvent::MessageSent { conversation_id, .. }
        | ThreadEvent::MessagesRead { conversation_id, .. } => Some(*conversation_id),
        ThreadEvent::AgentJoined { .. }
        | ThreadEvent::AgentLeft { .. }
        | ThreadEvent::GroupChanged { .. }
        | ThreadEvent::ThreadClosed { .. } => None,
    }
}

/// The conversations of the threads whose events do not name them.
async fn stored_conversations(
    tx: &mut Transaction,
    events: &[Arc<LogEvent>],
) -> Result<BTreeMap<Uuid, ConversationId>, HandleError> {
    let unnamed: BTreeSet<_> = events
        .iter()
        .filter(|event| matches!(&event.event, AnyEvent::Thread(event) if named_conversation(event).is_none()))
        .map(|event| event.header.aggregate_id)
        .collect();
    let unnamed: Vec<_> = unnamed.into_iter().collect();
    let mut conversations = BTreeMap::new();
    for row in fetch_by_id(tx, THREADS_TABLE.name, &unnamed).await? {
        conversations.insert(row.uuid("id")?, ConversationId::from_uuid(row.uuid("conversation_id")?));
    }
    Ok(conversations)
}
