use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use application::ports::LogEvent;
use async_trait::async_trait;
use domain::conversation::{ConversationEvent, Participant};
use domain::event::AnyEvent;
use domain::ids::EntityId;
use domain::thread::{Messages, ThreadEvent};
use domain::time::Timestamp;
use infrastructure::database::{SqlValue, Transaction, placeholders};
use infrastructure::subscription::{HandleError, Subscriber, View, names};
use uuid::Uuid;

use super::{CLOCK_TABLE, COUNTS_TABLE, ConversationRow, TAGS_TABLE, counts, tags, time_range};
use crate::erasure::{is_erasure, parts};
use crate::error::poison;
use crate::rows::{Rows, ViewRow, fetch_by_id, id_args};
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
        3
    }

    fn handles(&self, event: &AnyEvent) -> bool {
        matches!(
            event,
            AnyEvent::Conversation(_)
                | AnyEvent::Thread(ThreadEvent::MessageSent { .. } | ThreadEvent::MessagesRead { .. })
        ) || is_erasure(event)
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
    let ids = events.iter().filter_map(|event| changed_row(event)).collect();
    let mut fold = Fold { rows: Rows::load(tx, ids).await?, messages: BTreeMap::new() };
    for event in events {
        fold.apply(event)?;
    }
    fold.save(tx).await
}

/// The conversation whose row is needed for an event.
fn changed_row(event: &LogEvent) -> Option<Uuid> {
    match &event.event {
        AnyEvent::Conversation(_) => Some(event.header.aggregate_id),
        AnyEvent::Thread(ThreadEvent::MessagesRead { conversation_id, .. }) => Some(conversation_id.uuid()),
        AnyEvent::Thread(_)
        | AnyEvent::Agent(_)
        | AnyEvent::Visitor(_)
        | AnyEvent::Group(_)
        | AnyEvent::Tag(_)
        | AnyEvent::EmailClaim(_)
        | AnyEvent::TagNameClaim(_)
        | AnyEvent::Workspace(_) => None,
    }
}

/// What a page makes of the conversations.
struct Fold<'a> {
    /// Those of which more changes than the last message.
    rows: Rows<ConversationRow>,
    /// The messages of the others: most pages hold nothing else, and for these no row is read.
    messages: BTreeMap<Uuid, NewMessages<'a>>,
}

/// New messages of a conversation, with the last one.
#[derive(Clone, Copy)]
struct NewMessages<'a> {
    conversation_id: Uuid,
    at: Timestamp,
    event: &'a LogEvent,
    count: Messages,
}

impl<'a> Fold<'a> {
    fn apply(&mut self, event: &'a LogEvent) -> Result<(), HandleError> {
        match &event.event {
            AnyEvent::Conversation(change) => self.on_conversation(event, change),
            AnyEvent::Thread(ThreadEvent::MessageSent { conversation_id, author, at, .. }) => {
                self.on_message(event, (conversation_id.uuid(), *author), *at);
                Ok(())
            }
            AnyEvent::Thread(ThreadEvent::MessagesRead { conversation_id, reader, up_to, unread, .. }) => {
                let row = self.rows.find(conversation_id.uuid());
                let row = row.ok_or_else(|| poison(event, "is of a conversation that the view does not have"))?;
                row.note_reading(&event.header, *reader, *up_to, *unread);
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

    fn on_message(&mut self, event: &'a LogEvent, (conversation_id, author): (Uuid, Participant), at: Timestamp) {
        if let Some(row) = self.rows.find(conversation_id) {
            return row.note_message(&event.header, author, at);
        }
        let none = NewMessages { conversation_id, at, event, count: Messages::default() };
        let new = self.messages.entry(conversation_id).or_insert(none);
        (new.at, new.event) = (at, event);
        new.count.add(author);
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

/// Notes the messages of conversations of which nothing else changes, in one statement.
async fn save_messages(tx: &mut Transaction, messages: &[NewMessages<'_>]) -> Result<(), HandleError> {
    let cases = format!("CASE id {}END", "WHEN ? THEN ? ".repeat(messages.len()));
    let ids: Vec<_> = messages.iter().map(|message| message.conversation_id).collect();
    let sql = format!(
        "UPDATE conversations SET last_message_us = {cases}, position = {cases},
            unread_by_agents = unread_by_agents + {cases}, unread_by_visitor = unread_by_visitor + {cases}
            WHERE id IN ({})",
        placeholders(ids.len())
    );
    let of_each = |value: fn(&NewMessages<'_>) -> SqlValue| {
        messages.iter().flat_map(move |one| [one.conversation_id.into(), value(one)])
    };
    let args = of_each(|one| one.at.into())
        .chain(of_each(|one| one.event.header.position.into()))
        .chain(of_each(|one| i64::from(one.count.of_visitor).into()))
        .chain(of_each(|one| i64::from(one.count.of_agents).into()))
        .chain(id_args(&ids))
        .collect();
    let there = ids.iter().collect::<BTreeSet<_>>().len() as u64;
    if tx.expect(there, &sql, args).await? { Ok(()) } else { Err(lost(tx, messages, &ids).await?) }
}

/// Finds the message without a conversation.
async fn lost(tx: &mut Transaction, messages: &[NewMessages<'_>], ids: &[Uuid]) -> Result<HandleError, HandleError> {
    let rows = fetch_by_id(tx, ConversationRow::TABLE.name, ids).await?;
    let there = rows.iter().map(|row| row.uuid("id")).collect::<Result<BTreeSet<_>, _>>()?;
    let lost = messages.iter().find(|message| !there.contains(&message.conversation_id)).unwrap_or(&messages[0]);
    Ok(poison(lost.event, "message in a conversation that the view does not have"))
}
