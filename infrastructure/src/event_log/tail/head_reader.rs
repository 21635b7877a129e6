//! Reads the end of the log, once for all callers that ask at the same time.

use std::sync::Arc;
use std::time::Duration;

use application::ports::{LogHead, Position, ReadError};
use tokio::sync::watch;
use tokio::time::timeout;

use super::recent_events::RecentEvents;
use crate::batching::Batching;
use crate::database::{Database, DatabaseError};
use crate::event_log::head;
use crate::event_log::history::{History, LogHint, TaskEnded};

/// How long a read of the end may take.
const READ_WITHIN: Duration = Duration::from_secs(5);

/// How long to wait for the tailer to reach a known end of the log. After that, callers ask the database instead.
const REACHED_WITHIN: Duration = Duration::from_secs(2);

type Read = Result<LogHead, Arc<DatabaseError>>;

/// Reads the end of the log.
pub(crate) struct HeadReader {
    heads: Batching<(), Read>,
    hint: LogHint,
    recent: Arc<RecentEvents>,
}

impl HeadReader {
    pub(crate) fn start(database: &Database, recent: &Arc<RecentEvents>, history: &History, hint: LogHint) -> Self {
        let (database, history) = (database.clone(), history.clone());
        let own_recent = Arc::clone(recent);
        let heads = Batching::start(move |askers: Vec<()>| {
            let (database, recent, history) = (database.clone(), Arc::clone(&own_recent), history.clone());
            async move {
                let read = read(&database, &recent, &history).await.map_err(Arc::new);
                vec![read; askers.len()]
            }
        });
        Self { heads, hint, recent: Arc::clone(recent) }
    }

    /// The end according to the database, read after this call began.
    pub(crate) async fn read(&self) -> Result<LogHead, ReadError> {
        let read = self.heads.ask(()).await.ok_or_else(|| ReadError::Unavailable { source: Box::new(TaskEnded) })?;
        read.map_err(|error| ReadError::Unavailable { source: Box::new(error) })
    }

    /// Waits, within bounds, until the recent events reach `end`.
    pub(crate) async fn reach(&self, end: Position, mut known: watch::Receiver<Position>) {
        if self.recent.end() >= end {
            return;
        }
        self.hint.look();
        // A caller that finds them still behind asks the database.
        drop(timeout(REACHED_WITHIN, known.wait_for(|known| *known >= end)).await);
    }
}

async fn read(database: &Database, recent: &RecentEvents, history: &History) -> Result<LogHead, DatabaseError> {
    let end = recent.end();
    let head = timeout(READ_WITHIN, head::read(database)).await.unwrap_or(Err(DatabaseError::NoAnswer))?;
    let holds = history.holds(&head);
    recent.note_end(head.position);
    if holds && (head.position < end || recent.contradicts(head.position, &head.chain_hash)) {
        // A crash of the database has rolled back what was read from it; see `Tailer::roll_back`.
        recent.roll_back(head.position);
    }
    Ok(head)
}
