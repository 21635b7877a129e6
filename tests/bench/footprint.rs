//! What the program takes: of memory, of time to start, of the disk.

use harness::TestDatabase;

use crate::arguments::databases;
use crate::growth;
use crate::machine::{Footprint, footprint};
use crate::plot::{Panel, Series};
use crate::program::megabytes;
use crate::report::{Found, Part, publish};
use crate::targets::Target;
use crate::team::program;

/// Megabytes that it may take when nothing happens, and that its file may have.
const MEGABYTES: f64 = 40.0;

/// Milliseconds until it is ready.
const READY: f64 = 1_000.0;

#[derive(Debug, serde::Serialize)]
struct Start {
    log: String,
    footprint: Footprint,
}

#[derive(Debug, serde::Serialize)]
struct Footprints {
    binary_mb: f64,
    starts: Vec<Start>,
}

pub fn run() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let mut parts = vec![];
        for database in databases().await {
            parts.push(Part::measure(&database, measure(&database)).await);
        }
        publish("footprint", &parts);
    });
}

async fn measure(database: &TestDatabase) -> Footprints {
    let empty = program(database);
    // What the first start makes is there.
    empty.clone().start().await.terminate().await;
    let mut starts = vec![Start { log: "an empty log".to_owned(), footprint: footprint(&empty).await }];
    match growth::large_store(database.kind()).await {
        Some((store, events)) => {
            starts.push(Start { log: format!("{events} events"), footprint: footprint(&store.program()).await });
        }
        None => eprintln!("  left out: a start on a long log; `--only growth --on {}` makes one", database.kind()),
    }
    Footprints { binary_mb: megabytes(), starts }
}

impl Found for Footprints {
    fn print(&self) {
        println!("the program's file: {:.1} MB", self.binary_mb);
        for Start { log, footprint } in &self.starts {
            println!("with {log}: ready after {:.0} ms, idle {:.1} MB", footprint.ready_ms, footprint.idle_mb);
        }
    }

    fn targets(&self) -> Vec<Target> {
        let of_start = |Start { log, footprint }: &Start| {
            [
                Target::at_most(format!("idle memory with {log}"), footprint.idle_mb, MEGABYTES, "MB"),
                Target::at_most(format!("start to ready with {log}"), footprint.ready_ms, READY, "ms"),
            ]
        };
        let file = Target::at_most("the program's file", self.binary_mb, MEGABYTES, "MB");
        self.starts.iter().flat_map(of_start).chain([file]).collect()
    }

    fn panels(&self) -> Vec<Panel> {
        let panel = |title: &str, upright, value: fn(&Footprint) -> f64, bound| Panel {
            title: title.to_owned(),
            is_joined: false,
            across: "log",
            places: self.starts.iter().map(|start| start.log.clone()).collect(),
            upright,
            series: vec![
                Series {
                    name: "measured".to_owned(),
                    values: self.starts.iter().map(|start| value(&start.footprint)).collect(),
                },
                Series { name: "at most".to_owned(), values: vec![bound; self.starts.len()] },
            ],
        };
        vec![
            panel("Idle memory", "MB", |footprint| footprint.idle_mb, MEGABYTES),
            panel("Start to ready", "ms", |footprint| footprint.ready_ms, READY),
        ]
    }
}
