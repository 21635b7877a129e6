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
use super::replay::interrupted;
use crate::cli::output::say;
use crate::config::Settings;
use crate::wiring::open_as_it_is;

/// How a gzip file begins (RFC 1952, 2.3.1).
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Where the backup goes.
#[derive(Args)]
pub struct Options {
    /// A new file; it appears under its name when it is whole. `-` writes to standard output
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Replace a backup, or an empty file, that is there
    #[arg(long)]
    force: bool,
    /// Print the outcome as JSON
    #[arg(long)]
    json: bool,
}

/// Takes a backup beside a service that may be running.
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
            eprintln!("interrupted: there is no backup");
            return Ok(INTERRUPTED.into());
        }
    };
    progress.finish();
    database.close().await;
    let told = tell(&outcome?, &options, begun.elapsed().as_secs_f64());
    // Standard output may be the backup itself.
    if place.is_none() {
        eprintln!("{told}")
    } else {
        say!("{told}")
    }
    Ok(ExitCode::SUCCESS)
}

/// The file that is written or replaced: a link stays, and what it leads to is meant. A device or a pipe, as /dev/null,
/// would be lost to all who use it.
fn place_of(options: &Options) -> Result<PathBuf, Box<dyn Error>> {
    let file = &options.file;
    let failed = |error: io::Error| format!("cannot write {}: {error}", file.display()).into();
    match fs::metadata(file) {
        Ok(there) if !there.is_file() => {
            Err(format!("{} is not a regular file; `-` writes to standard output", file.display()).into())
        }
        Ok(_) if !options.force => Err(format!("{} exists: name another file, or give --force", file.display()).into()),
        Ok(_) if !is_replaceable(file).map_err(failed)? => {
            Err(format!("{} is not a backup: --force replaces nothing else", file.display()).into())
        }
        Ok(_) => fs::canonicalize(file).map_err(failed),
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(error)),
        Err(_) if file.is_symlink() => Err(format!("{} is a link that leads nowhere", file.display()).into()),
        Err(_) if is_beside_a_database(file) => {
            Err(format!("{} would be taken for a part of the database beside it", file.display()).into())
        }
        Err(_) => Ok(file.clone()),
    }
}

/// Whether it is empty or begins as backups do, so that neither a database nor a secret is lost.
fn is_replaceable(file: &Path) -> io::Result<bool> {
    let mut beginning = vec![];
    File::open(file)?.take(GZIP.len() as u64).read_to_end(&mut beginning)?;
    Ok(beginning.is_empty() || beginning == GZIP)
}

/// SQLite deletes such a file, or takes it for its own.
fn is_beside_a_database(file: &Path) -> bool {
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

/// The file is for its owner alone, and gets its name when all of it is on the disk.
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

fn tell(summary: &BackupSummary, options: &Options, seconds: f64) -> String {
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
         copy jwt_secret of the data folder, too, or visitors have to begin new chats after a restore; and audit_key"
    )
}
