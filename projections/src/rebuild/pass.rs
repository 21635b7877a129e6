//! One pass over the log for all projectors.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use application::ports::{Clock, EventLog, Hash, LogEvent, Position, ReadError};
use infrastructure::database::{Database, Dialect, Transaction};
use infrastructure::lease::Lease;
use infrastructure::subscription::{ProjectError, Projector};
use tokio::sync::mpsc;

use super::{RebuildError, RebuildObserver};

/// How many events are read at once.
const PAGE: usize = 4_096;

/// How many pages are read ahead.
const AHEAD: usize = 2;

/// How many events are written at once while others want to write to an SQLite file, which takes one writer at a time.
const CHUNK: usize = 512;

/// How often a transaction is tried that loses against others.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(20);

/// A projector and the part of the log that it has still to take in.
pub(super) struct Target {
    pub(super) projector: Arc<dyn Projector>,
    /// Up to here everything is in its tables.
    pub(super) reached: Position,
    /// The log's hash there.
    pub(super) hash: Hash,
    /// It must not go further than this.
    pub(super) to: Position,
}

impl Target {
    pub(super) const fn behind(&self) -> Position {
        self.to - self.reached
    }

    /// What it has to take in of these events.
    fn part<'a>(&self, events: &'a [Arc<LogEvent>]) -> &'a [Arc<LogEvent>] {
        let begin = events.partition_point(|event| event.header.position <= self.reached);
        let end = events.partition_point(|event| event.header.position <= self.to);
        events.get(begin..end).unwrap_or_default()
    }

    async fn project(&self, events: &[Arc<LogEvent>], tx: &mut Transaction) -> Result<(), ProjectError> {
        let part = self.part(events).iter();
        let handled: Vec<_> = part.filter(|event| self.projector.handles(&event.event)).cloned().collect();
        if handled.is_empty() { Ok(()) } else { self.projector.project(&handled, tx).await }
    }

    fn advance(&mut self, events: &[Arc<LogEvent>]) {
        if let Some(last) = self.part(events).last() {
            (self.reached, self.hash) = (last.header.position, last.header.chain_hash);
        }
    }
}

/// Where a pass writes.
pub(super) enum Sink<'a> {
    /// In transactions of its own on the copies, as long as this lease is held.
    Own(&'a Database, &'a Lease),
    /// In this one.
    Within(&'a mut Transaction),
}

/// Reads the log for projectors that write into copies.
pub(super) struct Pass<'a> {
    pub(super) log: &'a Arc<dyn EventLog>,
    pub(super) clock: &'a Arc<dyn Clock>,
    pub(super) observer: &'a dyn RebuildObserver,
    /// The end of the log when it was last looked at.
    pub(super) head: AtomicI64,
}

impl Pass<'_> {
    /// Brings every target to where it has to go. The log is read and decoded once, while the pages before are written.
    pub(super) async fn run(&self, targets: &mut [Target], mut sink: Sink<'_>) -> Result<(), RebuildError> {
        let behind = targets.iter().filter(|target| target.behind() > 0);
        let Some(after) = behind.map(|target| target.reached).min() else { return Ok(()) };
        let to = targets.iter().map(|target| target.to).max().unwrap_or(after);
        let mut pages = read_ahead(Arc::clone(self.log), after, to);
        while let Some(page) = pages.recv().await {
            self.take(targets, &page?, &mut sink).await?;
        }
        match targets.iter().find(|target| target.behind() > 0) {
            Some(target) => Err(ReadError::HistoryForked { position: target.reached + 1 }.into()),
            None => Ok(()),
        }
    }

    async fn take(
        &self,
        targets: &mut [Target],
        page: &[Arc<LogEvent>],
        sink: &mut Sink<'_>,
    ) -> Result<(), RebuildError> {
        let is_shared = match sink {
            Sink::Own(database, _) if database.dialect() == Dialect::Sqlite => self.others_write().await?,
            Sink::Own(..) | Sink::Within(_) => false,
        };
        for events in page.chunks(if is_shared { CHUNK } else { PAGE }) {
            let begun = Instant::now();
            match sink {
                Sink::Own(database, lease) => self.write(targets, events, (*database, *lease)).await?,
                Sink::Within(tx) => project_all(targets, events, tx).await?,
            }
            for target in targets.iter_mut() {
                target.advance(events);
            }
            if is_shared {
                // Whoever waits for SQLite's lock looks for it now and then only.
                self.clock.sleep(begun.elapsed()).await;
            }
        }
        let last = page.last().map_or(0, |event| event.header.position);
        self.observer.reached(last, self.head.load(Ordering::Relaxed));
        Ok(())
    }

    /// Whether the log has grown since it was last looked at.
    async fn others_write(&self) -> Result<bool, RebuildError> {
        let head = self.log.head().await?.position;
        Ok(self.head.swap(head, Ordering::Relaxed) != head)
    }

    /// Writes in transactions of its own, and again where one loses.
    async fn write(
        &self,
        targets: &[Target],
        events: &[Arc<LogEvent>],
        (database, lease): (&Database, &Lease),
    ) -> Result<(), RebuildError> {
        let mut tries = 1;
        loop {
            let error = match write_once(targets, events, database, lease).await {
                Err(error) if error.is_of_database() && tries < TRIES => error,
                outcome => return outcome,
            };
            tracing::debug!(error = &error as &dyn std::error::Error, "a transaction of the rebuild is tried again");
            tries += 1;
            self.clock.sleep(PAUSE).await;
            load(targets, database).await?;
        }
    }
}

/// What the projectors have in memory agrees with the copies.
pub(super) async fn load(targets: &[Target], database: &Database) -> Result<(), ProjectError> {
    for target in targets {
        target.projector.load(database).await?;
    }
    Ok(())
}

/// Whoever takes the lease away drops these tables first, which waits for the end of a transaction that has touched them.
async fn write_once(
    targets: &[Target],
    events: &[Arc<LogEvent>],
    database: &Database,
    lease: &Lease,
) -> Result<(), RebuildError> {
    let mut tx = database.begin_view().await?;
    project_all(targets, events, &mut tx).await?;
    if !lease.confirm(&mut tx).await? {
        return Err(RebuildError::Busy);
    }
    // Written twice it would count twice, so a commit without an answer is not tried again.
    tx.commit().await.map_err(RebuildError::Unsure)
}

async fn project_all(targets: &[Target], events: &[Arc<LogEvent>], tx: &mut Transaction) -> Result<(), ProjectError> {
    for target in targets {
        target.project(events, tx).await?;
    }
    Ok(())
}

/// Reads and decodes pages while those before are written.
fn read_ahead(
    log: Arc<dyn EventLog>,
    mut after: Position,
    to: Position,
) -> mpsc::Receiver<Result<Vec<Arc<LogEvent>>, ReadError>> {
    let (sender, pages) = mpsc::channel(AHEAD);
    tokio::spawn(async move {
        while after < to {
            let limit = usize::try_from(to - after).unwrap_or(PAGE).min(PAGE);
            let page = log.read_after(after, limit).await;
            let last = page.as_ref().ok().and_then(|events| events.last()).map(|event| event.header.position);
            if let Ok(events) = &page
                && events.is_empty()
            {
                return;
            }
            after = last.unwrap_or(to);
            // Nobody receives any more when the rebuild has failed.
            if sender.send(page).await.is_err() {
                return;
            }
        }
    });
    pages
}
