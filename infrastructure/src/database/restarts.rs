//! Notices that a server was restarted. What was read before may be gone then: MySQL and MariaDB show others what is
//! committed a moment before it is on the disk.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use sqlx::{Executor as _, MySqlConnection, Row as _};
use tokio::time::Instant;

/// Servers tell for how many whole seconds they have been running, and the answer takes a moment.
const TOLERANCE_SECONDS: i64 = 2;

/// When the server was started, as new connections tell.
#[derive(Debug)]
pub(super) struct Restarts {
    epoch: Instant,
    /// In seconds after `epoch`, mostly below zero.
    latest_start: AtomicI64,
    count: AtomicU64,
}

/// The start while no connection has told it.
const UNKNOWN: i64 = i64::MIN;

impl Restarts {
    pub(super) fn new() -> Self {
        Self { epoch: Instant::now(), latest_start: AtomicI64::new(UNKNOWN), count: AtomicU64::new(0) }
    }

    /// How many restarts were noticed. A connection is not used before its server was looked at.
    pub(super) fn count(&self) -> u64 {
        self.count.load(Ordering::SeqCst)
    }

    /// Looks at the server of a new connection.
    pub(super) async fn look_at(&self, connection: &mut MySqlConnection) -> Result<(), sqlx::Error> {
        let row = connection.fetch_one(sqlx::raw_sql("SHOW GLOBAL STATUS LIKE 'Uptime'")).await?;
        let uptime: String = row.try_get(1)?;
        // Whatever lies between here and the server may not know it.
        if let Ok(uptime) = uptime.parse::<i64>() {
            self.note(i64::try_from(self.epoch.elapsed().as_secs()).unwrap_or(i64::MAX) - uptime);
        }
        Ok(())
    }

    fn note(&self, start: i64) {
        let before = self.latest_start.fetch_max(start, Ordering::SeqCst);
        if before != UNKNOWN && start > before + TOLERANCE_SECONDS {
            self.count.fetch_add(1, Ordering::SeqCst);
            tracing::warn!("the database was restarted");
        }
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
