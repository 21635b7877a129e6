use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use application::ports::{LogEvent, Position};
use async_trait::async_trait;
use domain::conversation::ConversationEvent;
use domain::event::AnyEvent;
use domain::ids::EntityId;
use domain::thread::ThreadEvent;
use domain::visitor::ERASED;
use infrastructure::database::{DatabaseError, Transaction, placeholders};
use infrastructure::sql_args;
use infrastructure::subscription::{HandleError, Subscriber, View, names};
use uuid::Uuid;

use super::words::{stem, words};
use crate::erasure::{is_erasure, parts};
use crate::error::poison;
use crate::rows::fetch_by_id;
use crate::table::ViewTable;

pub(crate) const CHATS_TABLE: ViewTable = ViewTable { name: "search_chats", columns: &["id", "created_position"] };

pub(crate) const WORDS_TABLE: ViewTable = ViewTable { name: "search_words", columns: &["word", "created_position"] };

/// Too short to be noticed by a person who types.
const PATIENCE: Duration = Duration::from_millis(50);

/// Fills `search_chats` and `search_words`.
#[derive(Clone, Copy, Debug, Default)]
pub struct SearchProjector;

#[async_trait]
impl Subscriber for SearchProjector {
    fn name(&self) -> &'static str {
        names::SEARCH
    }

    fn version(&self) -> i64 {
        1
    }

    /// No answer to a change waits for it.
    fn patience(&self) -> Duration {
        PATIENCE
    }

    fn handles(&self, event: &AnyEvent) -> bool {
        matches!(
            event,
            AnyEvent::Conversation(
                ConversationEvent::ChatStarted { .. } | ConversationEvent::VisitorCardChanged { .. }
            ) | AnyEvent::Thread(ThreadEvent::MessageSent { .. })
        ) || is_erasure(event)
    }

    async fn handle(&self, events: &[Arc<LogEvent>], tx: &mut Transaction) -> Result<(), HandleError> {
        for (events, erasure) in parts(events) {
            project_part(events, tx).await?;
            if let Some(erasure) = erasure {
                forget(tx, &erasure.conversations()).await?;
            }
        }
        Ok(())
    }
}

impl View for SearchProjector {
    fn tables(&self) -> &'static [&'static str] {
        &[CHATS_TABLE.name, WORDS_TABLE.name]
    }
}

async fn project_part(events: &[Arc<LogEvent>], tx: &mut Transaction) -> Result<(), HandleError> {
    let begun = begun(events);
    let stored = stored(tx, events, &begun).await?;
    let mut found = vec![];
    for event in events {
        let texts = texts(&event.event);
        if texts.is_empty() {
            continue;
        }
        let chat = conversation(event);
        let position = begun.get(&chat).or_else(|| stored.get(&chat)).copied();
        let position = position.ok_or_else(|| poison(event, "text of a conversation that the search lacks"))?;
        for word in texts.into_iter().flat_map(words) {
            found.extend(stem(&word).map(|stem| (stem, position)));
            found.push((word, position));
        }
    }
    found.sort_unstable();
    found.dedup();
    let chats = begun.into_iter().map(|(chat, position)| sql_args![chat, position]).collect();
    tx.insert_many(CHATS_TABLE.name, CHATS_TABLE.columns, chats).await?;
    Ok(insert_new(tx, found).await?)
}

/// Removes conversations from the search of which something was erased. Their agents' words go, too: the table does not know
/// the author of a word, and agents repeat names. No index leads from a conversation to its words, so that the whole table is
/// walked: erasures are rare, and messages are not.
async fn forget(tx: &mut Transaction, conversations: &[Uuid]) -> Result<(), DatabaseError> {
    let rows = fetch_by_id(tx, CHATS_TABLE.name, conversations).await?;
    let places = rows.iter().map(|row| row.int("created_position")).collect::<Result<Vec<_>, _>>()?;
    for chunk in places.chunks(CHUNK) {
        let sql = format!("DELETE FROM search_words WHERE created_position IN ({})", placeholders(chunk.len()));
        tx.enqueue(&sql, chunk.iter().flat_map(|place| sql_args![*place]).collect()).await?;
    }
    Ok(())
}

