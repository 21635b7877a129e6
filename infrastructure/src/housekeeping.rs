//! Deletes rows that are kept outside of the log for a limited time.

use std::sync::Arc;
use std::time::Duration;

use application::ports::{Clock, Ids};
use domain::time::Timestamp;

use crate::database::{Database, DatabaseError, SqlValue, placeholders};
use crate::lease::Lease;
use crate::sql_args;

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(24 * 3_600);

/// How often it is done.
const EVERY: Duration = HOUR;

/// How long after the start it is done first.
const FIRST: Duration = Duration::from_secs(60);

/// How many rows are looked at in one statement: others want to write, too.
const CHUNK: usize = 500;

/// A table whose rows go after a time.
struct Kept {
    table: &'static str,
    /// Its primary key. The table is walked in its order: an index by age would burden every write.
    key: &'static str,
    /// Whether a row may go, with the one time that is asked for.
    is_old: &'static str,
    keep: Duration,
}

const TABLES: [Kept; 4] = [
    Kept {
        table: "stream_tickets",
        key: "id",
        is_old: "CASE WHEN holder IS NULL THEN use_by_us ELSE ends_us END < ?",
        keep: HOUR,
    },
    // What people wrote can be in them.
    Kept { table: "idempotent_responses", key: "command_id", is_old: "created_us < ?", keep: DAY },
    // A command that comes again later than this is a new one.
    Kept { table: "command_log", key: "command_id", is_old: "recorded_us < ?", keep: Duration::from_secs(30 * 86_400) },
    Kept { table: "sessions", key: "id", is_old: "COALESCE(ended_us, expires_us) < ?", keep: DAY },
];

/// Deletes old answers (after a day), the memory of old commands (after 30 days) ended sessions (after a day) and
/// tickets (after an hour).
pub struct Housekeeper {
    database: Database,
    clock: Arc<dyn Clock>,
    owner: String,
}

impl Housekeeper {
    /// For a node that is to appear as one owner of leases.
    #[must_use]
    pub fn new(database: Database, clock: Arc<dyn Clock>, ids: &dyn Ids) -> Self {
        Self { database, clock, owner: ids.new_uuid().to_string() }
    }

    /// Does it a minute after the start and then every hour, on one node at a time; never ends.
    pub async fn run(self) {
        let mut pause = FIRST;
        loop {
            self.clock.sleep(pause).await;
            pause = EVERY;
            match self.sweep_if_free().await {
                Ok(0) => {}
                Ok(rows) => tracing::info!(rows, "deleted old rows"),
                // The next hour will do.
                Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "could not delete old rows"),
            }
        }
    }

    async fn sweep_if_free(&self) -> Result<u64, DatabaseError> {
        let clock = Arc::clone(&self.clock);
        let Some(lease) = Lease::take(&self.database, "housekeeping", &self.owner, clock).await? else { return Ok(0) };
        let swept = self.sweep().await;
        lease.release().await;
        swept
    }

    /// Deletes what is old, and returns the number of rows.
    ///
    /// # Errors
    /// When it failed for a table; the others are done all the same. Of several errors, the last.
    pub async fn sweep(&self) -> Result<u64, DatabaseError> {
        let mut outcome = Ok(0);
        for kept in &TABLES {
            let before = earlier(self.clock.now(), kept.keep);
            match self.sweep_table(kept, before).await {
                Ok(rows) => outcome = outcome.map(|sum| sum + rows),
                Err(error) => outcome = Err(error),
            }
        }
        outcome
    }

    async fn sweep_table(&self, kept: &Kept, before: Timestamp) -> Result<u64, DatabaseError> {
        let Kept { table, key, is_old, .. } = kept;
        let walk = format!(
            "SELECT {key} AS k, CASE WHEN {is_old} THEN 1 ELSE 0 END AS is_old FROM {table}
             WHERE {key} > ? ORDER BY {key} LIMIT {CHUNK}"
        );
        let (mut deleted, mut after) = (0, String::new());
        loop {
            let rows = self.database.fetch_all(&walk, sql_args![before, &after]).await?;
            let Some(last) = rows.last() else { return Ok(deleted) };
            after = last.text("k")?;
            let mut old = vec![];
            for row in &rows {
                if row.int("is_old")? == 1 {
                    old.push(row.text("k")?);
                }
            }
            deleted += self.delete(kept, &old, before).await?;
        }
    }

    async fn delete(&self, kept: &Kept, keys: &[String], before: Timestamp) -> Result<u64, DatabaseError> {
        if keys.is_empty() {
            return Ok(0);
        }
        let Kept { table, key, is_old, .. } = kept;
        // A row may have become young again since it was looked at.
        let sql = format!("DELETE FROM {table} WHERE {key} IN ({}) AND {is_old}", placeholders(keys.len()));
        let keys = keys.iter().map(|key| SqlValue::from(key.as_str()));
        self.database.execute(&sql, keys.chain(sql_args![before]).collect()).await
    }
}

