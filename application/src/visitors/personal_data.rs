use std::sync::Arc;

use domain::conversation::Conversation;
use domain::conversation::ConversationEvent;
use domain::event::AnyEvent;
use domain::ids::{ConversationId, ThreadId, VisitorId};
use domain::thread::Thread;
use domain::visitor::{Visitor, VisitorEvent};

use crate::UseCaseError;
use crate::ports::{PersonalDataLog, Sequence, StoredText, StreamId};

/// How many events are read at once. A message has up to 16 KiB.
const PAGE: usize = 200;

/// Goes along everything that the log holds of a visitor, a page at a time: a person may have written any number of
/// messages.
///
/// It reads streams, not views: these lack what was said before (an earlier name), are late, and do not say which event
/// holds a text.
#[derive(Clone)]
pub struct PersonalData {
    log: Arc<dyn PersonalDataLog>,
}

/// Takes what is found.
pub trait Walk: Send {
    /// An event of the visitor.
    ///
    /// # Errors
    /// Ends the walk.
    fn visitor(&mut self, text: &StoredText) -> impl Future<Output = Result<(), UseCaseError>> + Send;

    /// An event of one of their conversations, before those of its threads.
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
    /// In this log.
    #[must_use]
    pub fn new(log: Arc<dyn PersonalDataLog>) -> Self {
        Self { log }
    }

    /// Shows everything of a visitor, in the order of their conversations and threads.
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
    match &text.event.event {
        AnyEvent::Visitor(VisitorEvent::ChatOpened { conversation_id, .. }) => Some(*conversation_id),
        _ => None,
    }
}

fn begun(text: &StoredText) -> Option<ThreadId> {
    match &text.event.event {
        AnyEvent::Conversation(
            ConversationEvent::ChatStarted { thread_id, .. } | ConversationEvent::ChatReopened { thread_id, .. },
        ) => Some(*thread_id),
        _ => None,
    }
}
