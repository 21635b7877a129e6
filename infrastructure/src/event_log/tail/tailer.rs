//! Keeps the ring and the known position up with the log: with what this node commits, and what others do.

use std::sync::Arc;
use std::time::Duration;

use application::ports::{LogHead, Position, ReadError};
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::reader::{MAX_PAGE, Reader, unavailable};
use super::recent_events::Ring;
use crate::database::{Database, DatabaseError, Dialect};
use crate::event_log::head;
use crate::event_log::history::{Committed, History, LogHint};

/// How often the log is looked at for what other nodes have appended and no hint told.
const POLL: Duration = Duration::from_millis(50);

/// The same for a file: only an operator's commands append to one beside the server.
const POLL_FILE: Duration = Duration::from_millis(500);

/// How long a look at the database may take, before this node goes on with what it knows.
const READ_TIMEOUT: Duration = Duration::from_secs(2);

/// The task behind the ring.
pub(crate) struct Feed {
    pub(crate) database: Database,
    pub(crate) reader: Reader,
    pub(crate) ring: Arc<Ring>,
    pub(crate) known: watch::Sender<Position>,
    pub(crate) committed: mpsc::Receiver<Committed>,
    pub(crate) hint: LogHint,
    pub(crate) history: History,
}

impl Feed {
    /// Runs until the appender has ended.
    pub(crate) async fn run(mut self) {
        let mut poll = interval(match self.database.dialect() {
            Dialect::Mysql => POLL,
            Dialect::Sqlite => POLL_FILE,
        });
        poll.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                batch = self.committed.recv() => match batch {
                    Some(batch) => self.publish(batch).await,
                    None => return,
                },
                () = self.hint.noticed() => self.look().await,
                _ = poll.tick() => self.look().await,
            }
        }
    }

    /// Takes up what this node has committed.
    async fn publish(&self, batch: Committed) {
        let (Some(first), Some(last)) = (batch.first(), batch.last()) else { return };
        let (first, last) = (first.header.position, last.header.position);
        if self.ring.contradicts(first, &batch[0].header.chain_hash) {
            self.ring.set_back(first - 1);
        }
        if first > self.ring.end() + 1 {
            self.catch_up(first - 1).await;
        }
        let upcasters = self.reader.upcasters();
        let decoded: Result<Vec<_>, ReadError> = batch.into_iter().map(|event| event.decode(upcasters)).collect();
        match decoded {
            Ok(events) => self.ring.push(events),
            Err(error) => self.give_up(last, &error),
        }
        self.advance(last);
    }

    /// Takes up what other nodes have committed.
    async fn look(&mut self) {
        let reading = timeout(READ_TIMEOUT, head::read(&self.database)).await;
        let head = match reading.unwrap_or(Err(DatabaseError::NoAnswer)) {
            // What another log holds is nothing to this node.
            Ok(head) if !self.history.holds(&head) => return,
            Ok(head)
                if head.position < *self.known.borrow() || self.ring.contradicts(head.position, &head.chain_hash) =>
            {
                return self.set_back(&head);
            }
            Ok(head) => head.position,
            Err(error) => {
                let error = unavailable(error);
                tracing::debug!(error = &error as &dyn std::error::Error, "end of the log cannot be read");
                return;
            }
        };
        // What this node committed in the meantime need not be read again.
        while let Ok(batch) = self.committed.try_recv() {
            self.publish(batch).await;
        }
        if head > self.ring.end() {
            self.catch_up(head).await;
        }
        self.advance(head);
    }

    /// What others have committed can be seen before it is on the disk, and a crash of the database can take it back:
    /// whatever was taken up of that must be forgotten.
    fn set_back(&self, head: &LogHead) {
        self.ring.set_back(head.position);
        self.known.send_replace(head.position);
    }

    /// Reads up to a position into the ring, as far as it can hold it.
    async fn catch_up(&self, to: Position) {
        let capacity = Position::try_from(self.ring.capacity()).unwrap_or(Position::MAX);
        if to - self.ring.end() > capacity {
            self.ring.restart(to - capacity);
        }
        while self.ring.end() < to {
            // With the last event that is held, to see whether the log still goes on from it.
            let held = usize::from(self.ring.holds_its_end());
            let after = self.ring.end() - Position::from(self.ring.holds_its_end());
            let limit = usize::try_from(to - after).unwrap_or(MAX_PAGE).min(MAX_PAGE);
            let reading = timeout(READ_TIMEOUT, self.reader.page(after, limit)).await;
            match reading.unwrap_or_else(|_| Err(unavailable(DatabaseError::NoAnswer))) {
                Ok(events) if events.len() <= held => return self.ring.set_back(to),
                Ok(events) if self.ring.contradicts(after + 1, &events[0].header.chain_hash) => {
                    return self.ring.set_back(to);
                }
                Ok(events) => self.ring.push(events),
                Err(error) => return self.give_up(to, &error),
            }
        }
    }

    /// Leaves events to those who read them from the database, and to the error that they will get.
    fn give_up(&self, to: Position, error: &ReadError) {
        tracing::warn!(error = error as &dyn std::error::Error, "events are not kept in memory");
        self.ring.restart(to);
    }

    fn advance(&self, position: Position) {
        self.known.send_if_modified(|known| {
            let grows = position > *known;
            *known = position.max(*known);
            grows
        });
    }
}
