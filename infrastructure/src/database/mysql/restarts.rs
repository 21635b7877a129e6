//! Notices that a server was restarted. What was read before may be gone then: MySQL and MariaDB show others what is
//! committed a moment before it is on the disk.
//!
//! Two starts within about three seconds are taken for one. That another server has taken over which has been running for
//! longer, or that a proxy stands between, is not noticed.

use std::sync::{Mutex, PoisonError};

use sqlx::{Executor as _, MySqlConnection, Row as _};
use tokio::time::Instant;

/// Servers report for how many whole seconds they have been running, and the answer takes a moment.
const TOLERANCE_SECONDS: i64 = 2;

/// When the server was started, as new connections report it.
pub(crate) struct Restarts {
    epoch: Instant,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    /// In seconds after `epoch`, mostly below zero; none until a connection has reported it.
    latest_start: Option<i64>,
    restarts: u64,
}

impl Restarts {
    pub(crate) fn new() -> Self {
        Self { epoch: Instant::now(), seen: Mutex::default() }
    }

    /// How many restarts were noticed. A connection is not used before its server was looked at.
    pub(crate) fn count(&self) -> u64 {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).restarts
    }

    /// Asks the server of a new connection. A server that does not report its uptime is not watched.
    pub(crate) async fn look_at(&self, connection: &mut MySqlConnection) -> Result<(), sqlx::Error> {
        let row = connection.fetch_optional(sqlx::raw_sql("SHOW GLOBAL STATUS LIKE 'Uptime'")).await?;
        let uptime = row.and_then(|row| row.try_get::<String, _>(1).ok()?.parse::<i64>().ok());
        if let Some(uptime) = uptime {
            self.note(i64::try_from(self.epoch.elapsed().as_secs()).unwrap_or(i64::MAX) - uptime);
        }
        Ok(())
    }

    fn note(&self, start: i64) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.latest_start.is_some_and(|latest| start > latest + TOLERANCE_SECONDS) {
            seen.restarts += 1;
            tracing::warn!("the database seems to have been restarted");
        }
        seen.latest_start = seen.latest_start.max(Some(start));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_start_is_a_restart_and_a_slow_answer_is_none() {
        let restarts = Restarts::new();
        let counts = [-70, -70, -69, -71, -67, -65, -62, -63, 20].map(|start| {
            restarts.note(start);
            restarts.count()
        });
        assert_eq!(counts, [0, 0, 0, 0, 0, 0, 1, 1, 2]);
    }
}
