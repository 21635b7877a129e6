//! Handling events, on the node that has the lease.

use std::cmp::Ordering;
use std::sync::Arc;
use std::time::Duration;

use application::ports::{LogEvent, Position, ReadError};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::HandleError;
use super::checkpoint::{Checkpoint, Found};
use super::handle::{RunnerStatus, StopReason};
use super::pause::LOOK_EVERY;
use super::runner::{Runner, TurnEnd};
use crate::database::{DatabaseError, Transaction};
use crate::lease::Lease;

/// The events read at once.
const PAGE: usize = 500;

/// Up to this number of events are handled by statements that are sent together.
const MOST_BATCHED: usize = 64;

/// The stored checkpoint follows after this many positions without an event that matters, or this long after the last one.
const STORE_EVERY: Position = 1_000;
const STORE_AFTER: Duration = Duration::from_secs(1);

/// One turn as the leader.
pub(super) struct Leader<'a> {
    runner: &'a mut Runner,
    /// The checkpoint in the database.
    stored: Checkpoint,
    /// The place up to which everything that matters is in the tables.
    reached: Checkpoint,
    /// Up to here events are taken one by one, because one of them fails.
    careful_until: Position,
    known: watch::Receiver<Position>,
    /// Whether to read on although the log is not known to go on.
    looks: bool,
    /// When the last page was taken; none while there is more than a page to take.
    caught_up_at: Option<Instant>,
    /// When to look for replaced tables and for a pause, which must be seen under load, too.
    look_at: Instant,
    /// When nothing has come for long enough to store how far it has come.
    store_at: Instant,
}

impl Runner {
    /// Loads the checkpoint and makes sure that it belongs to this log.
    pub(super) async fn begin_leading(&mut self) -> Result<Leader<'_>, TurnEnd> {
        self.began_with = self.generation().await?;
        let log = Arc::clone(&self.subscriptions.log);
        let head = log.head().await?;
        let beginning = Checkpoint::beginning(head.epoch);
        let stored = match beginning.find_or_begin(&self.subscriptions.database, self.id()).await? {
            Found::Own(checkpoint) => checkpoint,
            Found::Newer(version) => return Err(StopReason::Superseded { version }.into()),
        };
        self.began_with = Some(stored.generation);
        // As the database says it: this node may not have noticed yet that the log was exchanged.
        if !stored.is_in_log(&self.subscriptions.database).await? {
            return Err(StopReason::ForeignCheckpoint { position: stored.position }.into());
        }
        self.load(stored.position).await?;
        self.controls.status.send_replace(RunnerStatus::Running);
        self.publish(stored.position);
        let known = log.known_position();
        Ok(Leader {
            runner: self,
            stored,
            reached: stored,
            careful_until: 0,
            known,
            looks: false,
            caught_up_at: None,
            look_at: Instant::now() + LOOK_EVERY,
            store_at: Instant::now() + STORE_AFTER,
        })
    }

    /// What the subscriber has in memory stands where its tables do.
    async fn load(&self, position: Position) -> Result<(), TurnEnd> {
        let loaded = self.subscriber.load(&self.subscriptions.database).await;
        loaded.map_err(|error| TurnEnd::of_projection(error, position))
    }
}

