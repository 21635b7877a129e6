//! An embedded database.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use super::{Finding, unknown};
use crate::database::{Database, DatabaseError};

const SUBJECT: &str = "database";

/// What is to be said about a file that must not be opened by SQLite, which would change it.
pub(super) fn before_opening(file: &Path) -> Option<Finding> {
    let mut head = [0; 20];
    let read = File::open(file).and_then(|mut file| file.read_exact(&mut head));
    match read {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Some(Finding::ok(SUBJECT, format!("{} is not there yet: the first start makes it", file.display())))
        }
        Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => {
            let advice = "let the user who runs livechatlog read and write it";
            Some(Finding::failed(SUBJECT, format!("{} cannot be read: {error}", file.display()), advice))
        }
        Ok(()) if head.starts_with(b"SQLite format 3\0") => (head[18] != 2).then(|| {
            let found = format!("{} does not keep a write-ahead log (WAL)", file.display());
            Finding::warning(SUBJECT, found, "the next start switches it on; the rest was left out")
        }),
        _ => {
            let found = format!("{} is no SQLite database", file.display());
            Some(Finding::failed(
                SUBJECT,
                found,
                "name another file in DATABASE_URL, or restore a backup into a new one",
            ))
        }
    }
}

pub(super) async fn inspect(database: &Database, integrity: bool, findings: &mut Vec<Finding>) {
    findings.push(match settings(database).await {
        Ok((version, journal)) if journal == "wal" => Finding::ok(
            SUBJECT,
            format!("SQLite {version}, write-ahead log, every append is on the disk when answered"),
        ),
        Ok((version, journal)) => {
            let advice = "put the file on a local disk: a write-ahead log does not work on network folders";
            Finding::failed(SUBJECT, format!("SQLite {version} with journal mode {journal}"), advice)
        }
        Err(error) => unknown(SUBJECT, &error),
    });
    if integrity {
        findings.push(whole(database).await);
    }
}

async fn settings(database: &Database) -> Result<(String, String), DatabaseError> {
    let version = database.fetch_all("SELECT sqlite_version() AS value", vec![]).await?;
    let journal = database.fetch_all("SELECT journal_mode AS value FROM pragma_journal_mode()", vec![]).await?;
    let text = |rows: &[crate::database::Row]| rows.first().map(|row| row.text("value")).transpose();
    Ok((text(&version)?.unwrap_or_default(), text(&journal)?.unwrap_or_default()))
}

async fn whole(database: &Database) -> Finding {
    let found = database.fetch_all("SELECT quick_check AS value FROM pragma_quick_check()", vec![]).await;
    let said = found.and_then(|rows| Ok(rows.iter().map(|row| row.text("value")).collect::<Result<Vec<_>, _>>()?));
    match said {
        Ok(said) if said == ["ok"] => Finding::ok("database file", "every page and index is whole"),
        Ok(said) => {
            let advice = "the disk may be failing: restore the newest backup onto another one";
            Finding::failed("database file", said.join("; "), advice)
        }
        Err(error) => unknown("database file", &error),
    }
}