fn earlier(time: Timestamp, span: Duration) -> Timestamp {
    Timestamp::from_micros(time.as_micros() - i64::try_from(span.as_micros()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::{RandomIds, SystemClock};
    use crate::testing::fresh_databases;

    const COUNTS: &str = "SELECT (SELECT COUNT(*) FROM idempotent_responses) AS answers,
        (SELECT COUNT(*) FROM command_log) AS commands, (SELECT COUNT(*) FROM sessions) AS sessions";

    async fn fill(database: &Database, number: u32, age: Duration) {
        let at = earlier(SystemClock.now(), age).as_micros();
        let id = |number: u32| format!("{number:08}-0000-7000-8000-000000000000");
        let statements = [
            format!("INSERT INTO idempotent_responses VALUES ('{0}', X'00', 200, '{{}}', {at})", id(number)),
            format!("INSERT INTO command_log VALUES ('{0}', X'00', 1, 1, {at})", id(number)),
            format!("INSERT INTO sessions VALUES ('{0}', '{0}', X'00', {at}, NULL)", id(number)),
            format!(
                "INSERT INTO sessions VALUES ('{1}', '{0}', X'00', {2}, {at})",
                id(number),
                id(number + 5_000_000),
                i64::MAX
            ),
        ];
        for sql in statements {
            database.execute(&sql, vec![]).await.unwrap();
        }
    }

    async fn counts(database: &Database) -> [i64; 3] {
        let row = database.fetch_optional(COUNTS, vec![]).await.unwrap().unwrap();
        ["answers", "commands", "sessions"].map(|column| row.int(column).unwrap())
    }

    #[tokio::test]
    async fn rows_go_when_their_time_is_over() {
        for fresh in fresh_databases().await {
            let ages = [(1, HOUR), (2, DAY - HOUR), (3, DAY + HOUR), (4, DAY * 29), (5, DAY * 31)];
            for (number, age) in ages {
                fill(&fresh.database, number, age).await;
            }
            let housekeeper = Housekeeper::new(fresh.database.clone(), Arc::new(SystemClock), &RandomIds);
            assert_eq!(housekeeper.sweep_if_free().await.unwrap(), 3 + 1 + 6);
            assert_eq!(counts(&fresh.database).await, [2, 4, 4]);
            assert_eq!(housekeeper.sweep().await.unwrap(), 0);
        }
    }

    #[tokio::test]
    async fn many_rows_are_walked_in_chunks() {
        for fresh in fresh_databases().await {
            for number in 0..CHUNK as u32 + 20 {
                fill(&fresh.database, number, DAY * if number % 2 == 0 { 40 } else { 0 }).await;
            }
            let housekeeper = Housekeeper::new(fresh.database.clone(), Arc::new(SystemClock), &RandomIds);
            housekeeper.sweep().await.unwrap();
            assert_eq!(counts(&fresh.database).await, [260, 260, 520]);
        }
    }

    #[tokio::test]
    async fn one_table_that_fails_leaves_the_others_clean() {
        for fresh in fresh_databases().await {
            fill(&fresh.database, 1, DAY * 40).await;
            fresh.database.execute("ALTER TABLE idempotent_responses RENAME TO gone", vec![]).await.unwrap();
            let housekeeper = Housekeeper::new(fresh.database.clone(), Arc::new(SystemClock), &RandomIds);
            assert!(housekeeper.sweep().await.is_err());
            fresh.database.execute("ALTER TABLE gone RENAME TO idempotent_responses", vec![]).await.unwrap();
            assert_eq!(counts(&fresh.database).await, [1, 0, 0]);
        }
    }

    #[tokio::test]
    async fn one_node_is_enough() {
        for fresh in fresh_databases().await {
            if fresh.database.dialect() == crate::database::Dialect::Sqlite {
                continue;
            }
            fill(&fresh.database, 1, DAY * 40).await;
            let clock: Arc<dyn Clock> = Arc::new(SystemClock);
            let other = Lease::take(&fresh.database, "housekeeping", "other", Arc::clone(&clock)).await.unwrap();
            let housekeeper = Housekeeper::new(fresh.database.clone(), clock, &RandomIds);
            assert_eq!(housekeeper.sweep_if_free().await.unwrap(), 0);
            other.unwrap().release().await;
            assert_eq!(housekeeper.sweep_if_free().await.unwrap(), 4);
        }
    }
}