impl Leader<'_> {
    /// Handles events until something ends the turn.
    pub(super) async fn lead(&mut self, lease: &mut Lease) -> TurnEnd {
        loop {
            let step = tokio::select! {
                biased;
                () = lease.lost() => return TurnEnd::Outrun,
                step = self.step() => step,
            };
            if let Err(end) = step {
                return end;
            }
            // Only now: a database that is full can be read, so that each turn begins well.
            self.runner.recovered();
        }
    }

    async fn step(&mut self) -> Result<(), TurnEnd> {
        if *self.runner.controls.shutdown.borrow() {
            self.store().await?;
            return Err(TurnEnd::ShutDown);
        }
        if Instant::now() >= self.look_at {
            self.ensure_undisturbed().await?;
            self.look_at = Instant::now() + LOOK_EVERY;
        }
        let limit = if self.reached.position < self.careful_until { 1 } else { PAGE };
        // Where the log is not known to go on, the database need not be asked. Now and then it is all the same: this node
        // may have stopped following the log, or the log may be another one by now.
        let looks = std::mem::take(&mut self.looks);
        let page = if *self.known.borrow_and_update() > self.reached.position || looks {
            self.gather().await;
            self.read(limit).await?
        } else {
            vec![]
        };
        self.caught_up_at = (page.len() < limit).then(Instant::now);
        match page.last() {
            Some(last) => {
                let to =
                    Checkpoint { position: last.header.position, chain_hash: last.header.chain_hash, ..self.reached };
                self.take(&page, to).await
            }
            None => self.idle().await,
        }
    }

    /// Lets more events come, unless a request waits.
    async fn gather(&mut self) {
        let Some(caught_up_at) = self.caught_up_at else { return };
        let until = caught_up_at + self.runner.subscriber.patience();
        let waiters = Arc::clone(&self.runner.controls.waiters);
        if until <= Instant::now() || waiters.any() {
            return;
        }
        tokio::select! {
            () = sleep_until(until) => {}
            () = waiters.arrival() => {}
            () = self.runner.shut_down() => {}
        }
    }

    /// Reads up to an event that cannot be read, so that everything before it gets its place.
    async fn read(&self, limit: usize) -> Result<Vec<Arc<LogEvent>>, TurnEnd> {
        let (log, after) = (&self.runner.subscriptions.log, self.reached.position);
        match log.read_after(after, limit).await {
            Err(ReadError::Undecodable { position, .. }) if position > after + 1 => {
                let limit = usize::try_from(position - after - 1).unwrap_or(1);
                Ok(log.read_after(after, limit).await?)
            }
            page => Ok(page?),
        }
    }

    async fn take(&mut self, page: &[Arc<LogEvent>], to: Checkpoint) -> Result<(), TurnEnd> {
        let handled: Vec<_> =
            page.iter().filter(|event| self.runner.subscriber.handles(&event.event)).cloned().collect();
        if !handled.is_empty() {
            if let Err(end) = self.project(&handled, to).await {
                return self.narrow_down(page, end).await;
            }
            self.stored = to;
        }
        self.reached = to;
        self.store_at = Instant::now() + STORE_AFTER;
        if to.position - self.stored.position >= STORE_EVERY {
            self.store().await?;
        }
        self.runner.publish(to.position);
        Ok(())
    }

    /// A page that fails is tried again event by event, so that everything before the bad one gets its place.
    async fn narrow_down(&mut self, page: &[Arc<LogEvent>], end: TurnEnd) -> Result<(), TurnEnd> {
        match (&end, page) {
            (TurnEnd::Stop(StopReason::Poison { .. }), [_, .., last]) => {
                self.careful_until = last.header.position;
                self.runner.load(self.reached.position).await
            }
            _ => Err(end),
        }
    }

    async fn project(&self, events: &[Arc<LogEvent>], to: Checkpoint) -> Result<(), TurnEnd> {
        let database = &self.runner.subscriptions.database;
        if events.len() > MOST_BATCHED {
            return self.project_in(database.begin_view().await?, events, to, None).await;
        }
        match self.project_in(database.begin_batched_view().await?, events, to, None).await {
            // Sent one by one, the statements show which of them failed, and what that means.
            Err(TurnEnd::Stop(reason)) => self.project_in(database.begin_view().await?, events, to, Some(reason)).await,
            outcome => outcome,
        }
    }

    /// The checkpoint moves first: a node that loses this race must not touch the rows of the node that has won it. (What a
    /// batch has changed in memory by then is thrown away when the turn ends.) `failed`: why the same events could not be
    /// handled a moment ago; the subscriber is loaded again, once it is sure that the tables are still this node's.
    async fn project_in(
        &self,
        mut tx: Transaction,
        events: &[Arc<LogEvent>],
        to: Checkpoint,
        failed: Option<StopReason>,
    ) -> Result<(), TurnEnd> {
        let first = events.first().map_or(to.position, |event| event.header.position);
        let is_batched = tx.is_batched();
        let projecting = |error: HandleError| TurnEnd::of_projection(error, first);
        // In a batch the error may be about a statement of the subscriber.
        let own = |error: DatabaseError| if is_batched { projecting(error.into()) } else { error.into() };
        if !self.stored.advance(&mut tx, self.runner.id(), &to).await.map_err(own)? {
            return Err(TurnEnd::Outrun);
        }
        let name = self.runner.subscriber.name();
        if let Some(reason) = failed {
            tracing::warn!(
                subscriber = name,
                error = &reason as &dyn std::error::Error,
                "batched projection failed; retrying statement by statement"
            );
            metrics::counter!("livechatlog_projection_batches_failed_total", "projection" => name).increment(1);
            self.runner.load(self.stored.position).await?;
        }
        self.runner.subscriber.handle(events, &mut tx).await.map_err(projecting)?;
        tx.commit().await.map_err(own)?;
        self.runner.subscriber.committed();
        metrics::counter!("livechatlog_projected_events_total", "projection" => name).increment(events.len() as u64);
        Ok(())
    }

    /// Stores how far it has come without anything to handle.
    async fn store(&mut self) -> Result<(), TurnEnd> {
        if self.stored == self.reached {
            return Ok(());
        }
        let mut tx = self.runner.subscriptions.database.begin_view().await?;
        if !self.stored.advance(&mut tx, self.runner.id(), &self.reached).await? {
            return Err(TurnEnd::Outrun);
        }
        tx.commit().await?;
        self.stored = self.reached;
        Ok(())
    }

    /// Waits for something to do.
    async fn idle(&mut self) -> Result<(), TurnEnd> {
        let known = *self.known.borrow();
        if known > self.reached.position && !self.known.has_changed().unwrap_or(false) {
            self.explain_gap().await?;
        }
        tokio::select! {
            changed = self.known.changed() => {
                // The log is gone; only the shutdown is left to wait for.
                if changed.is_err() {
                    self.runner.shut_down().await;
                }
            }
            () = self.runner.shut_down() => {}
            () = sleep_until(self.look_at) => {}
            () = sleep_until(self.store_at) => {
                self.store().await?;
                self.looks = true;
                self.store_at = Instant::now() + STORE_AFTER;
            }
        }
        Ok(())
    }

    /// The log knows of more than it gave. A crash of the database may have taken back what was not yet on its disk, which
    /// the log is about to notice; otherwise it was restored to an earlier state.
    async fn explain_gap(&self) -> Result<(), TurnEnd> {
        let reached = self.reached.position;
        let log = &self.runner.subscriptions.log;
        let head = log.head().await?;
        let goes_on = match head.position.cmp(&reached) {
            Ordering::Less => false,
            Ordering::Equal => head.chain_hash == self.reached.chain_hash,
            // Nothing came a moment ago.
            Ordering::Greater => !log.read_after(reached, 1).await?.is_empty(),
        };
        if goes_on { Ok(()) } else { Err(StopReason::HistoryForked { position: reached + 1 }.into()) }
    }

    /// Rebuilt tables may be in the place of those that the subscriber has read, or another process may ask for a pause.
    async fn ensure_undisturbed(&self) -> Result<(), TurnEnd> {
        let generation = self.runner.generation().await?;
        let is_own = generation.is_none_or(|now| now == self.stored.generation);
        if is_own && !self.runner.is_paused().await? { Ok(()) } else { Err(TurnEnd::Outrun) }
    }
}
