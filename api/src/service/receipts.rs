//! Marks of how far people have read.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use application::chat::MarkRead;
use application::ports::{Clock, Position};
use domain::ids::ThreadId;
use projections::thread_events::ThreadEventQueries;

use super::{Caller, Conversations, ReadModel, Refusal};

/// The shortest time between two events of one reader in a thread.
const AT_MOST_EVERY: Duration = Duration::from_secs(1);

/// With more readers than this, those who have been quiet are forgotten.
const MOST_READERS: usize = 1_024;

/// Takes the marks of readers.
#[derive(Clone)]
pub struct Receipts {
    /// Finds threads, and knows who may read them.
    pub conversations: Conversations,
    /// Counts the messages of a thread up to a position.
    pub threads: ThreadEventQueries,
    /// Bounds how often a mark becomes an event.
    pub pace: Arc<Pace>,
}

impl Receipts {
    /// The change that notes that the caller has read a thread up to a position: up to the last message there. Marks that come
    /// quickly after one another wait, and become one.
    ///
    /// # Errors
    /// [`super::Code::NotFound`], also where the caller may not read the thread.
    pub async fn mark(&self, caller: &Caller, thread_id: ThreadId, up_to: Position) -> Result<MarkRead, Refusal> {
        let (principal, reading) = (caller.principal, &self.conversations.reading);
        let conversation_id = self.conversations.of_thread(thread_id).await?;
        reading.ensure_thread_readable(principal, thread_id).await?;
        let up_to = self.pace.admit((thread_id, principal.actor()), up_to).await;
        self.conversations.freshness.reach_as_of(None, &[ReadModel::ThreadEvents], caller.as_of).await?;
        let (up_to, read) = self.threads.count_messages(thread_id, up_to).await?;
        Ok(MarkRead { principal, conversation_id, thread_id, up_to, read })
    }
}

/// A reader of a thread.
type Key = (ThreadId, String);

/// Lets one mark of a reader through at a time, and at most one in a while: what comes meanwhile becomes one mark.
pub struct Pace {
    clock: Arc<dyn Clock>,
    readers: Mutex<HashMap<Key, Arc<Marks>>>,
}

#[derive(Default)]
struct Marks {
    /// The furthest mark that anybody waits with.
    wanted: std::sync::atomic::AtomicI64,
    last: tokio::sync::Mutex<Option<Last>>,
}

/// The last mark that was let through.
#[derive(Clone, Copy)]
struct Last {
    up_to: Position,
    at: Duration,
}

impl Pace {
    /// Measures time with this clock.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, readers: Mutex::default() }
    }

    /// Waits until the reader may leave a mark again. The result is the furthest mark of those who have waited together.
    async fn admit(&self, key: Key, up_to: Position) -> Position {
        use std::sync::atomic::Ordering::SeqCst;
        let marks = self.marks(key);
        marks.wanted.fetch_max(up_to, SeqCst);
        let mut last = marks.last.lock().await;
        if let Some(last) = *last {
            if last.up_to >= up_to {
                // The further one may still be under way: a lower one must not overtake it.
                return last.up_to;
            }
            let passed = self.clock.elapsed().saturating_sub(last.at);
            if let Some(rest) = AT_MOST_EVERY.checked_sub(passed) {
                self.clock.sleep(rest).await;
            }
        }
        let up_to = marks.wanted.load(SeqCst);
        *last = Some(Last { up_to, at: self.clock.elapsed() });
        up_to
    }

    fn marks(&self, key: Key) -> Arc<Marks> {
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        if readers.len() >= MOST_READERS && !readers.contains_key(&key) {
            let now = self.clock.elapsed();
            readers.retain(|_, marks| marks.is_needed(now));
        }
        Arc::clone(readers.entry(key).or_default())
    }
}

impl Marks {
    /// Whether somebody waits, or must wait at the next mark.
    fn is_needed(self: &Arc<Self>, now: Duration) -> bool {
        let is_waited_for = Arc::strong_count(self) > 1;
        let is_recent =
            || self.last.try_lock().is_ok_and(|last| last.is_some_and(|last| now < last.at + AT_MOST_EVERY));
        is_waited_for || is_recent()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use async_trait::async_trait;
    use domain::time::Timestamp;
    use futures::future::join_all;

    use super::*;

    /// Jumps over each wait, and counts them in milliseconds.
    #[derive(Default)]
    struct Jumping(AtomicU64);

    #[async_trait]
    impl Clock for Jumping {
        fn now(&self) -> Timestamp {
            Timestamp::from_micros(i64::try_from(self.0.load(Ordering::SeqCst) * 1_000).unwrap())
        }

        async fn sleep(&self, duration: Duration) {
            // Others come meanwhile.
            for _ in 0..10 {
                tokio::task::yield_now().await;
            }
            self.0.fetch_add(u64::try_from(duration.as_millis()).unwrap(), Ordering::SeqCst);
        }
    }

    fn key(actor: &str) -> Key {
        (ThreadId::default(), actor.to_owned())
    }

    #[tokio::test]
    async fn marks_that_come_together_become_one_a_second() {
        let clock = Arc::new(Jumping::default());
        let pace = Pace::new(Arc::clone(&clock) as Arc<dyn Clock>);
        assert_eq!(pace.admit(key("a"), 1).await, 1);
        assert_eq!(clock.0.load(Ordering::SeqCst), 0, "the first one waits for nothing");
        let admitted = join_all((2..=9).map(|up_to| pace.admit(key("a"), up_to))).await;
        assert_eq!(admitted, [9; 8], "the first one takes the others along");
        assert_eq!(clock.0.load(Ordering::SeqCst), 1_000, "and nobody waits twice");
        assert_eq!(pace.admit(key("b"), 1).await, 1);
        assert_eq!(clock.0.load(Ordering::SeqCst), 1_000, "another reader does not wait");
    }

    #[tokio::test]
    async fn quiet_readers_are_forgotten() {
        let clock = Arc::new(Jumping::default());
        let pace = Pace::new(Arc::clone(&clock) as Arc<dyn Clock>);
        for number in 0..MOST_READERS {
            pace.admit(key(&number.to_string()), 1).await;
        }
        clock.0.fetch_add(1_000, Ordering::SeqCst);
        pace.admit(key("one more"), 1).await;
        assert_eq!(pace.readers.lock().unwrap().len(), 1);
    }
}
