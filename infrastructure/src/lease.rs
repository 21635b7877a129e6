//! Leases, by the database's clock: which node does work that only one node may do.
//!
//! A lease keeps two nodes from doing the same work. It cannot stop a node that was asleep and does not know that its
//! lease has run out: whatever must not happen twice is fenced in the work's own transaction.

use std::sync::Arc;
use std::time::Duration;

use application::ports::Clock;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout};

use crate::database::{Database, DatabaseError, Dialect, ErrorClass, Transaction};
use crate::sql_args;

/// How long a lease lasts when it is not renewed.
const LASTS: Duration = Duration::from_secs(3);

/// How often it is renewed.
const RENEWED_EVERY: Duration = Duration::from_secs(1);

/// A lease that this node holds. It is renewed until it is released, lost or dropped.
pub struct Lease {
    table: Table,
    lost: watch::Receiver<bool>,
    // None on SQLite, where the process has the file for itself.
    renewal: Option<AbortHandle>,
}

impl Lease {
    /// Takes a lease that is free, has run out or belongs to this owner already. `None`: somebody else has it.
    ///
    /// # Errors
    /// When the database does not work.
    pub async fn take(
        database: &Database,
        name: &str,
        owner: &str,
        clock: Arc<dyn Clock>,
    ) -> Result<Option<Self>, DatabaseError> {
        if database.dialect() == Dialect::Sqlite {
            let table = Table { database: database.clone(), name: name.to_owned(), owner: owner.to_owned() };
            // The sender's end would look like a loss.
            let (_, lost) = watch::channel(false);
            return Ok(Some(Self { table, lost, renewal: None }));
        }
        Self::take_among_processes(database, name, owner, clock).await
    }

    /// The same for work that a command may do alongside a running service, also on an SQLite file.
    ///
    /// # Errors
    /// When the database does not work.
    pub async fn take_among_processes(
        database: &Database,
        name: &str,
        owner: &str,
        clock: Arc<dyn Clock>,
    ) -> Result<Option<Self>, DatabaseError> {
        let table = Table { database: database.clone(), name: name.to_owned(), owner: owner.to_owned() };
        let (sender, lost) = watch::channel(false);
        if !table.take().await? {
            return Ok(None);
        }
        let renewal = tokio::spawn(renew(table.clone(), clock, sender)).abort_handle();
        Ok(Some(Self { table, lost, renewal: Some(renewal) }))
    }

    /// Whether a process holds the lease of this name, as far as the table of leases says.
    ///
    /// # Errors
    /// When the database does not work.
    pub async fn is_held(database: &Database, name: &str) -> Result<bool, DatabaseError> {
        let sql = format!("SELECT owner FROM leases WHERE name = ? AND expires_us >= {}", database.now_micros());
        Ok(database.fetch_optional(&sql, sql_args![name]).await?.is_some())
    }

    /// Whether this node still holds it; nobody else can take it before the end of the transaction.
    ///
    /// # Errors
    /// When the database does not work.
    pub async fn confirm(&self, tx: &mut Transaction) -> Result<bool, DatabaseError> {
        let sql = format!("SELECT owner FROM leases WHERE name = ? AND owner = ?{}", tx.dialect().for_update());
        Ok(tx.fetch_optional(&sql, sql_args![&self.table.name, &self.table.owner]).await?.is_some())
    }

    /// Waits until somebody else may have the lease.
    pub async fn lost(&mut self) {
        if self.renewal.is_none() {
            return std::future::pending().await;
        }
        // An error means that the renewal has ended, which it does only after a loss.
        drop(self.lost.wait_for(|lost| *lost).await);
    }

    /// Makes the lease free for others. If that fails, it runs out by itself.
    pub async fn release(self) {
        let Some(renewal) = &self.renewal else { return };
        renewal.abort();
        if let Err(error) = self.table.release().await {
            tracing::debug!(error = &error as &dyn std::error::Error, lease = self.table.name, "not released");
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(renewal) = &self.renewal {
            renewal.abort();
        }
    }
}

async fn renew(table: Table, clock: Arc<dyn Clock>, lost: watch::Sender<bool>) {
    let mut sure_until = Instant::now() + LASTS;
    loop {
        clock.sleep(RENEWED_EVERY).await;
        let asked = Instant::now();
        match within(table.renew()).await {
            Ok(true) => sure_until = asked + LASTS,
            Ok(false) => break,
            Err(error) => {
                tracing::debug!(error = &error as &dyn std::error::Error, lease = table.name, "not renewed");
                if Instant::now() >= sure_until && !within(table.is_own()).await.unwrap_or(false) {
                    break;
                }
            }
        }
    }
    lost.send_replace(true);
}

async fn within<T>(asking: impl Future<Output = Result<T, DatabaseError>>) -> Result<T, DatabaseError> {
    timeout(RENEWED_EVERY, asking).await.unwrap_or(Err(DatabaseError::NoAnswer))
}

#[derive(Clone)]
struct Table {
    database: Database,
    name: String,
    owner: String,
}

impl Table {
    async fn take(&self) -> Result<bool, DatabaseError> {
        let now = self.database.now_micros();
        let update = format!(
            "UPDATE leases SET owner = ?, expires_us = {now} + ? WHERE name = ? AND (owner = ? OR expires_us < {now})"
        );
        let args = sql_args![&self.owner, lasts(), &self.name, &self.owner];
        if self.database.execute_unflushed(&update, args).await? > 0 {
            return Ok(true);
        }
        self.insert().await
    }

