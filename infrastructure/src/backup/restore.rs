//! Filling an empty database from a backup.

use application::ports::{Epoch, EventHeader, Position};
use domain::ids::{EntityId as _, EventId};
use tokio::sync::mpsc;
use tokio::task::JoinError;

use super::format::Opening;
use super::read::{BackupError, BackupFile, BackupReader, Checked, Item};
use super::tables::{KEPT, KeptRow, LEFT_OUT};
use crate::database::{
    Database, DatabaseError, Dialect, MigrateError, RowError, SchemaLock, SqlValue, Transaction, new_epoch,
};
use crate::event_log::Evidence;
use crate::sql_args;

/// What is written in one transaction at most: rows, and bytes of text. A statement holds no more than that, and every server
/// takes a statement of a mebibyte.
const PAGE_ROWS: usize = 1_000;
const PAGE_BYTES: usize = 512 << 10;

/// How many pages are read ahead of those that are written.
const AHEAD: usize = 2;

const EVENT_COLUMNS: [&str; 17] = [
    "position",
    "aggregate_type",
    "aggregate_id",
    "sequence",
    "event_type",
    "event_version",
    "payload",
    "metadata",
    "event_id",
    "command_id",
    "causation_id",
    "correlation_id",
    "actor",
    "recorded_us",
    "salt",
    "payload_digest",
    "chain_hash",
];

/// Why nothing was restored, or not all.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// Somebody has worked in the database.
    #[error("the database is not empty: there {what}; a backup is restored into a new one")]
    NotEmpty {
        /// What was found.
        what: &'static str,
    },
    /// Somebody has written to the database meanwhile.
    #[error("another program has written to the database during the restore")]
    Disturbed,
    /// The backup cannot be used.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// The schema cannot be brought to this version.
    #[error("the schema cannot be used")]
    Schema(#[from] MigrateError),
    /// The database does not work.
    #[error("the database does not take the backup")]
    Database(#[from] DatabaseError),
    /// The task that reads has ended.
    #[error("the task that reads the backup has ended")]
    Task(#[from] JoinError),
}

impl From<RowError> for RestoreError {
    fn from(error: RowError) -> Self {
        Self::Database(error.into())
    }
}

/// A restore that has not come to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnfinishedRestore {
    /// The name that the history was to have.
    pub epoch: Epoch,
}

/// A finished restore.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// The content of the backup, as proved while it was read.
    pub backup: Checked,
    /// The new name of the history.
    pub epoch: Epoch,
}

/// The restore that is under way in a database, or has broken off there: nothing else can be done with it until one is
/// finished.
///
/// # Errors
/// When the database does not work.
pub async fn find_unfinished(database: &Database) -> Result<Option<UnfinishedRestore>, DatabaseError> {
    if !database.has_table("restores").await? {
        return Ok(None);
    }
    let row = database.fetch_optional("SELECT epoch FROM restores WHERE finished_us IS NULL", vec![]).await?;
    let epoch = row.map(|row| row.uuid("epoch")).transpose()?;
    Ok(epoch.map(|epoch| UnfinishedRestore { epoch }))
}

/// A restore that is under way. If it is dropped before its end, another restore into the database must start from scratch.
pub struct Restore {
    database: Database,
    lock: SchemaLock,
    opening: Opening,
    epoch: Epoch,
}

impl Restore {
    /// Makes sure that the database is empty, up to what an earlier restore has left, and says in it that it is not whole
    /// from now on. `views` are the tables that are filled from the log. On SQLite the caller keeps other processes out.
    ///
    /// # Errors
    /// See [`RestoreError`].
    pub async fn begin(database: &Database, views: &[&str], file: &BackupFile) -> Result<Self, RestoreError> {
        ensure_no_store(database).await?;
        database.migrate().await?;
        let lock = database.lock_schema().await?;
        let (opening, epoch) = (file.opening().clone(), new_epoch()?);
        mark(database, epoch, &opening).await?;
        let kept = KEPT.iter().map(|table| table.name);
        let left_out = LEFT_OUT.iter().map(|(name, _)| *name);
        // Those two describe this database itself.
        let own = left_out.filter(|name| !["restores", "schema_migrations"].contains(name));
        for table in views.iter().copied().chain(kept).chain(own).chain(["events"]) {
            empty(database, table).await?;
        }
        Ok(Self { database: database.clone(), lock, opening, epoch })
    }

