//! Backups: one file with everything that cannot be had otherwise, and restoring from it into any database.
//!
//! A backup is gzip of one JSON object a line, so `zcat` shows it: an opening, the rows of the tables that are kept outside of
//! the log, the events as an export has them ([`crate::audit`]), and an end that counts them. All of it is one state of the
//! database. An empty gzip member closes the file; its extra field `LC` holds the SHA-256 of all bytes before it, so that
//! every byte of the file is covered. Read models are not in it: they are filled from the events.
//!
//! Restoring verifies the checksum first and each event on its way. Before the first row is written, `restores` says that
//! the database is not whole, and the log has another name (`epoch`), so that no running node can write to it; after the
//! last one, it says that it is. Broken off anywhere in between, it must start from scratch.

mod format;
mod read;
mod restore;
mod tables;
#[cfg(test)]
mod tests;
mod write;

pub use format::Opening;
pub use read::{BackupError, BackupFile, Checked};
pub use restore::{Restore, RestoreError, Restored, UnfinishedRestore, find_unfinished};
pub use tables::{KEPT, KeptRow, KeptTable, LEFT_OUT};
pub use write::{BackupSummary, WriteError, backup};
