//! The commands of the program.

mod admin;
mod audit;
mod backup;
mod check;
mod completions;
mod demo;
mod erase_visitor;
mod help;
mod invariants;
mod openapi;
mod output;
mod progress;
mod replay;
mod restore;
mod serve;

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use serde_json::json;

use crate::cli::output::say;
use crate::config::{Arguments, ConfigError, Settings};
use crate::telemetry::{self, Telemetry};
use crate::wiring::StartError;

/// The exit code of a program that a signal has cut short.
const INTERRUPTED: u8 = 130;

/// A self-hostable live-chat backend on an append-only, tamper-evident event log.
#[derive(Parser)]
#[command(name = "livechatlog", version)]
struct Cli {
    #[command(flatten)]
    arguments: Arguments,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the REST API (the default)
    Serve,
    /// Bring the database's schema to this version
    Migrate {
        /// Change nothing: say what is missing, with exit code 1 if anything is
        #[arg(long)]
        check: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Rebuild the read models from the log, while the service runs
    Replay(replay::Options),
    /// Write everything that cannot be made anew into one file, while the service runs
    ///
    /// That is the event log, password hashes, and which commands were carried out, all of one moment. A restore rebuilds
    /// the read models, and agents log in again after it. The secrets of the data folder (jwt_secret, audit_key) are not in
    /// it: copy them by hand. People's names and messages are in it: keep it as safe as the database.
    Backup(backup::Options),
    /// Fill an empty database, also one of the other kind, from a backup
    ///
    /// The file is checked first, and every event on its way. Until the end, no server starts on the database; if it is
    /// broken off, run it again. The history gets a new name (epoch), so that nodes of the old one stop. Agents have to log
    /// in again; visitors go on if the data folder has the jwt_secret of the installation that was backed up.
    Restore(restore::Options),
    /// Look at settings, data folder, database, Redis and clocks, change nothing, and say what to do
    ///
    /// Exit code 1 if something fails; warnings do not count.
    Check(check::Options),
    /// Make an admin, or give somebody another password
    #[command(subcommand)]
    Admin(admin::Command),
    /// Prove what happened
    #[command(subcommand)]
    Audit(Box<audit::Command>),
    /// Erase a visitor's personal data from log, stored states and read models, for good
    EraseVisitor(erase_visitor::Options),
    /// Fill an empty store with a team and a day of chats, to look around in
    Demo(demo::Options),
    /// Print the OpenAPI document of the REST API
    Openapi {
        /// A Postman collection made from it instead
        #[arg(long)]
        postman: bool,
    },
    /// Print the script that completes commands and options in a shell
    Completions(completions::Options),
}

/// How long the end of the program waits for writes that nobody awaits.
const LAST_WRITES: Duration = Duration::from_millis(500);

/// Runs the command that was given. Exit codes: 0 done, 1 failed, 2 usage.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::from_arg_matches(&help::fit(Cli::command()).get_matches()) {
        Ok(cli) => cli,
        Err(error) => error.exit(),
    };
    if let Some(Command::Openapi { postman }) = cli.command {
        // It needs no settings and no database.
        return openapi::run(postman);
    }
    if let Some(Command::Completions(options)) = &cli.command {
        return completions::run(options, help::fit(Cli::command()));
    }
    if let Some(code) = cli.command.as_ref().and_then(without_settings) {
        return code;
    }
    // Until the end of the program: with it the traces end.
    let _telemetry = match start_telemetry(&cli.arguments) {
        Ok(telemetry) => telemetry,
        Err(error) => return fail(&error, ExitCode::from(2)),
    };
    if let Some(Command::Check(options)) = &cli.command
        && !options.invariants
    {
        // It makes no folder and no secrets.
        return check::run(cli.arguments, options);
    }
    let command = cli.command.unwrap_or(Command::Serve);
    let settings = match settings(&command, cli.arguments) {
        Ok(settings) => settings,
        Err(error) => return fail(&error, ExitCode::from(2)),
    };
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error, ExitCode::FAILURE),
    };
    let outcome = runtime.block_on(async {
        match command {
            Command::Serve => serve::run(settings).await,
            Command::Migrate { check: false, json } => migrate(settings, json).await,
            Command::Migrate { check: true, json } => check_schema(settings, json).await,
            Command::Replay(options) => replay::run(settings, options).await,
            Command::Check(options) => invariants::run(settings, options.json).await,
            Command::Admin(command) => admin::run(settings, command).await,
            Command::EraseVisitor(options) => erase_visitor::run(settings, options).await,
            Command::Demo(options) => demo::run(settings, options).await,
            Command::Audit(command) => audit::run(settings, *command).await,
            Command::Backup(options) => backup::run(settings, options).await,
            Command::Restore(options) => restore::run(settings, options).await,
            Command::Openapi { postman } => Ok(openapi::run(postman)),
            Command::Completions(options) => Ok(completions::run(&options, help::fit(Cli::command()))),
        }
    });
    // What still waits for a reader that takes nothing must not keep the program.
    runtime.shutdown_timeout(LAST_WRITES);
    match outcome {
        Ok(code) => code,
        Err(error) => fail(&*error, ExitCode::FAILURE),
    }
}

