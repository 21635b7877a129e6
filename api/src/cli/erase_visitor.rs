use std::cell::Cell;
use std::error::Error;
use std::fmt;
use std::io::{self, IsTerminal, Write as _};
use std::process::ExitCode;
use std::sync::Arc;

use application::visitors::Erased;
use clap::Args;
use domain::conversation::Participant;
use domain::ids::VisitorId;
use domain::visitor::Visitor;
use infrastructure::system::SystemClock;
use serde_json::json;

use super::INTERRUPTED;
use super::replay::interrupted;
use crate::cli::output::say;
use crate::config::Settings;
use crate::wiring::Archive;

/// On whose behalf it is in the log.
const ACTOR: &str = "system:operator";

/// What reaches beyond this program.
const ELSEWHERE: &str = "still to do: backups and exports made before, copies of the database, and MySQL's binary logs hold \
                         what was erased until they are deleted";

/// Whom to erase.
#[derive(Args)]
pub struct Options {
    /// The visitor's id
    id: VisitorId,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Erases a visitor, beside a server that may be running.
pub async fn run(settings: Settings, options: Options) -> Result<ExitCode, Box<dyn Error>> {
    let archive = Archive::open(settings, Arc::new(SystemClock)).await?;
    let stage = Cell::new(Stage::Asking);
    let outcome = tokio::select! {
        outcome = erase(&archive, &options, &stage) => outcome,
        () = interrupted() => {
            if !options.yes {
                // What was asked has left the cursor in its line.
                eprintln!();
            }
            eprintln!("interrupted: {}", stage.take());
            Ok(INTERRUPTED.into())
        }
    };
    tokio::select! {
        () = archive.close() => {}
        // Who asks again does not wait for what is under way.
        () = interrupted() => {}
    }
    outcome
}

/// How far it is.
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
                "what was erased until now stays erased, and the log is whole; do this again to erase the rest",
            ),
            Self::Clearing { payloads, messages } => write!(
                f,
                "replaced {payloads} payloads ({messages} messages); read models and kept answers may still show them: do \
                 this again to the end"
            ),
        }
    }
}

async fn erase(archive: &Archive, options: &Options, stage: &Cell<Stage>) -> Result<ExitCode, Box<dyn Error>> {
    let (id, bus) = (options.id, &archive.bus);
    if !bus.read::<Visitor>(id).await?.registered {
        return Err(format!("there is no visitor {id}").into());
    }
    if !options.yes && !std::io::stdin().is_terminal() {
        eprintln!("error: nobody can be asked whether to erase visitor {id} for good: say --yes");
        return Ok(ExitCode::from(2));
    }
    if !options.yes && !tokio::task::spawn_blocking(move || is_confirmed(id)).await?? {
        eprintln!("nothing was changed");
        return Ok(ExitCode::FAILURE);
    }
    let context = bus.context(ACTOR.to_owned(), bus.new_uuid());
    stage.set(Stage::Erasing);
    // They have asked for it, or somebody for them.
    let erased = archive.eraser.erase(context, id, Participant::Visitor(id)).await?;
    stage.set(Stage::Clearing { payloads: erased.payloads, messages: erased.messages });
    let shown = archive.await_views(&erased).await?;
    let (answers, wiped) = archive.eraser.clear(&erased).await?;
    let off_the_disk = wiped && shown;
    tell(options, &erased, (answers, off_the_disk, shown));
    Ok(if shown { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn is_confirmed(id: VisitorId) -> io::Result<bool> {
    eprint!("Erase all personal data of visitor {id}? It cannot be undone. Type yes: ");
    std::io::stderr().flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(answer.trim() == "yes")
}

fn tell(options: &Options, erased: &Erased, (answers, off_the_disk, shown): (u64, bool, bool)) {
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
    say!("visitor {id}: replaced {payloads} payloads ({messages} messages){chat}, took away {answers} kept answers");
    if !shown {
        eprintln!("error: read models still show it: they follow when a server runs; then do this again");
    }
    if !off_the_disk {
        eprintln!("SQLite's write-ahead log was being read and holds old pages for a while: do this again later");
    }
    eprintln!("{ELSEWHERE}");
}
