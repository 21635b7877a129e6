//! Gives up connections that lead to the wrong server.
//!
//! After a switch-over new connections reach the new primary, and those that are open stay with the old one, which is
//! read-only: it answers every read, with what it had. The first write that it refuses shows that all earlier connections
//! lead to the wrong server.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::database::DatabaseError;

/// A server that is read-only for a while, and no other, must not make a node connect again for each request.
const AT_MOST_EVERY: Duration = Duration::from_secs(1);

/// When all connections were given up last.
#[derive(Default)]
pub(super) struct Renewal(Mutex<Option<Instant>>);

impl Renewal {
    /// Whether a connection of this age was made before.
    pub(super) fn is_outdated(&self, age: Duration) -> bool {
        self.last().is_some_and(|last| age > last.elapsed())
    }

    /// Gives up all connections that were made until now, if the error says that they lead to the wrong server.
    pub(super) fn note(&self, error: &DatabaseError) {
        if !error.is_of_wrong_server() {
            return;
        }
        let mut last = self.last();
        if last.is_none_or(|last| last.elapsed() >= AT_MOST_EVERY) {
            tracing::warn!("the database takes no writes on this connection; all connections are made again");
            *last = Some(Instant::now());
        }
    }

    /// The error, after [`Self::note`].
    pub(super) fn noted(&self, error: DatabaseError) -> DatabaseError {
        self.note(&error);
        error
    }

    fn last(&self) -> MutexGuard<'_, Option<Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
