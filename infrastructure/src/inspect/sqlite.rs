//! An embedded database.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use rustix::fs::{Access, access};

use super::{Finding, unknown, with_causes};
use crate::database::{Database, DatabaseError, SqliteVersion, is_foreign, unwritable_place};
use crate::sql_args;

const SUBJECT: &str = "database";
const FILE: &str = "database file";

/// How many lines of SQLite are shown.
const SHOWN: usize = 5;

/// What is to be said about a file that must not be opened by SQLite as the server does, which would change it.
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
        Ok(()) if head.starts_with(b"SQLite format 3\0") => (head[18] != 2).then(|| without_wal(file)),
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

/// The next start would refuse a file of another program, and change an own one.
fn without_wal(file: &Path) -> Finding {
    match is_foreign(file) {
        Ok(false) => {
            let found = format!("{} does not keep a write-ahead log (WAL)", file.display());
            Finding::warning(SUBJECT, found, "the next start switches it on; the rest was left out")
        }
        Ok(true) => {
            let found = format!("{}: {}", file.display(), DatabaseError::ForeignFile);
            Finding::failed(SUBJECT, found, "name a file of its own in DATABASE_URL. Nothing was changed")
        }
        Err(error) => unknown(SUBJECT, &error),
    }
}

/// What helps when SQLite cannot open a file that is there and can be read.
pub(super) fn advice_to_open(file: &Path) -> &'static str {
    if is_writable(folder_of(file)) {
        "put the file on a local disk: a write-ahead log does not work on network folders and file systems without shared \
         memory; the rest was left out"
    } else {
        "let the user who runs livechatlog write the folder: the write-ahead log is in it; the rest was left out"
    }
}

fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn is_writable(path: &Path) -> bool {
    access(path, Access::WRITE_OK).is_ok()
}

/// The finding about files that the server could not write, whatever `mode` it was given.
fn unwritable(file: &Path) -> Option<Finding> {
    let place = unwritable_place(file)?;
    let advice = "let the user who runs livechatlog write it; with sqlite:PATH?mode=ro it is only read";
    Some(Finding::failed(SUBJECT, format!("{} is not writable", place.display()), advice))
}

pub(super) async fn inspect(database: &Database, (url, integrity): (&str, bool), findings: &mut Vec<Finding>) {
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
    findings.extend(outdated(SqliteVersion::linked()));
    let file = Database::file(url).filter(|_| !url.ends_with("?mode=ro"));
    findings.extend(file.as_deref().and_then(unwritable));
    if integrity {
        findings.push(whole(database, url).await);
    }
}

/// Warns of a SQLite that may lose commits.
fn outdated(linked: SqliteVersion) -> Option<Finding> {
    linked.is_unsafe().then(|| {
        let found = format!("SQLite {linked} may lose committed transactions (the WAL-reset bug)");
        let advice = format!(
            "build livechatlog with its bundled SQLite, or with a library of {} or later",
            SqliteVersion::FIRST_SAFE
        );
        Finding::warning(SUBJECT, found, advice)
    })
}

async fn settings(database: &Database) -> Result<(String, String), DatabaseError> {
    let version = database.fetch_all("SELECT sqlite_version() AS value", vec![]).await?;
    let journal = database.fetch_all("SELECT journal_mode AS value FROM pragma_journal_mode()", vec![]).await?;
    let text = |rows: &[crate::database::Row]| rows.first().map(|row| row.text("value")).transpose();
    Ok((text(&version)?.unwrap_or_default(), text(&journal)?.unwrap_or_default()))
}

async fn whole(database: &Database, url: &str) -> Finding {
    match quick_check(database, None).await {
        Ok(said) if said.is_empty() => Finding::ok(FILE, "every page and index is whole"),
        Ok(said) => damaged(url, &with_tables(database, said).await),
        Err(error) if error.is_damage() => damaged(url, &with_tables(database, vec![with_causes(&error)]).await),
        Err(error) => unknown(FILE, &error),
    }
}

/// What SQLite finds wrong with a table and its indexes, or with the whole file.
async fn quick_check(database: &Database, table: Option<&str>) -> Result<Vec<String>, DatabaseError> {
    const WHOLE: &str = "SELECT quick_check AS value FROM pragma_quick_check()";
    const TABLE: &str = "SELECT quick_check AS value FROM pragma_quick_check(?)";
    let rows = match table {
        Some(table) => database.fetch_all(TABLE, sql_args![table]).await?,
        None => database.fetch_all(WHOLE, vec![]).await?,
    };
    let said = rows.iter().map(|row| row.text("value")).collect::<Result<Vec<_>, _>>()?;
    Ok(said.into_iter().filter(|line| line != "ok").collect())
}

/// SQLite names pages, which say nothing to a reader: each table is looked at by itself.
async fn with_tables(database: &Database, said: Vec<String>) -> String {
    const TABLES: &str = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name";
    let names = database.fetch_all(TABLES, vec![]).await;
    let names = names.and_then(|rows| Ok(rows.iter().map(|row| row.text("name")).collect::<Result<Vec<_>, _>>()?));
    let Ok(names) = names else { return format!("its list of tables; SQLite says: {}", shortened(&said)) };
    let mut damaged = vec![];
    for name in names {
        match quick_check(database, Some(&name)).await {
            Ok(said) if said.is_empty() => {}
            _ => damaged.push(name),
        }
    }
    let tables = if damaged.is_empty() { "no table, but free pages".to_owned() } else { damaged.join(", ") };
    format!("{tables}; SQLite says: {}", shortened(&said))
}

/// SQLite reports up to a hundred faults.
fn shortened(said: &[String]) -> String {
    let lines: Vec<_> = said.iter().flat_map(|text| text.lines()).collect();
    let more = lines.len().saturating_sub(SHOWN);
    let shown = lines[..lines.len() - more].join("; ");
    if more == 0 { shown } else { format!("{shown}; and {more} more") }
}

/// What is to be said about a file that SQLite cannot read as a whole.
pub(super) fn damaged(url: &str, what: &str) -> Finding {
    let file = Database::file(url).unwrap_or_default();
    let advice = "stop the server and keep the file. If `livechatlog audit verify` finds the log whole, take a backup now; \
                  else use the newest one. Restore it into a new file (`livechatlog restore`), on another disk if this \
                  one may be failing";
    Finding::failed(FILE, format!("{} is damaged: {what}", file.display()), advice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_that_cannot_be_opened_though_its_folder_can_be_written_lies_on_an_unfit_file_system() {
        let folder = tempfile::tempdir().unwrap();
        assert!(advice_to_open(&folder.path().join("log.db")).starts_with("put the file on a local disk"));
        let nowhere = folder.path().join("nowhere").join("log.db");
        assert!(advice_to_open(&nowhere).starts_with("let the user who runs livechatlog write the folder"));
    }

    #[test]
    fn only_sqlite_with_the_wal_reset_bug_is_warned_of() {
        assert!(outdated(SqliteVersion { number: 3_051_002 }).is_some());
        assert!(outdated(SqliteVersion::FIRST_SAFE).is_none());
        assert!(outdated(SqliteVersion::linked()).is_none());
    }
}