/// Only these begin a store. The others make nothing where a setting leads to none: a mistyped DATA_DIR would have new secrets.
fn settings(command: &Command, arguments: Arguments) -> Result<Settings, ConfigError> {
    match command {
        Command::Serve => {
            arguments.ensure_host()?;
            Settings::resolve(arguments)
        }
        Command::Migrate { check: false, .. } | Command::Demo(_) => Settings::resolve(arguments),
        // A restore makes the folder, once it has a backup; the first start makes the secrets.
        Command::Restore(_)
        | Command::Migrate { check: true, .. }
        | Command::Replay(_)
        | Command::Backup(_)
        | Command::Check(_)
        | Command::Admin(_)
        | Command::Audit(_)
        | Command::EraseVisitor(_)
        | Command::Openapi { .. }
        | Command::Completions(_) => Settings::inspect(arguments),
    }
}

/// A file is checked anywhere: without settings, a data folder or a database.
fn without_settings(command: &Command) -> Option<ExitCode> {
    let outcome = match command {
        Command::Audit(command) => audit::verify_export(command),
        Command::Restore(options) => restore::check(options),
        _ => None,
    };
    Some(outcome?.unwrap_or_else(|error| fail(&*error, ExitCode::FAILURE)))
}

async fn migrate(settings: Settings, as_json: bool) -> Result<ExitCode, Box<dyn Error>> {
    let database = crate::wiring::open_database(&settings).await?;
    database.close().await;
    tell_schema(&[], as_json);
    Ok(ExitCode::SUCCESS)
}

async fn check_schema(settings: Settings, as_json: bool) -> Result<ExitCode, Box<dyn Error>> {
    match crate::wiring::open_as_it_is(&settings).await {
        Ok(database) => {
            database.close().await;
            tell_schema(&[], as_json);
            Ok(ExitCode::SUCCESS)
        }
        Err(StartError::Outdated { pending }) => {
            tell_schema(&pending, as_json);
            Ok(ExitCode::FAILURE)
        }
        Err(error) => Err(error.into()),
    }
}

fn tell_schema(missing: &[&str], as_json: bool) {
    if as_json {
        return say!("{}", json!({ "upToDate": missing.is_empty(), "missing": missing }));
    }
    for step in missing {
        say!("missing: {step}");
    }
    if missing.is_empty() {
        say!("the schema is up to date");
    }
}

fn start_telemetry(arguments: &Arguments) -> Result<Telemetry, ConfigError> {
    let collector = arguments.otel_exporter_otlp_endpoint.as_deref().filter(|url| !url.is_empty());
    if collector.is_some_and(|url| !url.starts_with("http://")) {
        let expected = "must begin with http://";
        return Err(ConfigError::Malformed { setting: "OTEL_EXPORTER_OTLP_ENDPOINT", expected });
    }
    let logged = arguments.rust_log.as_deref().filter(|text| !text.is_empty());
    telemetry::start(arguments.log_format, logged, collector)
}

fn fail(error: &dyn Error, code: ExitCode) -> ExitCode {
    eprintln!("error: {error}");
    let mut source = error.source();
    while let Some(cause) = source {
        eprintln!("  because: {cause}");
        source = cause.source();
    }
    code
}
