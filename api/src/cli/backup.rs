use std::error::Error;
use std::fs::{self, File};
use std::io::{self, Read as _, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use clap::Args;
use infrastructure::backup::{BackupSummary, WriteError, backup};
use infrastructure::database::Database;
use serde_json::json;
use tempfile::{Builder, NamedTempFile};

use super::INTERRUPTED;
use super::progress::Progress;
use super::signals::interrupted;
use crate::cli::output::say;
use crate::config::Settings;
use crate::wiring::open_as_it_is;

/// The first bytes of a gzip file (RFC 1952, 2.3.1).
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// The destination of a backup, and how to report it.
#[derive(Args)]
pub struct Options {
    /// A new file, which appears under its name once it is complete; `-` writes to standard output
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Replace an existing backup or empty file
    #[arg(long)]
    force: bool,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// Takes a backup, also while a server runs.
pub async fn run(settings: Settings, options: Options) -> Result<ExitCode, Box<dyn Error>> {
    let place = match options.file.as_os_str() == "-" {
        true => None,
        false => Some(place_of(&options)?),
    };
    let database = open_as_it_is(&settings).await?;
    let progress = Progress::new(options.json);
    let begun = Instant::now();
    let work = async {
        match &place {
            None => take(&database, io::stdout(), &progress).await.map(|(summary, _)| summary).map_err(Into::into),
            Some(file) => into_file(&database, file, options.force, &progress).await,
        }
    };
    let outcome = tokio::select! {
        outcome = work => outcome,
        () = interrupted() => {
            progress.finish();
            eprintln!("interrupted: no backup was written");
            return Ok(INTERRUPTED.into());
        }
    };
    progress.finish();
    database.close().await;
    let report = report(&outcome?, &options, begun.elapsed().as_secs_f64());
    // Standard output may be the backup itself.
    if place.is_none() {
        eprintln!("{report}")
    } else {
        say!("{report}")
    }
    Ok(ExitCode::SUCCESS)
}

/// The file to write or replace. A link stays, and its target is replaced. A device or a pipe such as /dev/null is
/// refused: replacing it would take it from all its users.
fn place_of(options: &Options) -> Result<PathBuf, Box<dyn Error>> {
    let file = &options.file;
    let failed = |error: io::Error| format!("cannot write {}: {error}", file.display()).into();
    match fs::metadata(file) {
        Ok(there) if !there.is_file() => {
            Err(format!("{} is not a regular file; `-` writes to standard output", file.display()).into())
        }
        Ok(_) if !options.force => Err(format!("{} exists: name another file, or pass --force", file.display()).into()),
        Ok(_) if !is_replaceable(file).map_err(failed)? => {
            Err(format!("{} is not a backup: --force replaces only backups and empty files", file.display()).into())
        }
        Ok(_) => fs::canonicalize(file).map_err(failed),
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(error)),
        Err(_) if file.is_symlink() => Err(format!("{} is a link to a missing file", file.display()).into()),
        Err(_) if is_next_to_a_database(file) => {
            Err(format!("SQLite would use {} as a part of the database next to it", file.display()).into())
        }
        Err(_) => Ok(file.clone()),
    }
}

/// Whether the file is empty or begins like a backup, so that neither a database nor a secret is lost.
fn is_replaceable(file: &Path) -> io::Result<bool> {
    let mut beginning = vec![];
    File::open(file)?.take(GZIP.len() as u64).read_to_end(&mut beginning)?;
    Ok(beginning.is_empty() || beginning == GZIP)
}

/// Whether SQLite would delete the file or use it as its own.
fn is_next_to_a_database(file: &Path) -> bool {
    let name = file.as_os_str().to_string_lossy();
    ["-wal", "-shm", "-journal"].iter().any(|end| name.strip_suffix(end).is_some_and(|main| Path::new(main).exists()))
}

async fn take<W: Write + Send + 'static>(
    database: &Database,
    out: W,
    progress: &Progress,
) -> Result<(BackupSummary, W), WriteError> {
    backup(database, out, |position, last| progress.show(position, last, "backing up")).await
}

/// Only its owner can read the file, and it gets its name once all of it is on the disk.
async fn into_file(
    database: &Database,
    file: &Path,
    replaces: bool,
    progress: &Progress,
) -> Result<BackupSummary, Box<dyn Error>> {
    let failed = |error: io::Error| format!("cannot write {}: {error}", file.display());
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let name = file.file_name().ok_or("FILE must be the name of a file")?.to_string_lossy();
    let part: NamedTempFile = Builder::new().prefix(&format!(".{name}.part-")).tempfile_in(folder).map_err(failed)?;
    let (summary, written) = take(database, part.reopen().map_err(failed)?, progress).await?;
    written.sync_all().map_err(failed)?;
    let kept = if replaces { part.persist(file) } else { part.persist_noclobber(file) };
    kept.map_err(|error| failed(error.error))?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)?;
    Ok(summary)
}

fn report(summary: &BackupSummary, options: &Options, seconds: f64) -> String {
    let BackupSummary { opening, rows } = summary;
    let (position, epoch, hash) = (opening.position, opening.epoch, hex::encode(opening.hash.0));
    let bytes = fs::metadata(&options.file).map_or(0, |file| file.len());
    if options.json {
        let outcome = json!({
            "file": options.file.to_string_lossy(), "bytes": bytes, "events": position, "position": position, "hash": hash, "epoch": epoch,
            "otherRows": rows, "takenAt": opening.taken_at, "seconds": seconds,
        });
        return outcome.to_string();
    }
    let place = match options.file.as_os_str() == "-" {
        true => "standard output".to_owned(),
        false => format!("{} ({bytes} bytes)", options.file.display()),
    };
    format!(
        "backed up {position} events and {rows} other rows to {place} in {seconds:.1} s\n\
         epoch {epoch}   hash {hash}\n\
         also copy jwt_secret from the data folder, or visitors have to start new chats after a restore; and audit_key"
    )
}