    /// Writes everything, verifying it, and then the log's end. `progress` is called with each position that has been
    /// written, and with the last one. What is left is to fill the read models, and [`Self::finish`].
    ///
    /// # Errors
    /// See [`RestoreError`].
    pub async fn fill(
        &self,
        file: &BackupFile,
        mut progress: impl FnMut(Position, Position) + Send,
    ) -> Result<Restored, RestoreError> {
        let reader = file.reader()?;
        let (sender, mut pages) = mpsc::channel(AHEAD);
        let reading = tokio::task::spawn_blocking(move || read_pages(reader, &sender));
        let mut failed = None;
        while let Some(page) = pages.recv().await {
            if let Err(error) = self.write(&page).await {
                failed = Some(error);
                break;
            }
            progress(page.position, self.opening.position);
        }
        drop(pages);
        let backup = reading.await?;
        if let Some(error) = failed {
            return Err(error);
        }
        let backup = backup?;
        self.set_head().await?;
        Ok(Restored { backup, epoch: self.epoch })
    }

    /// Says that the database is whole: from now on servers start on it.
    ///
    /// # Errors
    /// See [`RestoreError`].
    pub async fn finish(self) -> Result<(), RestoreError> {
        // Of all connections this is the one whose commits are on the disk, with everything before them.
        let mut session = self.database.log_session().await?;
        let now = self.database.now_micros();
        let sql = format!("UPDATE restores SET finished_us = {now} WHERE epoch = '{}'", self.epoch);
        session.run(&sql).await?;
        session.close().await;
        self.lock.release().await;
        Ok(())
    }

    /// Another restore that takes over waits for this transaction, and is noticed by the next one.
    async fn write(&self, page: &Page) -> Result<(), RestoreError> {
        let mut tx = self.database.begin_view().await?;
        let own = format!("SELECT id FROM log_head WHERE id = 1 AND epoch = ?{}", tx.dialect().for_update());
        if tx.fetch_optional(&own, sql_args![self.epoch]).await?.is_none() {
            return Err(RestoreError::Disturbed);
        }
        for table in &KEPT {
            let rows = page.rows.iter().filter(|row| row.table == table.name);
            let rows: Vec<_> = rows.filter_map(|row| table.values(row)).collect();
            tx.insert_many(table.name, &table.columns(), rows).await?;
        }
        tx.insert_many("events", &EVENT_COLUMNS, page.events.iter().map(values).collect()).await?;
        Ok(tx.commit().await?)
    }

    /// Nobody else can have moved it: its name is known to this program only.
    async fn set_head(&self) -> Result<(), RestoreError> {
        const UPDATE: &str = "UPDATE log_head SET position = ?, chain_hash = ?, recorded_us = ?
            WHERE id = 1 AND position = 0 AND epoch = ?";
        let Opening { position, hash, recorded_at, .. } = self.opening;
        let args = sql_args![position, hash.0, recorded_at, self.epoch];
        match self.database.execute(UPDATE, args).await? {
            1 => Ok(()),
            _ => Err(RestoreError::Disturbed),
        }
    }
}

/// Refuses a store before its schema is brought to this version: its own program could not use it any more.
async fn ensure_no_store(database: &Database) -> Result<(), RestoreError> {
    let pending = database.pending_migrations().await?;
    if Database::is_new(&pending) || find_unfinished(database).await?.is_some() {
        return Ok(());
    }
    match database.fetch_optional("SELECT position FROM events LIMIT 1", vec![]).await? {
        Some(_) => Err(RestoreError::NotEmpty { what: "are events in its log" }),
        None => Ok(()),
    }
}

