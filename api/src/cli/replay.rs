use std::error::Error;
use std::ffi::OsStr;
use std::process::ExitCode;
use std::time::Instant;

use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::{Arg, Args, Command, ValueEnum};
use infrastructure::subscription::{ROUTER, SubscriberId};
use projections::rebuild::{RebuildError, Rebuilt, RowDifference};
use serde_json::json;

use super::INTERRUPTED;
use super::progress::Progress;
use super::signals::interrupted;
use crate::cli::output::{say, say_error};
use crate::config::Settings;
use crate::wiring::{open_as_it_is, replay_of};

/// The tables to fill from the log, and what to do with the result.
#[derive(Args)]
pub struct Options {
    /// Rebuild only these projections: conversations, thread_events, agents, tags, …; default: all
    #[arg(long = "projection", value_name = "NAME", num_args = 1..)]
    #[arg(value_parser = ProjectionName, hide_possible_values = true)]
    projections: Vec<String>,
    /// Refold the state of a process manager from the log instead of read models; it pauses meanwhile on every node
    #[arg(long = "subscriber", value_name = "NAME", conflicts_with = "projections")]
    subscriber: Option<Manager>,
    /// Replace nothing: compare live and rebuilt rows, including the router's, at the same position; exit code 1 if any
    /// row differs
    #[arg(long)]
    verify: bool,
    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
}

/// Completes the names of projections. Other names pass: the rebuild refuses them, and knows what to do instead.
#[derive(Clone)]
struct ProjectionName;

impl TypedValueParser for ProjectionName {
    type Value = String;

    fn parse_ref(&self, command: &Command, argument: Option<&Arg>, value: &OsStr) -> Result<String, clap::Error> {
        StringValueParser::new().parse_ref(command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let views = projections::all_views().into_iter();
        Some(Box::new(views.map(|view| PossibleValue::new(view.name()))))
    }
}

/// A process manager whose state follows from the log alone.
#[derive(Clone, Copy, ValueEnum)]
enum Manager {
    /// Assigns waiting chats to agents
    Router,
}

impl Manager {
    const fn id(self) -> SubscriberId {
        match self {
            Self::Router => ROUTER,
        }
    }
}

impl Options {
    /// The names of the projections or the process manager; none for all.
    fn names(&self) -> Vec<&str> {
        match self.subscriber {
            Some(manager) => vec![manager.id().0],
            None => self.projections.iter().map(String::as_str).collect(),
        }
    }
}

/// Fills tables from the log, also while a server runs.
pub async fn run(settings: Settings, options: Options) -> Result<ExitCode, Box<dyn Error>> {
    let database = open_as_it_is(&settings).await?;
    let replay = replay_of(&database).await?;
    let names = options.names();
    let progress = Progress::new(options.json);
    let begun = Instant::now();
    let mut differences = 0;
    let work = async {
        if options.verify {
            let mut report = |difference| {
                differences += 1;
                progress.aside(|| print_difference(&difference, options.json));
            };
            replay.verify(&names, &progress, &mut report).await
        } else if let Some(manager) = options.subscriber {
            replay.refold(manager.id(), &progress).await
        } else {
            replay.run(&names, &progress).await
        }
    };
    let outcome = tokio::select! {
        outcome = work => outcome,
        () = interrupted() => {
            progress.finish();
            eprintln!("interrupted: the live tables are unchanged; removing the tables built so far");
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
            say_error(format!("error: {error}\n"));
            Ok(ExitCode::from(2))
        }
        Err(error) => Err(error.into()),
    }
}

fn print_difference(difference: &RowDifference, as_json: bool) {
    let RowDifference { table, key, live, rebuilt } = difference;
    if as_json {
        return say!("{}", json!(difference));
    }
    match (live.is_null(), rebuilt.is_null()) {
        (true, _) => say!("{table} {key}: missing; rebuilt from the log: {rebuilt}"),
        (_, true) => say!("{table} {key}: not in the log: {live}"),
        _ => say!("{table} {key}: {live}; rebuilt from the log: {rebuilt}"),
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
