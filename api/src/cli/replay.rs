use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use application::ports::{Clock, EventLog, ReadError};
use clap::{Args, ValueEnum};
use infrastructure::database::Database;
use infrastructure::event_log::{LogPorts, SqlEventLog};
use infrastructure::subscription::ROUTER;
use infrastructure::system::{RandomIds, SystemClock};
use projections::rebuild::{RebuildError, Rebuilt, Replay, RowDifference};
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

use super::INTERRUPTED;
use super::progress::Progress;
use crate::cli::output::say;
use crate::config::Settings;
use crate::wiring::open_as_it_is;

/// What to fill from the log, and how.
#[derive(Args)]
pub struct Options {
    /// Rebuild these projections only: conversations, thread_events, agents, tags, …; default: all
    #[arg(long = "projection", value_name = "NAME", num_args = 1..)]
    projections: Vec<String>,
    /// Instead of read models, fold the state of a process manager again from the log; it pauses meanwhile on every node
    #[arg(long = "subscriber", value_name = "NAME", conflicts_with = "projections")]
    subscriber: Option<Manager>,
    /// Replace nothing: compare the live rows, also those of the router, with the rebuilt ones at the same position; exit code
    /// 1 if any differs
    #[arg(long)]
    verify: bool,
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
}

/// A process manager whose state follows from the log alone.
#[derive(Clone, Copy, ValueEnum)]
enum Manager {
    /// Assigns waiting chats to agents
    Router,
}

impl Options {
    /// The names of what is meant; none for all.
    fn names(&self) -> Vec<&str> {
        match self.subscriber {
            Some(Manager::Router) => vec![ROUTER.0],
            None => self.projections.iter().map(String::as_str).collect(),
        }
    }
}

/// Fills tables from the log, alongside a service that may be running.
pub async fn run(settings: Settings, options: Options) -> Result<ExitCode, Box<dyn Error>> {
    let database = open_as_it_is(&settings).await?;
    let replay = replay_of(&database).await?;
    let names = options.names();
    let progress = Progress::new(options.json);
    let begun = Instant::now();
    let mut differences = 0;
    let work = async {
        if options.verify {
            let mut tell = |difference| {
                differences += 1;
                progress.aside(|| print_difference(&difference, options.json));
            };
            replay.verify(&names, &progress, &mut tell).await
        } else if options.subscriber.is_some() {
            replay.refold_router(&progress).await
        } else {
            replay.run(&names, &progress).await
        }
    };
    let outcome = tokio::select! {
        outcome = work => outcome,
        () = interrupted() => {
            progress.finish();
            eprintln!("interrupted: the live tables are as they were; removing what was built");
            replay.abandon().await?;
            database.close().await;
            return Ok(INTERRUPTED.into());
        }
    };
    progress.finish();
    database.close().await;
    match outcome {
        Ok(rebuilt) => {
            print_outcome(&rebuilt, &options, differences, begun.elapsed().as_secs_f64());
            Ok(if differences == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Err(error @ (RebuildError::Unknown { .. } | RebuildError::NoView { .. })) => {
            eprintln!("error: {error}");
            Ok(ExitCode::from(2))
        }
        Err(error) => Err(error.into()),
    }
}

/// What fills the tables of this database from its log.
pub(super) async fn replay_of(database: &Database) -> Result<Replay, ReadError> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let ports = LogPorts::alone(Arc::clone(&clock), Arc::new(RandomIds));
    let log: Arc<dyn EventLog> = Arc::new(SqlEventLog::start(database.clone(), ports).await?);
    Ok(Replay::new(database.clone(), log, clock, &RandomIds))
}

/// Ends with an interrupt or a request to terminate; never, when the system cannot report them.
pub(super) async fn interrupted() {
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

fn print_difference(difference: &RowDifference, as_json: bool) {
    let RowDifference { table, key, live, rebuilt } = difference;
    if as_json {
        return say!("{}", json!(difference));
    }
    match (live.is_null(), rebuilt.is_null()) {
        (true, _) => say!("{table} {key}: missing; the log says {rebuilt}"),
        (_, true) => say!("{table} {key}: the log knows no such row: {live}"),
        _ => say!("{table} {key}: is {live}; the log says {rebuilt}"),
    }
}

fn print_outcome(rebuilt: &Rebuilt, options: &Options, differences: u64, seconds: f64) {
    let Rebuilt { projectors, tables, position, compared, filled_in } = rebuilt;
    let rate = *position as f64 / filled_in.as_secs_f64().max(0.001);
    if options.json {
        let outcome = json!({
            "projections": projectors, "tables": tables, "position": position, "seconds": seconds,
            "eventsPerSecond": rate.round(), "replaced": !options.verify,
            "rowsCompared": options.verify.then_some(compared), "differences": options.verify.then_some(differences),
        });
        return say!("{outcome}");
    }
    let count = tables.len();
    if options.verify {
        say!(
            "compared {compared} rows of {count} tables at position {position} in {seconds:.1} s: {differences} differ"
        );
    } else {
        say!("rebuilt {count} tables from {position} events in {seconds:.1} s ({rate:.0} events/s)");
    }
}
