use std::collections::BTreeMap;

use application::chat::ensure_thread_readable;
use application::ports::{AsOf, Position, Principal};
use domain::agent::Agent;
use domain::ids::{ConversationId, EventId, ThreadId};
use domain::text::Name;
use domain::thread::Thread;
use projections::Page;

use super::{NamedEvent, Reading, ReadingError, ShownThread};

impl Reading {
    /// Refuses callers who may not read a thread, as if it did not exist.
    ///
    /// # Errors
    /// That it does not exist, or why that could not be found out.
    pub async fn ensure_thread_readable(&self, principal: Principal, id: ThreadId) -> Result<(), ReadingError> {
        Ok(ensure_thread_readable(&self.bus, principal, id).await?)
    }

    /// The messages and system events of a thread after a position. Whether the caller may read them is asked before, by
    /// [`Self::ensure_thread_readable`].
    ///
    /// # Errors
    /// When the log or the view cannot be read.
    pub async fn list_thread_events(
        &self,
        id: ThreadId,
        (after, limit): (Position, u32),
        as_of: AsOf,
    ) -> Result<Page<NamedEvent>, ReadingError> {
        let Page { data, next_cursor } = self.threads.list_thread_events(id, after, limit).await?;
        Ok(Page { data: self.named_events(data, as_of).await?, next_cursor })
    }

    /// The last events of threads that the caller has been shown, in order, with the names of their authors.
    ///
    /// # Errors
    /// When the log or the view cannot be read.
    pub async fn list_last_events(
        &self,
        threads: &[ShownThread],
        limit: u32,
        as_of: AsOf,
    ) -> Result<BTreeMap<ThreadId, Vec<NamedEvent>>, ReadingError> {
        let ids: Vec<_> = threads.iter().map(|thread| thread.id()).collect();
        let events = self.threads.list_last_events(&ids, limit).await?;
        let mut of_threads = BTreeMap::<_, Vec<_>>::new();
        for event in self.named_events(events, as_of).await? {
            of_threads.entry(event.thread_id()).or_default().push(event);
        }
        Ok(of_threads)
    }

    /// The conversation of a thread; `None` when there is no such thread.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn conversation_of(&self, id: ThreadId) -> Result<Option<ConversationId>, ReadingError> {
        // Any state of the thread will do: its conversation never changes.
        Ok(self.bus.peek::<Thread>(id).await?.conversation_id)
    }

    /// The position of a message; `None` when the view does not have it yet.
    ///
    /// # Errors
    /// When the view cannot be read.
    pub async fn position_of_message(&self, id: EventId) -> Result<Option<Position>, ReadingError> {
        Ok(self.threads.find_event(id).await?.map(|event| event.position))
    }

    /// The name that a message of this author shows; visitors' messages show none.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn author_name(&self, author: Principal) -> Result<Option<Name>, ReadingError> {
        let Principal::Agent { id, .. } = author else { return Ok(None) };
        // The caller's authentication has read the agent for this very request.
        Ok(self.bus.peek::<Agent>(id).await?.name.clone())
    }
}
