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
mod schema;
mod serve;
mod signals;

use std::env;
use std::error::Error;
use std::iter::successors;
use std::process::ExitCode;
use std::time::Duration;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use futures::FutureExt as _;
use futures::future::LocalBoxFuture;

use self::output::say_error;
use crate::config::{Arguments, ConfigError, LogFormat, Settings};
use crate::telemetry::{self, Telemetry};

/// The exit code of a command that has failed.
const FAILURE: u8 = 1;

/// The exit code of a command whose arguments or settings cannot be used.
const USAGE: u8 = 2;

/// The exit code of a command that a signal has interrupted.
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
    /// Migrate the database's schema to this version
    Migrate {
        /// Change nothing: list the missing migrations, with exit code 1 if there are any
        #[arg(long)]
        check: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Rebuild the read models from the log, also while the server runs
    Replay(replay::Options),
    /// Back up the log and everything not derivable from it, also while the server runs
    ///
    /// A backup holds the event log, the password hashes and the record of executed commands, all of the same moment. A
    /// restore rebuilds the read models, and agents log in again after it. The secrets in the data folder (jwt_secret,
    /// audit_key) are not part of a backup: copy them yourself. A backup contains names and messages of people: protect it
    /// as well as the database.
    Backup(backup::Options),
    /// Restore a backup into an empty SQLite or MySQL database
    ///
    /// The file is checked first, and each event again while it is restored. Until the restore is complete, no server
    /// starts on the database; if it is interrupted, run it again. The restored log gets a new name (epoch), so that nodes
    /// of the old one stop. Agents have to log in again; visitors can continue their chats if the data folder has the
    /// jwt_secret of the original installation.
    Restore(restore::Options),
    /// Check settings, data folder, database, Redis and clocks, and suggest what to do
    ///
    /// Changes nothing. The exit code is 1 if a check fails; warnings do not count.
    Check(check::Options),
    /// Create an admin, or reset a password
    #[command(subcommand)]
    Admin(admin::Command),
    /// Export and verify the tamper-evident event log
    #[command(subcommand)]
    Audit(Box<audit::Command>),
    /// Erase a visitor's personal data from the log, stored states and read models, irrevocably
    EraseVisitor(erase_visitor::Options),
    /// Fill an empty store with a team and a day of chats, to explore
    Demo(demo::Options),
    /// Print the AsyncAPI document of the live stream
    Asyncapi,
    /// Print the GraphQL schema in its definition language
    GraphqlSchema,
    /// Print the OpenAPI document of the REST API
    Openapi {
        /// Print a Postman collection generated from it instead
        #[arg(long)]
        postman: bool,
    },
    /// Print a script that completes commands and options in a shell
    Completions(completions::Options),
}

/// The longest time that the end of the program waits for writes that nothing awaits.
const LAST_WRITES: Duration = Duration::from_millis(500);

/// The exit code of a command, or the error that ended it.
type Outcome = Result<ExitCode, Box<dyn Error>>;

/// A command, ready to run, by what it needs.
enum Job {
    /// Needs neither settings nor a store.
    Standalone(Box<dyn FnOnce() -> Outcome>),
    /// Examines the settings, even invalid ones, and everything that they name.
    Diagnosis(check::Options),
    /// Works on a store.
    WithStore(StoreUse, Box<dyn FnOnce(Settings) -> LocalBoxFuture<'static, Outcome>>),
}

/// How a command uses the store that the settings name.
#[derive(Clone, Copy)]
enum StoreUse {
    /// Serves it to clients, and creates it and its secrets if there are none.
    Serve,
    /// Creates it and its secrets if there are none.
    Create,
    /// Creates nothing: a mistyped DATA_DIR would otherwise get new secrets. A restore creates the folder once it has a
    /// backup, and leaves the secrets to the first start.
    Open,
}

impl StoreUse {
    fn settings(self, arguments: Arguments) -> Result<Settings, ConfigError> {
        match self {
            Self::Serve => {
                arguments.ensure_host()?;
                Settings::resolve(arguments)
            }
            Self::Create => Settings::resolve(arguments),
            Self::Open => Settings::inspect(arguments),
        }
    }
}

impl Job {
    fn of(command: Command) -> Self {
        use StoreUse::{Create, Open, Serve};
        match command {
            Command::Serve => Self::on(Serve, serve::run),
            Command::Migrate { check: false, json } => {
                Self::on(Create, move |settings| schema::migrate(settings, json))
            }
            Command::Migrate { check: true, json } => Self::on(Open, move |settings| schema::check(settings, json)),
            Command::Replay(options) => Self::on(Open, |settings| replay::run(settings, options)),
            Command::Backup(options) => Self::on(Open, |settings| backup::run(settings, options)),
            Command::Restore(options) if options.check => Self::alone(move || restore::check(&options)),
            Command::Restore(options) => Self::on(Open, |settings| restore::run(settings, options)),
            Command::Check(options) if options.invariants => {
                Self::on(Open, move |settings| invariants::run(settings, options.json))
            }
            Command::Check(options) => Self::Diagnosis(options),
            Command::Admin(command) => Self::on(Open, |settings| admin::run(settings, command)),
            Command::Audit(command) => match command.into_file_check() {
                Ok(check) => Self::alone(move || check.run()),
                Err(command) => Self::on(Open, |settings| audit::run(settings, *command)),
            },
            Command::EraseVisitor(options) => Self::on(Open, |settings| erase_visitor::run(settings, options)),
            Command::Demo(options) => Self::on(Create, |settings| demo::run(settings, options)),
            Command::Asyncapi => Self::alone(|| Ok(openapi::run_asyncapi())),
            Command::GraphqlSchema => Self::alone(|| Ok(openapi::run_graphql_schema())),
            Command::Openapi { postman } => Self::alone(move || Ok(openapi::run(postman))),
            Command::Completions(options) => {
                Self::alone(move || Ok(completions::run(&options, help::fit(Cli::command()))))
            }
        }
    }

