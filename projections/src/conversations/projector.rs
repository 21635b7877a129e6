use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use application::ports::LogEvent;
use async_trait::async_trait;
use domain::conversation::ConversationEvent;
use domain::event::AnyEvent;
use domain::ids::EntityId;
use domain::thread::ThreadEvent;
use domain::time::Timestamp;
use infrastructure::database::{Transaction, placeholders};
use infrastructure::sql_args;
use infrastructure::subscription::{HandleError, Subscriber, View, names};
use uuid::Uuid;

use super::{CLOCK_TABLE, COUNTS_TABLE, ConversationRow, TAGS_TABLE, counts, tags, time_range};
use crate::erasure::{is_erasure, parts};
use crate::error::poison;
use crate::rows::{Rows, ViewRow, aggregate_ids, fetch_by_id, id_args};
use crate::sql::filled_chunks;

/// The erased person is the visitor of the conversations that the erasure names.
const ERASE: &str =
    "UPDATE conversations SET visitor_name = NULL, visitor_email = NULL, visitor_phone = NULL WHERE id IN ({})";

/// Fills `conversations`, and what lists and counts of them are read from.
#[derive(Clone, Copy, Debug, Default)]
pub struct ConversationsProjector;

#[async_trait]
impl Subscriber for ConversationsProjector {
    fn name(&self) -> &'static str {
        names::CONVERSATIONS
    }

    fn version(&self) -> i64 {
        2
    }

    fn handles(&self, event: &AnyEvent) -> bool {
        matches!(event, AnyEvent::Conversation(_) | AnyEvent::Thread(ThreadEvent::MessageSent { .. }))
            || is_erasure(event)
    }

    async fn handle(&self, events: &[Arc<LogEvent>], tx: &mut Transaction) -> Result<(), HandleError> {
        for (events, erasure) in parts(events) {
            project_part(events, tx).await?;
            if let Some(erasure) = erasure {
                erasure.write_chats(tx, ERASE).await?;
            }
        }
        Ok(())
    }
}

impl View for ConversationsProjector {
    fn tables(&self) -> &'static [&'static str] {
        &[ConversationRow::TABLE.name, TAGS_TABLE.name, COUNTS_TABLE.name, CLOCK_TABLE.name]
    }
}

async fn project_part(events: &[Arc<LogEvent>], tx: &mut Transaction) -> Result<(), HandleError> {
    let own = events.iter().map(AsRef::as_ref).filter(|event| matches!(event.event, AnyEvent::Conversation(_)));
    let mut fold = Fold { rows: Rows::load(tx, aggregate_ids(own)).await?, messages: BTreeMap::new() };
    for event in events {
        fold.apply(event)?;
    }
    fold.save(tx).await
}

/// What a page makes of the conversations.
struct Fold<'a> {
    /// Those of which more changes than the last message.
    rows: Rows<ConversationRow>,
    /// The last message of the others: most pages hold nothing else, and for these no row is read.
    messages: BTreeMap<Uuid, LastMessage<'a>>,
}

#[derive(Clone, Copy)]
struct LastMessage<'a> {
    conversation_id: Uuid,
    at: Timestamp,
    event: &'a LogEvent,
}

impl<'a> Fold<'a> {
    fn apply(&mut self, event: &'a LogEvent) -> Result<(), HandleError> {
        match &event.event {
            AnyEvent::Conversation(change) => self.on_conversation(event, change),
            AnyEvent::Thread(ThreadEvent::MessageSent { conversation_id, at, .. }) => {
                self.on_message(event, conversation_id.uuid(), *at);
                Ok(())
            }
            // Others change no conversation; an erasure ends the part and is applied after it.
            AnyEvent::Thread(
                ThreadEvent::ThreadStarted { .. }
                | ThreadEvent::AgentJoined { .. }
                | ThreadEvent::AgentLeft { .. }
                | ThreadEvent::GroupChanged { .. }
                | ThreadEvent::ThreadClosed { .. },
            )
            | AnyEvent::Agent(_)
            | AnyEvent::Visitor(_)
            | AnyEvent::Group(_)
            | AnyEvent::Tag(_)
            | AnyEvent::EmailClaim(_)
            | AnyEvent::TagNameClaim(_)
            | AnyEvent::Workspace(_) => Ok(()),
        }
    }

    fn on_conversation(&mut self, event: &LogEvent, change: &ConversationEvent) -> Result<(), HandleError> {
        if let ConversationEvent::ChatStarted { visitor, group_id, thread_id, at, .. } = change {
            let row = ConversationRow::started(&event.header, visitor, *group_id, *thread_id, *at);
            return self.rows.create(event, row);
        }
        self.rows.change(event)?.apply(&event.header, change);
        Ok(())
    }

    fn on_message(&mut self, event: &'a LogEvent, conversation_id: Uuid, at: Timestamp) {
        match self.rows.find(conversation_id) {
            Some(row) => {
                row.last_message_at = Some(at);
                row.position = event.header.position;
            }
            None => {
                self.messages.insert(conversation_id, LastMessage { conversation_id, at, event });
            }
        }
    }

    async fn save(self, tx: &mut Transaction) -> Result<(), HandleError> {
        counts::save(tx, self.rows.changes()).await?;
        tags::save(tx, self.rows.changes()).await?;
        time_range::save(tx, self.rows.changes()).await?;
        self.rows.save(tx).await?;
        let messages: Vec<_> = self.messages.into_values().collect();
        for chunk in filled_chunks(&messages) {
            save_messages(tx, &chunk).await?;
        }
        Ok(())
    }
}

/// Notes the last messages of conversations of which nothing else changes, in one statement.
async fn save_messages(tx: &mut Transaction, messages: &[LastMessage<'_>]) -> Result<(), HandleError> {
    let cases = "WHEN ? THEN ? ".repeat(messages.len());
    let ids: Vec<_> = messages.iter().map(|message| message.conversation_id).collect();
    let sql = format!(
        "UPDATE conversations SET last_message_us = CASE id {cases}END, position = CASE id {cases}END WHERE id IN ({})",
        placeholders(ids.len())
    );
    let times = messages.iter().flat_map(|message| sql_args![message.conversation_id, message.at]);
    let positions =
        messages.iter().flat_map(|message| sql_args![message.conversation_id, message.event.header.position]);
    let args = times.chain(positions).chain(id_args(&ids)).collect();
    let there = ids.iter().collect::<BTreeSet<_>>().len() as u64;
    if tx.expect(there, &sql, args).await? { Ok(()) } else { Err(lost(tx, messages, &ids).await?) }
}

/// Finds the message without a conversation.
async fn lost(tx: &mut Transaction, messages: &[LastMessage<'_>], ids: &[Uuid]) -> Result<HandleError, HandleError> {
    let rows = fetch_by_id(tx, ConversationRow::TABLE.name, ids).await?;
    let there = rows.iter().map(|row| row.uuid("id")).collect::<Result<BTreeSet<_>, _>>()?;
    let lost = messages.iter().find(|message| !there.contains(&message.conversation_id)).unwrap_or(&messages[0]);
    Ok(poison(lost.event, "message in a conversation that the view does not have"))
}
