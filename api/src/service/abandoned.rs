//! Closes chats whose visitors have gone: each one keeps a slot of its agent from other visitors.

use std::sync::Arc;
use std::time::Duration;

use application::chat::CloseAbandoned;
use application::command_bus::CommandBus;
use application::ports::{Clock, Hash};
use domain::ids::{CommandId, EntityId as _};
use projections::conversations::{AbandonedChat, ConversationQueries};
use sha2::{Digest as _, Sha256};

use super::Refusal;

const ACTOR: &str = "system:abandoned";

/// The longest pause between two looks, and the shortest. In between it is a tenth of the time that abandons a chat.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);

/// The most chats of one look; the next look finds the others.
const AT_ONCE: u32 = 100;

/// Closes chats in which the last word was the agent's, a time ago.
pub struct AbandonedChats {
    /// Closes them.
    pub bus: CommandBus,
    /// Finds them.
    pub queries: ConversationQueries,
    /// The present time.
    pub clock: Arc<dyn Clock>,
    /// The time without a word of the visitor. Zero closes none.
    pub after: Duration,
}

impl AbandonedChats {
    /// Closes abandoned chats now and then until the task is dropped. Several nodes may do it at the same time.
    pub async fn run(self) {
        loop {
            self.clock.sleep((self.after / 10).clamp(SHORTEST_PAUSE, LONGEST_PAUSE)).await;
            if self.after.is_zero() {
                continue;
            }
            match self.close().await {
                Ok(0) => {}
                Ok(closed) => tracing::info!(closed, "chats are closed whose visitors have gone"),
                // The next look finds them again.
                Err(refusal) => tracing::warn!(code = refusal.code.as_str(), "abandoned chats stay open"),
            }
        }
    }

    /// Closes the chats that are abandoned now, and returns how many.
    ///
    /// # Errors
    /// When the database does not work.
    pub async fn close(&self) -> Result<usize, Refusal> {
        let before = self.clock.now().minus(self.after);
        let mut closed = 0;
        for chat in self.queries.list_abandoned(before, AT_ONCE).await? {
            let AbandonedChat { conversation_id, thread_id, .. } = chat;
            let (command_id, digest) = command(&chat);
            let context = self.bus.context(ACTOR.to_owned(), conversation_id.uuid()).repeatable(command_id, digest);
            let close = CloseAbandoned { conversation_id, thread_id };
            closed += usize::from(self.bus.execute(context, close).await?.receipt.is_some());
        }
        Ok(closed)
    }
}

/// The command follows from the last word: two nodes that close a chat do it once.
fn command(chat: &AbandonedChat) -> (CommandId, Hash) {
    let (id, word) = (chat.conversation_id.to_string(), chat.last_word.to_string());
    (CommandId::derived(&["abandoned", &id, &word]), Sha256::digest(format!("{id}@{word}")).into())
}
