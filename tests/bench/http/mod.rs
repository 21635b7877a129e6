//! How many requests a second the program answers, and how soon.

mod operations;
mod original;
mod yardstick;

use harness::{DatabaseKind, TestDatabase};

use crate::arguments::{databases, duration};
use crate::driver::{Latency, median};
use crate::machine::{Cores, Footprint, footprint, memory_mb};
use crate::plot::{Panel, Series};
use crate::report::{Found, Part, publish};
use crate::targets::Target;
use crate::team::{Team, program};
pub use operations::sends;
use operations::{CONNECTIONS, CONVERSATION, HISTORY, LIST, Line, SEND};
use yardstick::Yardstick;

/// Reads, in multiples of sends.
const READS: f64 = 5.0;

#[derive(Debug, serde::Serialize)]
struct Http {
    lines: Vec<Line>,
    /// Only on a server: there is no mysql-es for SQLite.
    yardstick: Option<Yardstick>,
    peak_mb: f64,
    /// Of a start afterwards.
    afterwards: Footprint,
}

pub fn run() {
    // One thread for the load leaves the rest of the machine to the program.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let mut parts = vec![];
        for database in databases().await {
            parts.push(Part::measure(&database, measure(&database)).await);
        }
        publish("http", &parts);
    });
}

async fn measure(database: &TestDatabase) -> Http {
    let mut process = program(database).start().await;
    let team = Team::open(process.client()).await;
    let lines = operations::run(&process, &team, duration()).await;
    let yardstick = match database.kind() {
        DatabaseKind::MySql => Some(Yardstick::measure(&process, &team, duration()).await),
        DatabaseKind::Sqlite => None,
    };
    let peak_mb = memory_mb(&process, "VmHWM:");
    process.terminate().await;
    Http { lines, yardstick, peak_mb, afterwards: footprint(&program(database)).await }
}

impl Http {
    fn rate(&self, operation: &str, connections: usize) -> Option<f64> {
        let line = self.lines.iter().find(|line| line.operation == operation)?;
        line.rates.iter().find(|rate| rate.connections == connections).map(|rate| rate.per_second)
    }

    fn errors(&self) -> u64 {
        let of = |line: &Line| line.rates.iter().map(|rate| rate.errors).sum::<u64>() + line.paced.errors;
        let beside = self.yardstick.as_ref().map_or(0, |yardstick| yardstick.errors);
        self.lines.iter().map(of).sum::<u64>() + beside
    }

    fn print_rates(&self) {
        let heads = CONNECTIONS.map(|connections| format!("{:>20}", format!("at {connections}")));
        println!("{:<22}{}", "requests/s (x original)", heads.concat());
        for line in &self.lines {
            print!("{:<23}", line.operation);
            for rate in &line.rates {
                let times = original::rate(line.operation, rate.connections).map(|original| rate.per_second / original);
                let times = times.map(|times| format!("({times:.1}x)")).unwrap_or_default();
                print!("{:>11.0} {times:>8}", rate.per_second);
            }
            let errors: Vec<_> = line.rates.iter().map(|rate| rate.errors.to_string()).collect();
            println!("  {} errors, {:.0} MB", errors.join("/"), line.mb);
        }
    }

    fn print_cores(&self) {
        println!("\ncores at work, for the load, the program and everything");
        for line in &self.lines {
            let cores =
                line.cores.iter().map(|Cores { load, program, all }| format!("{load:>8.2}{program:>6.2}{all:>6.2}"));
            println!("{:<23}{}", line.operation, cores.collect::<Vec<_>>().concat());
        }
    }

    fn print_latencies(&self) {
        println!("\n{:<23}{:>8}{}", "ms, open loop", "due/s", Latency::head());
        for Line { operation, paced, .. } in &self.lines {
            println!("{operation:<23}{:>8.0}{}  {} errors", paced.due_per_second, paced.latency, paced.errors);
        }
    }

    fn to_the_original(&self) -> impl Iterator<Item = Target> {
        self.lines.iter().flat_map(|line| {
            line.rates.iter().filter_map(|rate| {
                let original = original::rate(line.operation, rate.connections)?;
                let what = format!("{} at {}, to the original", line.operation, rate.connections);
                Some(Target::at_least(what, rate.per_second / original, original::TIMES, "x"))
            })
        })
    }

    /// The worst of all levels.
    fn reads_to_sends(&self) -> impl Iterator<Item = Target> {
        [HISTORY, CONVERSATION, LIST].into_iter().filter_map(|read| {
            let ratio = |connections| Some(self.rate(read, connections)? / self.rate(SEND, connections)?);
            let worst = CONNECTIONS.into_iter().filter_map(ratio).reduce(f64::min)?;
            Some(Target::at_least(format!("{read}, to sends, the worst level"), worst, READS, "x"))
        })
    }
}

impl Found for Http {
    fn print(&self) {
        self.print_rates();
        self.print_cores();
        self.print_latencies();
        if let Some(Yardstick { sends, mysql_es, mysql_es_pool, .. }) = &self.yardstick {
            println!("\nin turn, each at 64 at once, events/s, median, and round by round");
            for (who, rounds) in [
                ("sends over HTTP", sends),
                ("bare mysql-es, a connection each", mysql_es),
                ("bare mysql-es, its pool of 10", mysql_es_pool),
            ] {
                let figures: Vec<_> = rounds.iter().map(|rate| format!("{rate:.0}")).collect();
                println!("{who:<34}{:>8.0}  ({})", median(rounds.clone()), figures.join(", "));
            }
        }
        let Footprint { ready_ms, idle_mb } = self.afterwards;
        println!(
            "\nmost memory under load {:.0} MB; a start afterwards: ready after {ready_ms:.0} ms, idle {idle_mb:.1} MB",
            self.peak_mb
        );
    }

    fn targets(&self) -> Vec<Target> {
        let mut targets: Vec<_> = self.to_the_original().chain(self.reads_to_sends()).collect();
        if let Some(yardstick) = &self.yardstick {
            targets.push(Target::at_least(
                "sends over HTTP at 64, to bare mysql-es at 64",
                yardstick.ratio(),
                1.5,
                "x",
            ));
        }
        targets.push(Target::at_most("errors at all levels", self.errors() as f64, 0.0, ""));
        targets
    }

    fn panels(&self) -> Vec<Panel> {
        let rates = |line: &Line| Series {
            name: line.operation.to_owned(),
            values: line.rates.iter().map(|rate| rate.per_second).collect(),
        };
        let times =
            |line: &Line| Series { name: line.operation.to_owned(), values: line.paced.latency.figures().to_vec() };
        let rates = Panel {
            title: "Requests".to_owned(),
            is_joined: true,
            across: "connections",
            places: CONNECTIONS.map(|connections| connections.to_string()).to_vec(),
            upright: "requests/s",
            series: self.lines.iter().map(rates).collect(),
        };
        let times = Panel {
            title: "Latency at half the rate of 64 connections".to_owned(),
            is_joined: true,
            across: "quantile",
            places: Latency::COLUMNS.map(str::to_owned).to_vec(),
            upright: "ms",
            series: self.lines.iter().map(times).collect(),
        };
        vec![rates, times]
    }
}