/// Gives the log its new name, which keeps every node that has the database open from writing to it.
async fn mark(database: &Database, epoch: Epoch, opening: &Opening) -> Result<(), RestoreError> {
    const REWIND: &str = "UPDATE log_head SET position = 0, chain_hash = ?, recorded_us = 0, epoch = ? WHERE id = 1";
    let mut tx = database.begin_view().await?;
    let lock_head = format!("SELECT position FROM log_head WHERE id = 1{}", tx.dialect().for_update());
    let head = tx.fetch_optional(&lock_head, vec![]).await?.map(|row| row.int("position")).transpose()?;
    let unfinished = "SELECT epoch FROM restores WHERE finished_us IS NULL";
    if tx.fetch_optional(unfinished, vec![]).await?.is_none() {
        ensure_empty(&mut tx, head.unwrap_or_default()).await?;
    }
    tx.execute(REWIND, sql_args![[0_u8; 32], epoch]).await?;
    tx.execute("DELETE FROM restores WHERE finished_us IS NULL", vec![]).await?;
    let insert = format!(
        "INSERT INTO restores (epoch, from_epoch, position, begun_us, finished_us) VALUES (?, ?, ?, {}, NULL)",
        tx.dialect().now_micros()
    );
    tx.execute(&insert, sql_args![epoch, opening.epoch, opening.position]).await?;
    Ok(tx.commit().await?)
}

async fn ensure_empty(tx: &mut Transaction, position: Position) -> Result<(), RestoreError> {
    if position > 0 || tx.fetch_optional("SELECT position FROM events LIMIT 1", vec![]).await?.is_some() {
        return Err(RestoreError::NotEmpty { what: "are events in its log" });
    }
    if tx.fetch_optional("SELECT agent_id FROM credentials LIMIT 1", vec![]).await?.is_some() {
        return Err(RestoreError::NotEmpty { what: "are passwords of agents in it" });
    }
    Ok(())
}

/// Takes all rows away, however many.
async fn empty(database: &Database, table: &str) -> Result<(), DatabaseError> {
    // MySQL writes the whole table again, which takes its time.
    if database.fetch_optional(&format!("SELECT 1 AS found FROM {table} LIMIT 1"), vec![]).await?.is_none() {
        return Ok(());
    }
    let sql = match database.dialect() {
        Dialect::Mysql => format!("TRUNCATE TABLE {table}"),
        Dialect::Sqlite => format!("DELETE FROM {table}"),
    };
    database.execute(&sql, vec![]).await?;
    Ok(())
}

/// What is written in one transaction.
#[derive(Default)]
struct Page {
    rows: Vec<KeptRow>,
    events: Vec<Evidence>,
    position: Position,
    bytes: usize,
}

impl Page {
    fn add(&mut self, item: Item) {
        match item {
            Item::Row(row) => {
                self.bytes += row.values.values().map(|value| value.as_str().map_or(8, str::len)).sum::<usize>();
                self.rows.push(row);
            }
            Item::Event(event) => {
                self.bytes += event.payload.len() + event.metadata.len();
                self.events.push(*event);
            }
        }
    }

    fn is_full(&self) -> bool {
        self.rows.len() + self.events.len() >= PAGE_ROWS || self.bytes >= PAGE_BYTES
    }
}

/// Reads and verifies pages while those before are written. It ends early when nobody receives.
fn read_pages(mut reader: BackupReader, pages: &mpsc::Sender<Page>) -> Result<Checked, BackupError> {
    let mut page = Page::default();
    while let Some(item) = reader.next()? {
        page.add(item);
        if page.is_full() {
            page.position = reader.position();
            if pages.blocking_send(std::mem::take(&mut page)).is_err() {
                return Ok(reader.checked());
            }
        }
    }
    page.position = reader.position();
    // A receiver that is gone knows why.
    drop(pages.blocking_send(page));
    Ok(reader.checked())
}

fn values(event: &Evidence) -> Vec<SqlValue> {
    let Evidence { header, payload, metadata, salt, payload_digest } = event;
    let EventHeader {
        position,
        aggregate_type,
        aggregate_id,
        sequence,
        event_id,
        event_type,
        event_version,
        command_id,
        causation_id,
        correlation_id,
        actor,
        recorded_at,
        chain_hash,
    } = header;
    sql_args![
        *position,
        aggregate_type.as_str(),
        *aggregate_id,
        *sequence,
        event_type,
        event_version,
        payload,
        metadata,
        event_id.uuid(),
        command_id.uuid(),
        causation_id.map(EventId::uuid),
        *correlation_id,
        actor,
        *recorded_at,
        salt.clone(),
        *payload_digest,
        *chain_hash,
    ]
}
