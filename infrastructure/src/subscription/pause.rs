//! Keeping every node from running a subscriber for a while.

use std::sync::Arc;
use std::time::Duration;

use application::ports::Clock;

use super::{SubscriberId, lease_of};
use crate::database::{Database, DatabaseError, Dialect, Transaction};
use crate::lease::Lease;

/// How often the node that runs a subscriber looks for a pause, and for tables that were replaced.
pub(super) const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Time enough for the running node to notice a pause, and to end what the subscriber has begun.
const GRACE: Duration = Duration::from_secs(2);

/// How long the running node is waited for where its lease shows when it has stopped.
const STOPS_WITHIN: Duration = Duration::from_secs(15);
const LOOK_FOR_LEASE: Duration = Duration::from_millis(100);

/// A time in which no node runs a subscriber. It ends when it is [ended](Pause::end), or three seconds after it is dropped or the
/// process is killed.
///
/// A node that is asleep does not notice it. So the pause spares effects, and does not replace the checks that make a late
/// effect harmless: those of commands and of [`CheckpointLock`](super::CheckpointLock).
pub struct Pause {
    request: Lease,
    turn: Option<Lease>,
}

impl Pause {
    /// Asks for a pause and waits until no node runs the subscriber. `None`: another process pauses it already, or the node
    /// that runs it does not stop.
    ///
    /// # Errors
    /// When the database does not work.
    pub async fn begin(
        database: &Database,
        id: SubscriberId,
        owner: &str,
        clock: &Arc<dyn Clock>,
    ) -> Result<Option<Self>, DatabaseError> {
        let name = request_of(id.0);
        let Some(request) = Lease::take_among_processes(database, &name, owner, Arc::clone(clock)).await? else {
            return Ok(None);
        };
        if database.dialect() == Dialect::Sqlite {
            // The one server that may have the file open runs its subscribers without leases.
            clock.sleep(GRACE).await;
            return Ok(Some(Self { request, turn: None }));
        }
        let deadline = clock.now().plus(STOPS_WITHIN);
        while clock.now() < deadline {
            let turn = Lease::take_among_processes(database, &lease_of(id), owner, Arc::clone(clock)).await?;
            if turn.is_some() {
                return Ok(Some(Self { request, turn }));
            }
            clock.sleep(LOOK_FOR_LEASE).await;
        }
        request.release().await;
        Ok(None)
    }

    /// Whether it still lasts; it cannot end before the transaction does.
    ///
    /// # Errors
    /// When the database does not work.
    pub async fn confirm(&self, tx: &mut Transaction) -> Result<bool, DatabaseError> {
        let holds_turn = match &self.turn {
            Some(turn) => turn.confirm(tx).await?,
            None => true,
        };
        Ok(holds_turn && self.request.confirm(tx).await?)
    }

    /// Lets nodes run the subscriber again.
    pub async fn end(self) {
        if let Some(turn) = self.turn {
            turn.release().await;
        }
        self.request.release().await;
    }
}

fn request_of(subscriber: &str) -> String {
    format!("pause:{subscriber}")
}

/// Whether a process keeps nodes from running this subscriber.
pub(super) async fn is_asked_for(database: &Database, subscriber: &str) -> Result<bool, DatabaseError> {
    Lease::is_held(database, &request_of(subscriber)).await
}
