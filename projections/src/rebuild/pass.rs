//! One pass over the log for all subscribers.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use application::backoff::Backoff;
use application::ports::{Clock, EventLog, Ids, LogEvent, Position, ReadError};
use futures::{StreamExt as _, stream};
use infrastructure::database::{Database, Transaction};
use infrastructure::lease::Lease;
use infrastructure::subscription::{HandleError, Subscriber};
use tokio::sync::mpsc;

use super::target::Target;
use super::{RebuildError, RebuildObserver};

/// How many events are read at once.
const PAGE: usize = 4_096;

/// How many pages are read ahead.
const AHEAD: usize = 2;

/// How many events are written at once where one transaction writes at a time, and others want to.
const CHUNK: usize = 512;

/// How many subscribers write at the same time where the database lets them: the server works on a statement of one while
/// the next statement of the other is made.
const LANES: usize = 2;

/// How often a transaction is tried that loses against others, and the pauses before it is tried again.
const TRIES: u32 = 20;
const BACKOFF: Backoff = Backoff { first: Duration::from_millis(10), longest: Duration::from_millis(80), jitter: 0.5 };

/// Where a pass writes.
pub(super) enum Destination<'a> {
    /// Into the copies, in transactions of its own, as long as this lease is held.
    Copies(&'a Copies<'a>),
    /// Into the copies, in the transaction that keeps the live tables still.
    Within(&'a mut Transaction),
}

/// The copies, for transactions of a pass.
pub(super) struct Copies<'a> {
    /// The database, with the names of the copies in the place of the live ones.
    pub(super) database: &'a Database,
    pub(super) lease: &'a Lease,
    /// Whether several transactions write at a time.
    pub(super) in_parallel: bool,
}

/// Reads the log for subscribers that write into copies.
pub(super) struct Pass<'a> {
    pub(super) log: &'a Arc<dyn EventLog>,
    pub(super) clock: &'a Arc<dyn Clock>,
    pub(super) ids: &'a Arc<dyn Ids>,
    pub(super) observer: &'a dyn RebuildObserver,
    /// The end of the log when it was last looked at.
    pub(super) head: AtomicI64,
}

impl Pass<'_> {
    /// Brings every target to where it has to go. The log is read and decoded once, while the pages before are written.
    pub(super) async fn run(&self, targets: &mut [Target], mut to: Destination<'_>) -> Result<(), RebuildError> {
        let behind = targets.iter().filter(|target| target.behind() > 0);
        let Some(after) = behind.map(|target| target.reached).min() else { return Ok(()) };
        let end = targets.iter().map(|target| target.goal).max().unwrap_or(after);
        let mut pages = read_ahead(Arc::clone(self.log), after, end);
        while let Some(page) = pages.recv().await {
            self.take(targets, &page?, &mut to).await?;
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
        to: &mut Destination<'_>,
    ) -> Result<(), RebuildError> {
        let is_shared = match to {
            Destination::Copies(copies) if !copies.in_parallel => self.others_write().await?,
            Destination::Copies(_) | Destination::Within(_) => false,
        };
        for events in page.chunks(if is_shared { CHUNK } else { PAGE }) {
            let begun = Instant::now();
            match to {
                Destination::Copies(copies) => self.write_all(targets, events, copies).await?,
                Destination::Within(tx) => handle_all(targets, events, tx).await?,
            }
            if is_shared {
                // Transactions that wait for SQLite's lock look for it now and then only.
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

    /// Each subscriber writes in a transaction of its own. All of them come to their end, whatever becomes of one: what was
    /// committed has to be known, or it would be written twice.
    async fn write_all(
        &self,
        targets: &mut [Target],
        events: &[Arc<LogEvent>],
        copies: &Copies<'_>,
    ) -> Result<(), RebuildError> {
        let lanes = if copies.in_parallel { LANES } else { 1 };
        let mut writes = vec![];
        for target in targets {
            writes.push(self.write_and_advance(target, events, copies));
        }
        let outcomes: Vec<_> = stream::iter(writes).buffer_unordered(lanes).collect().await;
        outcomes.into_iter().collect()
    }

    async fn write_and_advance(
        &self,
        target: &mut Target,
        events: &[Arc<LogEvent>],
        copies: &Copies<'_>,
    ) -> Result<(), RebuildError> {
        self.write(target, events, copies).await?;
        target.advance(events);
        Ok(())
    }

    /// Writes what a subscriber makes of events, again and again while its transaction loses against others.
    async fn write(&self, target: &Target, events: &[Arc<LogEvent>], copies: &Copies<'_>) -> Result<(), RebuildError> {
        let handled = target.handled(events);
        if handled.is_empty() {
            return Ok(());
        }
        let mut failures = 0;
        loop {
            let error = match write_once(&*target.subscriber, &handled, copies).await {
                Err(error) if error.is_of_database() && failures + 1 < TRIES => error,
                outcome => return outcome,
            };
            tracing::debug!(error = &error as &dyn std::error::Error, "retrying a transaction of the rebuild");
            failures += 1;
            BACKOFF.wait(failures, &**self.clock, &**self.ids).await;
            target.subscriber.load(copies.database).await?;
        }
    }
}

/// A process that takes the lease away drops these tables first, which waits for the end of a transaction that has touched
/// them.
async fn write_once(
    subscriber: &dyn Subscriber,
    events: &[Arc<LogEvent>],
    copies: &Copies<'_>,
) -> Result<(), RebuildError> {
    let mut tx = copies.database.begin_view().await?;
    subscriber.handle(events, &mut tx).await?;
    if !copies.lease.confirm(&mut tx).await? {
        return Err(RebuildError::Busy);
    }
    // Written twice it would count twice, so a commit without an answer is not tried again.
    tx.commit().await.map_err(RebuildError::Unsure)
}

async fn handle_all(targets: &mut [Target], events: &[Arc<LogEvent>], tx: &mut Transaction) -> Result<(), HandleError> {
    for target in targets {
        target.handle(events, tx).await?;
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
            // The receiver is gone when the rebuild has failed.
            if sender.send(page).await.is_err() {
                return;
            }
        }
    });
    pages
}
