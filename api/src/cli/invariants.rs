use std::error::Error;
use std::process::ExitCode;

use application::invariants::{Inspection, inspect};
use application::ports::{EventLog, Position};
use domain::invariants::Violation;
use infrastructure::event_log::{ForeignRecord, find_foreign_records};
use serde_json::json;

use super::progress::Progress;
use crate::cli::output::say;
use crate::config::Settings;
use crate::wiring::{open_as_it_is, read_log};

/// The name of the rule about the records of commands, which are beside the log.
const COMMAND_LOG: &str = "command_log";

/// The most violations that are printed: often the first one causes the rest.
const PRINTED: u64 = 1_000;

/// Checks the log of a database, also while a server runs.
pub async fn run(settings: Settings, as_json: bool) -> Result<ExitCode, Box<dyn Error>> {
    let database = open_as_it_is(&settings).await?;
    let log = read_log(&database).await?;
    let records = find_foreign_records(&database).await;
    let violations = match &records {
        Ok(records) => check(&*log, records, as_json).await,
        Err(_) => Ok(0),
    };
    database.close().await;
    records?;
    Ok(if violations? == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Reads the whole log, prints violations of its invariants and then the outcome, and returns the number of violations.
/// Records of commands that name events of other commands are among them.
pub async fn check(log: &dyn EventLog, records: &[ForeignRecord], as_json: bool) -> Result<u64, Box<dyn Error>> {
    let mut printer =
        Printer { as_json, violations: 0, end: log.head().await?.position, progress: Progress::new(as_json) };
    records.iter().for_each(|record| printer.foreign(record));
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

impl Printer {
    fn foreign(&mut self, record: &ForeignRecord) {
        let ForeignRecord { command_id, first_position } = record;
        let sentence = format!("the record of command {command_id} names events of other commands");
        self.print(|as_json| match as_json {
            true => say!("{}", json!({ "position": first_position, "rule": COMMAND_LOG, "sentence": sentence })),
            false => say!("position {first_position}: {sentence} ({COMMAND_LOG})"),
        });
    }

    fn print(&mut self, print: impl FnOnce(bool)) {
        self.violations += 1;
        if self.violations <= PRINTED {
            let as_json = self.as_json;
            self.progress.aside(|| print(as_json));
        }
    }
}

impl Inspection for Printer {
    fn reached(&mut self, position: Position) {
        self.progress.show(position, self.end, "checking");
    }

    fn found(&mut self, violation: Violation) {
        self.print(|as_json| print_violation(&violation, as_json));
    }
}

fn print_violation(violation: &Violation, as_json: bool) {
    if !as_json {
        return say!("{violation}");
    }
    let Violation { rule, position, sentence } = violation;
    say!("{}", json!({ "position": position, "rule": rule.as_str(), "sentence": sentence }));
}
