//! Follows the log: puts what this node and others commit among the recent events, and advances the known position.

use std::sync::Arc;
use std::time::Duration;

use application::ports::{LogHead, Position, ReadError};
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::reader::{LogReader, MAX_PAGE, unavailable};
use super::recent_events::RecentEvents;
use crate::database::{Database, DatabaseError, Dialect};
use crate::event_log::head;
use crate::event_log::history::{Committed, History, LogHint};

/// How often to look for events of other nodes that no hint announced.
const POLL: Duration = Duration::from_millis(50);

/// The same for a file: only an operator's commands append to one alongside the server.
const POLL_FILE: Duration = Duration::from_millis(500);

/// How long a read may take before this node continues with what it knows.
const READ_TIMEOUT: Duration = Duration::from_secs(2);

/// The task that fills the recent events.
pub(crate) struct Tailer {
    pub(crate) database: Database,
    pub(crate) reader: LogReader,
    pub(crate) recent: Arc<RecentEvents>,
    pub(crate) known: watch::Sender<Position>,
    pub(crate) committed: mpsc::Receiver<Committed>,
    pub(crate) hint: LogHint,
    pub(crate) history: History,
}

impl Tailer {
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

    /// Adds what this node has committed.
    async fn publish(&self, batch: Committed) {
        let (Some(first), Some(last)) = (batch.first(), batch.last()) else { return };
        let (first, last) = (first.header.position, last.header.position);
        if self.recent.contradicts(first, &batch[0].header.chain_hash) {
            self.recent.roll_back(first - 1);
        }
        if first > self.recent.end() + 1 {
            self.catch_up(first - 1).await;
        }
        let upcasters = self.reader.upcasters();
        let decoded: Result<Vec<_>, ReadError> = batch.into_iter().map(|event| event.decode(upcasters)).collect();
        match decoded {
            Ok(events) => self.recent.push(events),
            Err(error) => self.give_up(last, &error),
        }
        self.advance(last);
    }

    /// Adds what other nodes have committed.
    async fn look(&mut self) {
        let reading = timeout(READ_TIMEOUT, head::read(&self.database)).await;
        let head = match reading.unwrap_or(Err(DatabaseError::NoAnswer)) {
            // This node must not follow another log.
            Ok(head) if !self.history.holds(&head) => return,
            Ok(head)
                if head.position < *self.known.borrow() || self.recent.contradicts(head.position, &head.chain_hash) =>
            {
                return self.roll_back(&head);
            }
            Ok(head) => head.position,
            Err(error) => {
                let error = unavailable(error);
                tracing::debug!(error = &error as &dyn std::error::Error, "cannot read the end of the log");
                return;
            }
        };
        // Batches that this node has committed meanwhile need no read.
        while let Ok(batch) = self.committed.try_recv() {
            self.publish(batch).await;
        }
        if head > self.recent.end() {
            self.catch_up(head).await;
        }
        self.advance(head);
    }

    /// Commits of other nodes become visible before they are on disk, and a crash of the database can roll them back. This
    /// node must forget them then.
    fn roll_back(&self, head: &LogHead) {
        self.recent.roll_back(head.position);
        self.known.send_replace(head.position);
    }

    /// Reads the events up to a position, or the last of them that fit.
    async fn catch_up(&self, to: Position) {
        let capacity = Position::try_from(self.recent.capacity()).unwrap_or(Position::MAX);
        if to - self.recent.end() > capacity {
            self.recent.restart(to - capacity);
        }
        while self.recent.end() < to {
            // Together with the last kept event, to see whether the log still continues from it.
            let held = usize::from(self.recent.holds_its_end());
            let after = self.recent.end() - Position::from(self.recent.holds_its_end());
            let limit = usize::try_from(to - after).unwrap_or(MAX_PAGE).min(MAX_PAGE);
            let reading = timeout(READ_TIMEOUT, self.reader.page(after, limit)).await;
            match reading.unwrap_or_else(|_| Err(unavailable(DatabaseError::NoAnswer))) {
                Ok(events) if events.len() <= held => return self.recent.roll_back(to),
                Ok(events) if self.recent.contradicts(after + 1, &events[0].header.chain_hash) => {
                    return self.recent.roll_back(to);
                }
                Ok(events) => self.recent.push(events),
                Err(error) => return self.give_up(to, &error),
            }
        }
    }

    /// Keeps no events up to here. Readers go to the database, and get its error.
    fn give_up(&self, to: Position, error: &ReadError) {
        tracing::warn!(error = error as &dyn std::error::Error, "cannot keep events in memory");
        self.recent.restart(to);
    }

    fn advance(&self, position: Position) {
        self.known.send_if_modified(|known| {
            let grows = position > *known;
            *known = position.max(*known);
            grows
        });
    }
}
