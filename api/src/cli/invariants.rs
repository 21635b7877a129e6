use std::error::Error;
use std::process::ExitCode;

use application::invariants::{Inspection, inspect};
use application::ports::{EventLog, Position};
use domain::invariants::Violation;
use serde_json::json;

use super::progress::Progress;
use crate::cli::output::say;
use crate::config::Settings;
use crate::wiring::{open_as_it_is, read_log};

/// The most violations that are printed: often the first one causes the rest.
const PRINTED: u64 = 1_000;

/// Checks the log of a database, also while a server runs.
pub async fn run(settings: Settings, as_json: bool) -> Result<ExitCode, Box<dyn Error>> {
    let database = open_as_it_is(&settings).await?;
    let log = read_log(&database).await?;
    let violations = check(&*log, as_json).await;
    database.close().await;
    Ok(if violations? == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Reads the whole log, prints violations of its invariants and then the outcome, and returns the number of violations.
pub async fn check(log: &dyn EventLog, as_json: bool) -> Result<u64, Box<dyn Error>> {
    let mut printer =
        Printer { as_json, violations: 0, end: log.head().await?.position, progress: Progress::new(as_json) };
    let outcome = inspect(log, &mut printer).await;
    printer.progress.finish();
    let standing = outcome?;
    let (events, chats, violations) = (standing.position(), standing.conversations().len(), printer.violations);
    if as_json {
        say!("{}", json!({ "events": events, "conversations": chats, "violations": violations }));
    } else {
        say!("checked {events} events of {chats} conversations: {violations} violations");
    }
    Ok(violations)
}

struct Printer {
    as_json: bool,
    violations: u64,
    end: Position,
    progress: Progress,
}

impl Inspection for Printer {
    fn reached(&mut self, position: Position) {
        self.progress.show(position, self.end, "checking");
    }

    fn found(&mut self, violation: Violation) {
        self.violations += 1;
        if self.violations > PRINTED {
            return;
        }
        let as_json = self.as_json;
        self.progress.aside(|| print_violation(&violation, as_json));
    }
}

fn print_violation(violation: &Violation, as_json: bool) {
    if !as_json {
        return say!("{violation}");
    }
    let Violation { rule, position, sentence } = violation;
    say!("{}", json!({ "position": position, "rule": rule.as_str(), "sentence": sentence }));
}
