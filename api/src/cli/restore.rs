use std::error::Error;
use std::fs::{self, File};
use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use clap::Args;
use infrastructure::backup::{BackupError, BackupFile, Checked, Restore, Restored};
use infrastructure::database::Database;
use projections::all_view_tables;
use serde_json::json;

use super::INTERRUPTED;
use super::progress::Progress;
use super::signals::interrupted;
use crate::cli::output::say;
use crate::config::Settings;
use crate::wiring::{open_to_restore, replay_of};

/// The backup to restore, and how to report it.
#[derive(Args)]
pub struct Options {
    /// A backup; `-` reads standard input into a temporary file first
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Restore nothing: read the whole file and report whether it can be restored; exit code 1 if not. Needs no database
    #[arg(long)]
    pub(super) check: bool,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// Checks a backup, without settings, a data folder or a database.
pub fn check(options: &Options) -> Result<ExitCode, Box<dyn Error>> {
    ensure_piped(&options.file)?;
    let progress = Progress::new(options.json);
    let outcome = open(&options.file, &std::env::temp_dir())
        .and_then(|file| file.check(|position, last| progress.show(position, last, "checking")));
    progress.finish();
    match outcome {
        Ok(checked) => {
            say!("{}", report_checked(&checked, options.json));
            Ok(ExitCode::SUCCESS)
        }
        Err(error) if options.json => {
            say!("{}", json!({ "whole": false, "reason": error.to_string() }));
            Ok(ExitCode::FAILURE)
        }
        Err(error) => Err(about(&options.file, error)),
    }
}

/// Restores into an empty database.
pub async fn run(settings: Settings, options: Options) -> Result<ExitCode, Box<dyn Error>> {
    ensure_piped(&options.file)?;
    if is_read_once(&options.file) {
        // The copy of the backup goes to the disk of the database, which has room for it.
        settings.make_folder()?;
    }
    let file = open(&options.file, &settings.data_dir).map_err(|error| about(&options.file, error))?;
    settings.make_folder()?;
    let (database, _lock) = open_to_restore(&settings).await?;
    let progress = Progress::new(options.json);
    let begun = Instant::now();
    let views: Vec<_> = all_view_tables().iter().map(|table| table.name).collect();
    let restore = Restore::begin(&database, &views, &file).await?;
    let outcome = tokio::select! {
        outcome = fill(&database, restore, &file, &progress) => outcome,
        () = interrupted() => {
            progress.finish();
            eprintln!("interrupted: {INCOMPLETE}");
            return Ok(INTERRUPTED.into());
        }
    };
    progress.finish();
    database.close().await;
    match outcome {
        Ok(restored) => {
            say!("{}", report(&restored, &settings, options.json, begun.elapsed().as_secs_f64()));
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            eprintln!("{INCOMPLETE}");
            Err(error)
        }
    }
}

const INCOMPLETE: &str = "the database is incomplete, and no server will start on it: run the restore again";

async fn fill(
    database: &Database,
    restore: Restore,
    file: &BackupFile,
    progress: &Progress,
) -> Result<Restored, Box<dyn Error>> {
    let restored = restore.fill(file, |position, last| progress.show(position, last, "restoring")).await?;
    replay_of(database).await?.fill_first(progress).await?;
    restore.finish().await?;
    Ok(restored)
}

/// Opens a backup. An input that can be read only once, such as a pipe, is first copied into the folder.
fn open(file: &Path, folder: &Path) -> Result<BackupFile, BackupError> {
    match is_read_once(file) {
        true if is_input(file) => BackupFile::spool(io::stdin().lock(), folder),
        true => BackupFile::spool(File::open(file)?, folder),
        false => BackupFile::open(file),
    }
}

/// Refuses a terminal: nobody types a backup.
fn ensure_piped(file: &Path) -> Result<(), &'static str> {
    match is_input(file) && io::stdin().is_terminal() {
        true => Err("standard input is a terminal: pipe a backup into it, or name a FILE"),
        false => Ok(()),
    }
}

/// Whether the input is a pipe or the like. A backup is read twice.
fn is_read_once(file: &Path) -> bool {
    is_input(file) || fs::metadata(file).is_ok_and(|found| !found.is_file() && !found.is_dir())
}

fn is_input(file: &Path) -> bool {
    file.as_os_str() == "-"
}

fn about(file: &Path, error: impl Error + Send + Sync + 'static) -> Box<dyn Error> {
    let name = if is_input(file) { "standard input".into() } else { file.display().to_string() };
    match error.source() {
        Some(cause) => format!("{name}: {error}: {cause}").into(),
        None => format!("{name}: {error}").into(),
    }
}

fn report_checked(checked: &Checked, as_json: bool) -> String {
    let Checked { opening, rows, erased } = checked;
    let (position, epoch, hash) = (opening.position, opening.epoch, hex::encode(opening.hash.0));
    if as_json {
        let outcome = json!({
            "whole": true, "events": position, "erased": erased, "position": position, "hash": hash, "epoch": epoch,
            "otherRows": rows, "takenAt": opening.taken_at, "program": opening.program, "schema": opening.schema,
        });
        return outcome.to_string();
    }
    format!(
        "the backup is intact: {position} events, {erased} of them erased, and {rows} other rows, taken at {}\n\
         epoch {epoch}   hash {hash}",
        opening.taken_at
    )
}

fn report(restored: &Restored, settings: &Settings, as_json: bool, seconds: f64) -> String {
    let Restored { backup: Checked { opening, rows, erased }, epoch } = restored;
    let (position, hash) = (opening.position, hex::encode(opening.hash.0));
    if as_json {
        let outcome = json!({
            "events": position, "erased": erased, "position": position, "hash": hash, "epoch": epoch,
            "fromEpoch": opening.epoch, "otherRows": rows, "takenAt": opening.taken_at, "seconds": seconds,
        });
        return outcome.to_string();
    }
    format!(
        "restored {position} events and {rows} other rows of {} in {seconds:.1} s, and rebuilt the read models\n\
         epoch {epoch} (was {})   hash {hash}\n\
         agents have to log in again; to let visitors continue their chats, copy jwt_secret of the original installation into {}",
        opening.taken_at,
        opening.epoch,
        settings.data_dir.display()
    )
}
