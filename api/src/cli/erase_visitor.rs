use std::cell::Cell;
use std::error::Error;
use std::fmt;
use std::io::{self, IsTerminal, Write as _};
use std::process::ExitCode;

use application::visitors::Erased;
use clap::Args;
use domain::conversation::Participant;
use domain::ids::VisitorId;
use domain::visitor::Visitor;
use serde_json::json;

use super::INTERRUPTED;
use super::signals::interrupted;
use crate::cli::output::say;
use crate::config::Settings;
use crate::wiring::OfflineStore;

/// The actor of the erasure in the log.
const ACTOR: &str = "system:operator";

/// The copies that this program cannot reach.
const ELSEWHERE: &str = "not erased: older backups and exports, copies of the database, and MySQL's binary logs hold the data \
                         until you delete them";

/// The visitor to erase, and how to report it.
#[derive(Args)]
pub struct Options {
    /// The visitor's UUID, as conversations show it
    id: VisitorId,
    /// Erase without asking for confirmation
    #[arg(long)]
    yes: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Erases a visitor, also while a server runs.
pub async fn run(settings: Settings, options: Options) -> Result<ExitCode, Box<dyn Error>> {
    let store = OfflineStore::open(settings).await?;
    let stage = Cell::new(Stage::Asking);
    let outcome = tokio::select! {
        outcome = erase(&store, &options, &stage) => outcome,
        () = interrupted() => {
            if !options.yes {
                // The unanswered question has left the cursor in its line.
                eprintln!();
            }
            eprintln!("interrupted: {}", stage.take());
            Ok(INTERRUPTED.into())
        }
    };
    tokio::select! {
        () = store.close() => {}
        // A second signal does not wait for the projectors.
        () = interrupted() => {}
    }
    outcome
}

/// The progress of an erasure, which an interruption reports.
#[derive(Default)]
enum Stage {
    #[default]
    Asking,
    Erasing,
    Clearing {
        payloads: u64,
        messages: u64,
    },
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Asking => f.write_str("nothing was changed"),
            Self::Erasing => f.write_str(
                "the data erased so far stays erased, and the log is intact; run this command again to erase the rest",
            ),
            Self::Clearing { payloads, messages } => write!(
                f,
                "replaced {payloads} payloads ({messages} messages); read models and stored answers may still show them: \
                 run this command again"
            ),
        }
    }
}

async fn erase(store: &OfflineStore, options: &Options, stage: &Cell<Stage>) -> Result<ExitCode, Box<dyn Error>> {
    let (id, bus) = (options.id, &store.bus);
    if !bus.read::<Visitor>(id).await?.registered {
        return Err(format!("there is no visitor {id}").into());
    }
    if !options.yes && !std::io::stdin().is_terminal() {
        eprintln!(
            "error: there is no terminal to confirm the erasure of visitor {id}: pass --yes to erase without confirmation"
        );
        return Ok(ExitCode::from(2));
    }
    if !options.yes && !tokio::task::spawn_blocking(move || is_confirmed(id)).await?? {
        eprintln!("nothing was changed");
        return Ok(ExitCode::FAILURE);
    }
    let context = bus.context(ACTOR.to_owned(), bus.new_uuid());
    stage.set(Stage::Erasing);
    // Visitors request their erasure, in person or through the operator.
    let erased = store.eraser.erase(context, id, Participant::Visitor(id)).await?;
    stage.set(Stage::Clearing { payloads: erased.payloads, messages: erased.messages });
    let shown = store.await_views(&erased).await?;
    let (answers, wiped) = store.eraser.clear(&erased).await?;
    let off_the_disk = wiped && shown;
    report(options, &erased, (answers, off_the_disk, shown));
    Ok(if shown { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn is_confirmed(id: VisitorId) -> io::Result<bool> {
    eprint!("Erase all personal data of visitor {id}? This cannot be undone. Type yes: ");
    std::io::stderr().flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(answer.trim() == "yes")
}

fn report(options: &Options, erased: &Erased, (answers, off_the_disk, shown): (u64, bool, bool)) {
    let Erased { payloads, messages, closed_chat, position, .. } = erased;
    let id = options.id;
    if options.json {
        return say!(
            "{}",
            json!({
                "visitorId": id, "payloads": payloads, "messages": messages, "closedChat": closed_chat,
                "position": position, "answers": answers, "offTheDisk": off_the_disk, "readModels": shown,
            })
        );
    }
    let chat = if *closed_chat { ", closed the open chat" } else { "" };
    say!("visitor {id}: replaced {payloads} payloads ({messages} messages){chat}, deleted {answers} stored answers");
    if !shown {
        eprintln!(
            "error: read models still show the data: they are updated when a server runs; then run this command again"
        );
    }
    if !off_the_disk {
        eprintln!("SQLite's write-ahead log is in use and still holds old pages: run this command again later");
    }
    eprintln!("{ELSEWHERE}");
}