    fn alone(run: impl FnOnce() -> Outcome + 'static) -> Self {
        Self::Standalone(Box::new(run))
    }

    fn on<F>(store: StoreUse, run: impl FnOnce(Settings) -> F + 'static) -> Self
    where
        F: Future<Output = Outcome> + 'static,
    {
        Self::WithStore(store, Box::new(|settings| run(settings).boxed_local()))
    }
}

/// Runs the command that the arguments name. Exit codes: 0 done, 1 failed, 2 wrong usage.
#[must_use]
pub fn main() -> ExitCode {
    let program = help::fit(help::without_empty_variables(Cli::command()));
    let cli = match program.try_get_matches().and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(error) => return refuse(&error),
    };
    let json = cli.arguments.log_format == LogFormat::Json && is_server(cli.command.as_ref());
    match Job::of(cli.command.unwrap_or(Command::Serve)) {
        Job::Standalone(run) => exit_code(run(), false),
        Job::Diagnosis(options) => {
            with_telemetry(cli.arguments, false, |arguments| Ok(check::run(arguments, &options)))
        }
        Job::WithStore(store, run) => {
            with_telemetry(cli.arguments, json, |arguments| match store.settings(arguments) {
                Ok(settings) => block_on(run(settings)),
                Err(error) => Ok(fail(&error, USAGE, json)),
            })
        }
    }
}

const fn is_server(command: Option<&Command>) -> bool {
    matches!(command, None | Some(Command::Serve))
}

/// Answers arguments that cannot be used, and requests for help.
fn refuse(error: &clap::Error) -> ExitCode {
    let words = env::args().skip(1).find(|word| !word.starts_with('-'));
    let is_server = words.is_none_or(|word| word == "serve");
    let format = env::var("LOG_FORMAT").unwrap_or_default();
    if error.use_stderr() && is_server && format.eq_ignore_ascii_case("json") {
        output::error_line(error.render().to_string().trim(), &[]);
        return ExitCode::from(USAGE);
    }
    if error.use_stderr() {
        say_error(error.render().to_string());
        return ExitCode::from(USAGE);
    }
    error.exit()
}

/// Logs and traces while a command runs. The last traces are sent when it has ended.
fn with_telemetry(arguments: Arguments, json: bool, run: impl FnOnce(Arguments) -> Outcome) -> ExitCode {
    match start_telemetry(&arguments) {
        Ok(_telemetry) => exit_code(run(arguments), json),
        Err(error) => fail(&error, USAGE, json),
    }
}

fn block_on(command: impl Future<Output = Outcome>) -> Outcome {
    let runtime = tokio::runtime::Runtime::new()?;
    let outcome = runtime.block_on(command);
    // A write that waits for a reader who takes nothing must not keep the program alive.
    runtime.shutdown_timeout(LAST_WRITES);
    outcome
}

fn exit_code(outcome: Outcome, json: bool) -> ExitCode {
    outcome.unwrap_or_else(|error| fail(&*error, FAILURE, json))
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

/// Reports an error with its causes: for people, or as one line of JSON like the log's.
fn fail(error: &dyn Error, code: u8, json: bool) -> ExitCode {
    let causes: Vec<_> = successors(error.source(), |&cause| cause.source()).map(ToString::to_string).collect();
    if json {
        output::error_line(&error.to_string(), &causes);
    } else {
        let lines = causes.iter().map(|cause| format!("  because: {cause}\n"));
        say_error(std::iter::once(format!("error: {error}\n")).chain(lines).collect());
    }
    ExitCode::from(code)
}
