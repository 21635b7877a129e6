use std::error::Error;
use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, BufWriter, IsTerminal as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::str::FromStr;

use application::ports::{Hash, Position};
use clap::{Args, Subcommand, ValueEnum};
use infrastructure::audit::{
    Aggregate, AuditFilter, AuditKey, ExportRange, ExportSummary, Format, Moment, PublicKey, VerifiedExport, export,
    verify_file,
};
use infrastructure::event_log::{VerifiedLog, VerifyError, verify_against};
use infrastructure::inspect::ahead_of_clock;
use serde_json::json;

use super::progress::Progress;
use crate::cli::output::{say, say_error};
use crate::config::Settings;
use crate::wiring::{ensure_file, ensure_folder, open_as_it_is, system_clock};

/// Commands on the tamper-evident log.
#[derive(Subcommand)]
pub enum Command {
    /// Export the log, or a part of it, with its proofs and a signed head
    Export(Export),
    /// Verify the hash chain of the database, or of an export
    Verify(Verify),
    /// Print the public key that verifies exports of this installation
    Key,
}

/// The part of the log to export, and its format.
#[derive(Args)]
pub struct Export {
    /// Format of the events
    #[arg(long, value_enum, default_value_t)]
    format: FormatName,
    /// First event: a position, such as the one after the last of an earlier export, or a time (RFC 3339)
    #[arg(long, value_name = "POSITION|TIME")]
    from: Option<Moment>,
    /// Last event: a position or a time (RFC 3339)
    #[arg(long, value_name = "POSITION|TIME")]
    to: Option<Moment>,
    /// Only events caused by this actor, such as agent:ID, visitor:ID or system:router
    #[arg(long)]
    actor: Option<String>,
    /// Only events of this kind of stream, or of one stream: thread, thread:ID
    #[arg(long, value_name = "KIND[:ID]")]
    aggregate: Option<Aggregate>,
    /// Only events of this type, such as AgentAssigned
    #[arg(long = "type", value_name = "NAME")]
    event_type: Option<String>,
    /// Write to this new file instead of standard output
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// What to verify, and against what.
#[derive(Args)]
pub struct Verify {
    /// Verify this export; needs neither a database nor settings
    #[arg(long, value_name = "EXPORT")]
    file: Option<PathBuf>,
    /// Key that must have signed the export, as `audit key` prints it
    #[arg(long, value_name = "KEY", requires = "file")]
    public_key: Option<PublicKey>,
    /// Position and hash from an earlier run or an export: the log must still have this hash there
    #[arg(long, value_name = "POSITION:HASH", conflicts_with = "file")]
    noted: Option<Noted>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// A position and the log's hash there.
#[derive(Clone, Copy, Debug)]
pub struct Noted(Position, Hash);

impl FromStr for Noted {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        const EXPECTED: &str = "must be a position, a colon and 64 hexadecimal digits";
        let (position, digits) = text.split_once(':').ok_or(EXPECTED)?;
        let mut hash = [0; 32];
        hex::decode_to_slice(digits, &mut hash).map_err(|_| EXPECTED)?;
        let position = position.parse().ok().filter(|position| *position >= 1).ok_or(EXPECTED)?;
        Ok(Self(position, hash))
    }
}

/// The format of exported events.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub enum FormatName {
    /// One JSON object per line
    #[default]
    Ndjson,
    /// Comma-separated values
    Csv,
}