    async fn insert(&self) -> Result<bool, DatabaseError> {
        let found =
            self.database.fetch_optional("SELECT name FROM leases WHERE name = ?", sql_args![&self.name]).await?;
        if found.is_some() {
            return Ok(false);
        }
        let insert =
            format!("INSERT INTO leases (name, owner, expires_us) VALUES (?, ?, {} + ?)", self.database.now_micros());
        match self.database.execute_unflushed(&insert, sql_args![&self.name, &self.owner, lasts()]).await {
            Ok(_) => Ok(true),
            Err(error) if error.class() == ErrorClass::DuplicateKey => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn renew(&self) -> Result<bool, DatabaseError> {
        let now = self.database.now_micros();
        let sql = format!("UPDATE leases SET expires_us = {now} + ? WHERE name = ? AND owner = ?");
        Ok(self.database.execute_unflushed(&sql, sql_args![lasts(), &self.name, &self.owner]).await? > 0)
    }

    /// Whether nobody else has taken it, also after it has run out. A renewal may wait for a transaction that has locked the
    /// row, such as that of [`Lease::confirm`] during a slow change of tables; nobody else can take it meanwhile.
    async fn is_own(&self) -> Result<bool, DatabaseError> {
        let sql = "SELECT owner FROM leases WHERE name = ? AND owner = ?";
        Ok(self.database.fetch_optional(sql, sql_args![&self.name, &self.owner]).await?.is_some())
    }

    async fn release(&self) -> Result<(), DatabaseError> {
        let sql = "UPDATE leases SET expires_us = 0 WHERE name = ? AND owner = ?";
        self.database.execute_unflushed(sql, sql_args![&self.name, &self.owner]).await?;
        Ok(())
    }
}

fn lasts() -> i64 {
    i64::try_from(LASTS.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::SystemClock;
    use crate::testing::fresh_databases;

    async fn take(database: &Database, owner: &str) -> Option<Lease> {
        Lease::take(database, "work", owner, Arc::new(SystemClock)).await.unwrap()
    }

    #[tokio::test]
    async fn lease_belongs_to_one_until_it_is_released_or_runs_out() {
        for fresh in fresh_databases().await {
            let database = fresh.database;
            if database.dialect() == Dialect::Sqlite {
                assert!(take(&database, "a").await.is_some());
                continue;
            }
            let held = take(&database, "a").await.unwrap();
            assert!(take(&database, "b").await.is_none());
            assert!(take(&database, "a").await.is_some(), "it may be taken again by its owner");
            held.release().await;
            let held = take(&database, "b").await.unwrap();
            drop(held);
            assert!(take(&database, "a").await.is_none(), "dropped, it has to run out");
            database.execute("UPDATE leases SET expires_us = expires_us - 4000000", vec![]).await.unwrap();
            assert!(take(&database, "a").await.is_some());
        }
    }

    #[tokio::test]
    async fn lease_outlasts_a_transaction_of_its_holder_that_keeps_it_from_being_renewed() {
        let all = fresh_databases().await;
        let outlasting = all.iter().map(async |fresh| {
            let database = &fresh.database;
            let clock = Arc::new(SystemClock);
            let mut held = Lease::take_among_processes(database, "work", "a", clock).await.unwrap().unwrap();
            let mut tx = database.begin_view().await.unwrap();
            assert!(held.confirm(&mut tx).await.unwrap());
            assert!(timeout(LASTS + RENEWED_EVERY * 2, held.lost()).await.is_err(), "nobody else has it");
            tx.commit().await.unwrap();
            let renewed = async { while !Lease::is_held(database, "work").await.unwrap() {} };
            timeout(RENEWED_EVERY * 4, renewed).await.expect("it is renewed");
        });
        futures::future::join_all(outlasting).await;
    }

    #[tokio::test]
    async fn stolen_lease_is_lost() {
        for fresh in fresh_databases().await {
            let database = fresh.database;
            let mut held = take(&database, "a").await.unwrap();
            if database.dialect() == Dialect::Sqlite {
                continue;
            }
            database.execute("UPDATE leases SET owner = 'b'", vec![]).await.unwrap();
            tokio::time::timeout(Duration::from_secs(5), held.lost()).await.expect("it is lost");
        }
    }
}
