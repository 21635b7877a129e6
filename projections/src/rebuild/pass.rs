//! One pass over the log for all projectors.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use application::ports::{Clock, EventLog, Hash, LogEvent, Position, ReadError};
use futures::{StreamExt as _, stream};
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

/// How many projectors write at the same time where the database lets them: a statement of one is worked on by the server
/// while the next one of the other is made.
const LANES: usize = 2;

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

    fn handled(&self, events: &[Arc<LogEvent>]) -> Vec<Arc<LogEvent>> {
        let part = self.part(events).iter();
        part.filter(|event| self.projector.handles(&event.event)).cloned().collect()
    }

    async fn project(&self, events: &[Arc<LogEvent>], tx: &mut Transaction) -> Result<(), ProjectError> {
        let handled = self.handled(events);
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
                Sink::Own(database, lease) => self.write_all(targets, events, (*database, *lease)).await?,
                Sink::Within(tx) => project_all(targets, events, tx).await?,
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

    /// Each projector writes in a transaction of its own. All of them come to their end, whatever becomes of one: what was
    /// committed has to be known, or it would be written twice.
    async fn write_all(
        &self,
        targets: &mut [Target],
        events: &[Arc<LogEvent>],
        place: (&Database, &Lease),
    ) -> Result<(), RebuildError> {
        let lanes = match place.0.dialect() {
            Dialect::Mysql => LANES,
            Dialect::Sqlite => 1,
        };
        let mut writes = vec![];
        for target in targets {
            writes.push(self.write_and_advance(target, events, place));
        }
        let outcomes: Vec<_> = stream::iter(writes).buffer_unordered(lanes).collect().await;
        outcomes.into_iter().collect()
    }

    async fn write_and_advance(
        &self,
        target: &mut Target,
        events: &[Arc<LogEvent>],
        place: (&Database, &Lease),
    ) -> Result<(), RebuildError> {
        self.write(target, events, place).await?;
        target.advance(events);
        Ok(())
    }

    /// Writes what a projector makes of events, and again where its transaction loses.
    async fn write(
        &self,
        target: &Target,
        events: &[Arc<LogEvent>],
        (database, lease): (&Database, &Lease),
    ) -> Result<(), RebuildError> {
        let handled = target.handled(events);
        if handled.is_empty() {
            return Ok(());
        }
        let mut tries = 1;
        loop {
            let error = match write_once(&*target.projector, &handled, database, lease).await {
                Err(error) if error.is_of_database() && tries < TRIES => error,
                outcome => return outcome,
            };
            tracing::debug!(error = &error as &dyn std::error::Error, "a transaction of the rebuild is tried again");
            tries += 1;
            self.clock.sleep(PAUSE).await;
            target.projector.load(database).await?;
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
    projector: &dyn Projector,
    events: &[Arc<LogEvent>],
    database: &Database,
    lease: &Lease,
) -> Result<(), RebuildError> {
    let mut tx = database.begin_view().await?;
    projector.project(events, &mut tx).await?;
    if !lease.confirm(&mut tx).await? {
        return Err(RebuildError::Busy);
    }
    // Written twice it would count twice, so a commit without an answer is not tried again.
    tx.commit().await.map_err(RebuildError::Unsure)
}

async fn project_all(
    targets: &mut [Target],
    events: &[Arc<LogEvent>],
    tx: &mut Transaction,
) -> Result<(), ProjectError> {
    for target in targets {
        target.project(events, tx).await?;
        target.advance(events);
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