/// Runs one of the audit commands.
pub async fn run(settings: Settings, command: Command) -> Result<ExitCode, Box<dyn Error>> {
    match command {
        Command::Export(options) => write_export(&settings, options).await,
        Command::Verify(Verify { json, noted, .. }) => verify_database(&settings, noted, json).await,
        Command::Key => {
            ensure_file(&settings)?;
            say!("{}", signing_key(&settings)?.public_key());
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Verifies an export alone, without settings or a database.
pub struct FileCheck {
    file: PathBuf,
    public_key: Option<PublicKey>,
    as_json: bool,
}

impl Command {
    /// The check of an export, or else the command itself, which needs a store.
    pub fn into_file_check(self) -> Result<FileCheck, Box<Self>> {
        match self {
            Self::Verify(Verify { file: Some(file), public_key, json: as_json, .. }) => {
                Ok(FileCheck { file, public_key, as_json })
            }
            Self::Verify(_) | Self::Export(_) | Self::Key => Err(Box::new(self)),
        }
    }
}

async fn write_export(settings: &Settings, options: Export) -> Result<ExitCode, Box<dyn Error>> {
    let database = open_as_it_is(settings).await?;
    let key = signing_key(settings)?;
    let Export { format, from, to, actor, aggregate, event_type, output } = options;
    let by_time = [from, to].iter().flatten().any(|moment| matches!(moment, Moment::Time(_)));
    let filter = AuditFilter { actor, aggregate, event_type };
    let how = (Format::from(format), &key);
    let range = (ExportRange { from, to }, &filter);
    // A progress bar would garble the lines of an export on the same terminal.
    let progress = Progress::new(output.is_none() && io::stdout().is_terminal());
    let show = |position, last| progress.show(position, last, "exporting");
    let exported = match &output {
        Some(path) => {
            let mut file = BufWriter::new(create(path)?);
            let exported = export(&database, range, how, &mut file, show).await;
            file.into_inner()?.sync_all()?;
            exported
        }
        None => export(&database, range, how, &mut BufWriter::new(io::stdout()), show).await,
    };
    progress.finish();
    database.close().await;
    let ExportSummary { from, to, events, recorded_at } = exported?;
    if by_time && let Some(ahead) = ahead_of_clock(recorded_at, system_clock().now()) {
        eprintln!(
            "the last event is recorded {} s in the future: times of events are not those at which they happened; choose them by position",
            ahead.as_secs()
        );
    }
    // Standard output may be the export itself.
    eprintln!("exported {events} events at positions {from} to {to}, signed by {}", key.public_key());
    Ok(ExitCode::SUCCESS)
}

/// The key in the data folder. The first use creates it, but not in a folder that does not exist: its name may be mistyped.
fn signing_key(settings: &Settings) -> Result<AuditKey, Box<dyn Error>> {
    ensure_folder(settings)?;
    Ok(AuditKey::of_folder(&settings.data_dir)?)
}

/// Creates a file that only its owner can read, as it holds what people wrote. Never overwrites one.
fn create(path: &Path) -> Result<File, Box<dyn Error>> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    file.map_err(|error| format!("cannot create {}: {error}", path.display()).into())
}

impl FileCheck {
    /// Verifies the export and prints the outcome.
    pub fn run(self) -> Result<ExitCode, Box<dyn Error>> {
        let Self { file: path, public_key: expected, as_json } = self;
        let file = File::open(&path).map_err(|error| format!("cannot open {}: {error}", path.display()))?;
        let progress = Progress::new(as_json);
        let outcome = verify_file(BufReader::new(file), |events| progress.count(events, "verifying"));
        progress.finish();
        match outcome {
            Ok(export) if expected.is_some_and(|expected| expected != export.signer) => {
                Ok(broken(as_json, &format!("the export is signed by another key: {}", export.signer)))
            }
            Ok(export) => {
                print_export(&export, expected.is_some(), as_json);
                Ok(ExitCode::SUCCESS)
            }
            Err(error) => Ok(broken(as_json, &error.to_string())),
        }
    }
}

async fn verify_database(settings: &Settings, noted: Option<Noted>, as_json: bool) -> Result<ExitCode, Box<dyn Error>> {
    let database = open_as_it_is(settings).await?;
    let noted = noted.map(|Noted(position, hash)| (position, hash));
    let progress = Progress::new(as_json);
    let outcome = verify_against(&database, noted, |position, last| progress.show(position, last, "verifying")).await;
    progress.finish();
    database.close().await;
    match outcome {
        Ok(log) => {
            print_log(&log, as_json);
            Ok(ExitCode::SUCCESS)
        }
        Err(error @ (VerifyError::Broken(_) | VerifyError::NotTheNoted { .. })) => {
            Ok(broken(as_json, &error.to_string()))
        }
        Err(error) => Err(error.into()),
    }
}

fn broken(as_json: bool, reason: &str) -> ExitCode {
    if as_json {
        say!("{}", json!({ "whole": false, "reason": reason }));
    } else {
        say_error(format!("error: {reason}\n"));
    }
    ExitCode::FAILURE
}

fn print_log(log: &VerifiedLog, as_json: bool) {
    let VerifiedLog { position, chain_hash, epoch, erased } = log;
    let hash = hex::encode(chain_hash);
    if as_json {
        return say!(
            "{}",
            json!({ "whole": true, "position": position, "hash": hash, "epoch": epoch, "erased": erased })
        );
    }
    say!("the log is intact: {position} events, {erased} of them erased");
    say!("epoch {epoch}   hash {hash}");
    say!("keep {position}:{hash} in another place, and pass it with --noted next time");
}

fn print_export(export: &VerifiedExport, signer_is_known: bool, as_json: bool) {
    let VerifiedExport { epoch, from, to, chain_hash, events, filtered, erased, unvouched, signer } = export;
    let hash = hex::encode(chain_hash);
    if as_json {
        let outcome = json!({
            "whole": true, "from": from, "to": to, "events": events, "filtered": filtered, "erased": erased,
            "firstUnvouchedErasure": unvouched, "epoch": epoch, "hash": hash, "signedBy": signer.to_string(), "signerIsKnown": signer_is_known,
        });
        return say!("{outcome}");
    }
    let part = if *filtered { " (a selection)" } else { "" };
    say!("the export is intact: {events} events at positions {from} to {to}{part}, {erased} of them erased");
    if let Some(position) = unvouched {
        say!(
            "the erasure at position {position} is not recorded in this export; a later part of the log may record it"
        );
    }
    say!("epoch {epoch}   hash {hash}");
    let known = if signer_is_known { "" } else { "; compare this key with the installation's, or pass --public-key" };
    say!("signed by {signer}{known}");
}

impl From<FormatName> for Format {
    fn from(name: FormatName) -> Self {
        match name {
            FormatName::Ndjson => Self::Ndjson,
            FormatName::Csv => Self::Csv,
        }
    }
}
