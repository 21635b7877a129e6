//! Where the log ends now, for everybody who asks at the same time.

use std::sync::Arc;
use std::time::Duration;

use application::ports::{LogHead, Position, ReadError};
use tokio::sync::watch;
use tokio::time::timeout;

use super::recent_events::Ring;
use crate::batching::Batching;
use crate::database::{Database, DatabaseError};
use crate::event_log::head;
use crate::event_log::history::{History, LogHint, TaskEnded};

/// How long the database may take to tell the end.
const READ_WITHIN: Duration = Duration::from_secs(5);

/// How long it may take until the ring holds what is known to be in the log. Then the database is asked instead.
const REACHED_WITHIN: Duration = Duration::from_secs(2);

type Read = Result<LogHead, Arc<DatabaseError>>;

/// Reads the end of the log.
pub(crate) struct Ends {
    heads: Batching<(), Read>,
    hint: LogHint,
    ring: Arc<Ring>,
}

impl Ends {
    pub(crate) fn start(database: &Database, ring: &Arc<Ring>, history: &History, hint: LogHint) -> Self {
        let (database, history) = (database.clone(), history.clone());
        let own_ring = Arc::clone(ring);
        let heads = Batching::start(move |askers: Vec<()>| {
            let (database, ring, history) = (database.clone(), Arc::clone(&own_ring), history.clone());
            async move {
                let read = read(&database, &ring, &history).await.map_err(Arc::new);
                vec![read; askers.len()]
            }
        });
        Self { heads, hint, ring: Arc::clone(ring) }
    }

    /// The end as the database holds it, read after this was called.
    pub(crate) async fn read(&self) -> Result<LogHead, ReadError> {
        let read = self.heads.ask(()).await.ok_or_else(|| ReadError::Unavailable { source: Box::new(TaskEnded) })?;
        read.map_err(|error| ReadError::Unavailable { source: Box::new(error) })
    }

    /// Waits, within bounds, until the ring has taken in what the log holds up to `end`.
    pub(crate) async fn reach(&self, end: Position, mut known: watch::Receiver<Position>) {
        if self.ring.end() >= end {
            return;
        }
        self.hint.look();
        // Whoever finds the ring behind asks the database.
        drop(timeout(REACHED_WITHIN, known.wait_for(|known| *known >= end)).await);
    }
}

async fn read(database: &Database, ring: &Ring, history: &History) -> Result<LogHead, DatabaseError> {
    let end = ring.end();
    let head = timeout(READ_WITHIN, head::read(database)).await.unwrap_or(Err(DatabaseError::NoAnswer))?;
    let holds = history.holds(&head);
    ring.heard_of(head.position);
    if holds && (head.position < end || ring.contradicts(head.position, &head.chain_hash)) {
        // A crash of the database has taken back what was read from it; see `Feed::set_back`.
        ring.set_back(head.position);
    }
    Ok(head)
}
