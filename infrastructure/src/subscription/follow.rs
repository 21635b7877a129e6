//! Following the checkpoint that another node moves, and waiting for the lease.

use std::sync::Arc;
use std::time::Duration;

use application::ports::Position;
use tokio::time::Instant;

use super::checkpoint::Checkpoint;
use super::lease_of;
use super::runner::{Runner, TurnEnd};
use crate::lease::Lease;

/// How often the stored checkpoint is read, while a request waits for a position and otherwise.
const POLL_WAITED_FOR: Duration = Duration::from_millis(20);
const POLL: Duration = Duration::from_millis(250);

/// How often a node that follows tries to take the lease.
const TRY_LEASE: Duration = Duration::from_secs(1);

const PAGE: usize = 500;

impl Runner {
    /// Follows until this node has the lease.
    pub(super) async fn follow(&mut self) -> Result<Lease, TurnEnd> {
        loop {
            if *self.controls.shutdown.borrow() {
                return Err(TurnEnd::ShutDown);
            }
            if let Some(lease) = self.take_lease().await? {
                return Ok(lease);
            }
            self.recovered();
            let next_try = Instant::now() + TRY_LEASE;
            while Instant::now() < next_try {
                self.follow_checkpoint().await?;
                self.pause_following().await?;
            }
        }
    }

    /// Not during a pause: there is no lease on SQLite that would keep this node from running the subscriber.
    async fn take_lease(&self) -> Result<Option<Lease>, TurnEnd> {
        if self.is_paused().await? {
            return Ok(None);
        }
        let subscriptions = &self.subscriptions;
        let clock = Arc::clone(&subscriptions.clock);
        Ok(Lease::take(&subscriptions.database, &lease_of(self.id()), &subscriptions.owner, clock).await?)
    }

    async fn pause_following(&mut self) -> Result<(), TurnEnd> {
        let clock = Arc::clone(&self.subscriptions.clock);
        let waiters = Arc::clone(&self.controls.waiters);
        let pause = if waiters.any() { POLL_WAITED_FOR } else { POLL };
        tokio::select! {
            () = clock.sleep(pause) => Ok(()),
            () = waiters.arrival() => Ok(()),
            () = self.shut_down() => Err(TurnEnd::ShutDown),
        }
    }

    async fn follow_checkpoint(&self) -> Result<(), TurnEnd> {
        let (name, version) = self.id();
        let stored = Checkpoint::find(&self.subscriptions.database, name, version).await?;
        let position = stored.map_or(0, |checkpoint| checkpoint.position).max(*self.controls.position.borrow());
        let position = self.past_unhandled(position).await?;
        self.publish(position);
        Ok(())
    }

    /// The leader does not store a checkpoint for events that do not matter: they need not be waited for.
    async fn past_unhandled(&self, mut position: Position) -> Result<Position, TurnEnd> {
        let known = *self.subscriptions.log.known_position().borrow();
        while position < known {
            let page = self.subscriptions.log.read_after(position, PAGE).await?;
            let unhandled = page.iter().take_while(|event| !self.subscriber.handles(&event.event)).count();
            let Some(last) = unhandled.checked_sub(1).and_then(|last| page.get(last)) else { break };
            position = last.header.position;
            if unhandled < page.len() {
                break;
            }
        }
        Ok(position)
    }
}
