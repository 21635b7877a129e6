use std::sync::Arc;

use domain::conversation::{Conversation, ConversationEvent};
use domain::ids::{ConversationId, ThreadId, VisitorId};
use domain::thread::Thread;
use domain::visitor::{Visitor, VisitorEvent};

use crate::UseCaseError;
use crate::ports::{PersonalDataLog, Sequence, StoredText, StreamId};

/// How many events are read at once. A message has up to 16 KiB.
const PAGE: usize = 200;

/// Reads everything that the log holds of a visitor, a page at a time: a visitor may have written any number of
/// messages.
///
/// It reads streams, not views: views lack earlier values (an earlier name), are late, and do not say which event holds a
/// text.
#[derive(Clone)]
pub struct PersonalData {
    log: Arc<dyn PersonalDataLog>,
}

/// Receives the events that [`PersonalData`] finds.
pub trait Walk: Send {
    /// An event of the visitor.
    ///
    /// # Errors
    /// Ends the walk.
    fn visitor(&mut self, text: &StoredText) -> impl Future<Output = Result<(), UseCaseError>> + Send;

    /// An event of one of the visitor's conversations, before those of its threads.
    ///
    /// # Errors
    /// Ends the walk.
    fn conversation(
        &mut self,
        id: ConversationId,
        text: &StoredText,
    ) -> impl Future<Output = Result<(), UseCaseError>> + Send;

    /// An event of a thread of this conversation.
    ///
    /// # Errors
    /// Ends the walk.
    fn thread(
        &mut self,
        id: ConversationId,
        text: &StoredText,
    ) -> impl Future<Output = Result<(), UseCaseError>> + Send;
}

impl PersonalData {
    /// Reads this log.
    #[must_use]
    pub fn new(log: Arc<dyn PersonalDataLog>) -> Self {
        Self { log }
    }

    /// Passes every event of a visitor to `walk`, in the order of the conversations and their threads.
    ///
    /// # Errors
    /// When the log cannot be read, or the walk ends itself.
    pub async fn walk(&self, id: VisitorId, walk: &mut impl Walk) -> Result<(), UseCaseError> {
        let mut conversations = vec![];
        let mut pages = Pages::of(&self.log, StreamId::of::<Visitor>(id));
        while let Some(page) = pages.next().await? {
            for text in &page {
                conversations.extend(opened(text).filter(|id| !conversations.contains(id)));
                walk.visitor(text).await?;
            }
        }
        for id in conversations {
            self.conversation(id, walk).await?;
        }
        Ok(())
    }

    async fn conversation(&self, id: ConversationId, walk: &mut impl Walk) -> Result<(), UseCaseError> {
        let mut threads = vec![];
        let mut pages = Pages::of(&self.log, StreamId::of::<Conversation>(id));
        while let Some(page) = pages.next().await? {
            for text in &page {
                threads.extend(begun(text));
                walk.conversation(id, text).await?;
            }
        }
        for thread in threads {
            let mut pages = Pages::of(&self.log, StreamId::of::<Thread>(thread));
            while let Some(page) = pages.next().await? {
                for text in &page {
                    walk.thread(id, text).await?;
                }
            }
        }
        Ok(())
    }
}

/// A stream, page by page.
struct Pages<'a> {
    log: &'a Arc<dyn PersonalDataLog>,
    stream: StreamId,
    after: Sequence,
}

impl<'a> Pages<'a> {
    const fn of(log: &'a Arc<dyn PersonalDataLog>, stream: StreamId) -> Self {
        Self { log, stream, after: 0 }
    }

    async fn next(&mut self) -> Result<Option<Vec<StoredText>>, UseCaseError> {
        let page = self.log.read_texts(self.stream, self.after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(None) };
        self.after = last.event.header.sequence;
        Ok(Some(page))
    }
}

fn opened(text: &StoredText) -> Option<ConversationId> {
    let VisitorEvent::ChatOpened { conversation_id, .. } = text.event.event.of::<Visitor>()? else { return None };
    Some(*conversation_id)
}

fn begun(text: &StoredText) -> Option<ThreadId> {
    match text.event.event.of::<Conversation>()? {
        ConversationEvent::ChatStarted { thread_id, .. } | ConversationEvent::ChatReopened { thread_id, .. } => {
            Some(*thread_id)
        }
        ConversationEvent::VisitorCardChanged { .. }
        | ConversationEvent::AgentAssigned { .. }
        | ConversationEvent::ChatReturnedToQueue { .. }
        | ConversationEvent::ChatTagged { .. }
        | ConversationEvent::ChatUntagged { .. }
        | ConversationEvent::ChatClosed { .. } => None,
    }
}