/// The conversations that begin.
fn begun(events: &[Arc<LogEvent>]) -> BTreeMap<Uuid, Position> {
    let is_start = |event: &AnyEvent| matches!(event, AnyEvent::Conversation(ConversationEvent::ChatStarted { .. }));
    let starts = events.iter().filter(|event| is_start(&event.event));
    starts.map(|event| (event.header.aggregate_id, event.header.position)).collect()
}

fn conversation(event: &LogEvent) -> Uuid {
    if let AnyEvent::Thread(ThreadEvent::MessageSent { conversation_id, .. }) = &event.event {
        conversation_id.uuid()
    } else {
        event.header.aggregate_id
    }
}

/// What people can search in.
fn texts(event: &AnyEvent) -> Vec<&str> {
    match event {
        AnyEvent::Thread(ThreadEvent::MessageSent { text, .. }) if text.as_str() == ERASED => vec![],
        AnyEvent::Thread(ThreadEvent::MessageSent { text, .. }) => vec![text.as_str()],
        AnyEvent::Conversation(
            ConversationEvent::ChatStarted { visitor, .. } | ConversationEvent::VisitorCardChanged { visitor, .. },
        ) => {
            let name = visitor.name.as_ref().map(domain::text::Name::as_str);
            let email = visitor.email.as_ref().map(domain::text::EmailAddress::as_str);
            name.into_iter().chain(email).collect()
        }
        AnyEvent::Conversation(
            ConversationEvent::AgentAssigned { .. }
            | ConversationEvent::ChatReturnedToQueue { .. }
            | ConversationEvent::ChatClosed { .. }
            | ConversationEvent::ChatReopened { .. }
            | ConversationEvent::ChatTagged { .. }
            | ConversationEvent::ChatUntagged { .. },
        )
        | AnyEvent::Thread(
            ThreadEvent::ThreadStarted { .. }
            | ThreadEvent::AgentJoined { .. }
            | ThreadEvent::AgentLeft { .. }
            | ThreadEvent::GroupChanged { .. }
            | ThreadEvent::ThreadClosed { .. }
            | ThreadEvent::MessagesRead { .. },
        )
        | AnyEvent::Agent(_)
        | AnyEvent::Visitor(_)
        | AnyEvent::Group(_)
        | AnyEvent::Tag(_)
        | AnyEvent::EmailClaim(_)
        | AnyEvent::TagNameClaim(_)
        | AnyEvent::Workspace(_) => vec![],
    }
}

/// The places of the conversations that have begun before.
async fn stored(
    tx: &mut Transaction,
    events: &[Arc<LogEvent>],
    begun: &BTreeMap<Uuid, Position>,
) -> Result<BTreeMap<Uuid, Position>, DatabaseError> {
    let unknown: BTreeSet<_> =
        events.iter().map(|event| conversation(event)).filter(|chat| !begun.contains_key(chat)).collect();
    let unknown: Vec<_> = unknown.into_iter().collect();
    let rows = fetch_by_id(tx, CHATS_TABLE.name, &unknown).await?;
    rows.iter().map(|row| Ok((row.uuid("id")?, row.int("created_position")?))).collect()
}

/// The most rows of a statement.
const CHUNK: usize = 256;

/// Every statement has a power of two of rows, so that there are few of them: what lacks is filled up with a row that is
/// there already.
async fn insert_new(tx: &mut Transaction, found: Vec<(String, Position)>) -> Result<(), DatabaseError> {
    let mut found = found.into_iter();
    while found.len() > 0 {
        let mut args: Vec<_> =
            found.by_ref().take(CHUNK).flat_map(|(word, position)| sql_args![word, position]).collect();
        let size = (args.len() / 2).next_power_of_two();
        for at in args.len()..size * 2 {
            args.push(args[at % 2].clone());
        }
        let values = vec!["(?, ?)"; size].join(", ");
        let sql = format!("{} INTO search_words (word, created_position) VALUES {values}", tx.dialect().insert_new());
        tx.enqueue(&sql, args).await?;
    }
    Ok(())
}
