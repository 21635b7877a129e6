//! How many events a second can be appended: by our log, by mysql-es as published, and by plain inserts of a thousand rows,
//! on the same server with the same durability, in turn.

pub mod contenders;
mod round;

use std::fmt;
use std::time::Duration;

use harness::{DatabaseKind, TestDatabase};

use crate::arguments::{arguments, databases, duration};
use crate::driver::median;
use crate::machine::{Cores, Work};
use crate::plot::{Panel, Series};
use crate::report::{Found, Part, publish};
use crate::targets::Target;
use contenders::{MysqlEs, OurLog, PUBLISHED_POOL, RawInserts};
pub use round::round;

const WRITERS: [usize; 4] = [1, 16, 64, 256];

/// Events a second of one of them, round by round.
#[derive(Clone, Debug, serde::Serialize)]
struct Rates {
    who: &'static str,
    rounds: Vec<f64>,
    median: f64,
}

/// What was found at this number of writers.
#[derive(Clone, Debug, serde::Serialize)]
struct Level {
    writers: usize,
    rates: Vec<Rates>,
    /// While our log is appended to, in the last round.
    cores: Cores,
}

#[derive(Debug, serde::Serialize)]
struct Append {
    seconds: f64,
    levels: Vec<Level>,
}

const OURS: &str = "our log";
const MYSQL_ES: &str = "mysql-es, a connection each";
const MYSQL_ES_POOL: &str = "mysql-es, its pool of 10";
const RAW: &str = "1,000-row inserts";

pub fn run() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let mut parts = vec![];
        for database in databases().await {
            parts.push(Part::measure(&database, measure(&database)).await);
        }
        publish("append", &parts);
    });
}

async fn measure(database: &TestDatabase) -> Append {
    let mut levels = vec![];
    for writers in WRITERS {
        let level = match database.kind() {
            DatabaseKind::Sqlite => alone(database, writers).await,
            DatabaseKind::MySql => in_turn(database, writers).await,
        };
        eprintln!("  {level}");
        levels.push(level);
    }
    Append { seconds: duration().as_secs_f64(), levels }
}

fn rounds() -> usize {
    arguments().rounds
}

/// There is no mysql-es to compare with on SQLite.
async fn alone(database: &TestDatabase, writers: usize) -> Level {
    let log = OurLog::open(database).await;
    let (mut ours, mut cores) = (vec![], Cores::default());
    for _ in 0..rounds() {
        let work = Work::now(None);
        ours.push(round(&log, writers, duration()).await);
        cores = work.since(None);
    }
    log.close().await;
    Level { writers, rates: vec![rates(OURS, ours)], cores }
}

async fn in_turn(database: &TestDatabase, writers: usize) -> Level {
    let more = async || TestDatabase::mysql("a database of its own").await.expect("the server is there");
    let (for_es, for_raw) = (more().await, more().await);
    let log = OurLog::open(database).await;
    let mysql_es = MysqlEs::at(for_es.url(), writers).await;
    let pooled = MysqlEs::at(for_es.url(), PUBLISHED_POOL).await;
    let raw = RawInserts::open(&for_raw, writers).await;
    let time: Duration = duration();
    let mut found = [(OURS, vec![]), (MYSQL_ES, vec![]), (MYSQL_ES_POOL, vec![]), (RAW, vec![])];
    let mut cores = Cores::default();
    for _ in 0..rounds() {
        let work = Work::now(None);
        found[0].1.push(round(&log, writers, time).await);
        cores = work.since(None);
        found[1].1.push(round(&mysql_es, writers, time).await);
        if writers > 1 {
            found[2].1.push(round(&pooled, writers, time).await);
        }
        found[3].1.push(round(&raw, raw.connections(), time).await);
    }
    log.close().await;
    mysql_es.close().await;
    pooled.close().await;
    raw.close().await;
    let found = found.into_iter().filter(|(_, rounds)| !rounds.is_empty());
    Level { writers, rates: found.map(|(who, rounds)| rates(who, rounds)).collect(), cores }
}

fn rates(who: &'static str, rounds: Vec<f64>) -> Rates {
    Rates { who, median: median(rounds.clone()), rounds }
}

impl Level {
    fn median_of(&self, who: &str) -> f64 {
        self.rates.iter().find(|rates| rates.who == who).map_or(f64::NAN, |rates| rates.median)
    }

    /// Of the two ways to run it, the faster one.
    fn mysql_es(&self) -> f64 {
        self.median_of(MYSQL_ES).max(self.median_of(MYSQL_ES_POOL))
    }
}

impl fmt::Display for Rates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let least = self.rounds.iter().copied().fold(f64::NAN, f64::min);
        let most = self.rounds.iter().copied().fold(f64::NAN, f64::max);
        write!(f, "{:.0} ({least:.0}-{most:.0})", self.median)
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>4} writers:", self.writers)?;
        self.rates.iter().try_for_each(|rates| write!(f, "  {} {:.0}", rates.who, rates.median))
    }
}

impl Append {
    fn who(&self) -> Vec<&'static str> {
        let last = self.levels.last().map(|level| level.rates.iter().map(|rates| rates.who).collect());
        last.unwrap_or_default()
    }
}

impl Found for Append {
    fn print(&self) {
        let heads: Vec<_> = self.levels.iter().map(|level| format!("{:>24}", level.writers)).collect();
        println!("{:<28} {}", "events/s, by writers", heads.concat());
        println!("{:<28} {}", "", format!("{:>24}", "median (least-most)").repeat(self.levels.len()));
        for who in self.who() {
            print!("{who:<28} ");
            for level in &self.levels {
                let found = level.rates.iter().find(|rates| rates.who == who).map(Rates::to_string);
                print!("{:>24}", found.unwrap_or_else(|| "-".to_owned()));
            }
            println!();
        }
        let cores =
            |Level { cores: Cores { load, all, .. }, .. }: &Level| format!("{:>24}", format!("{load:.2} of {all:.2}"));
        let cores: Vec<_> = self.levels.iter().map(cores).collect();
        println!("{:<28} {}", "our log, own cores of all", cores.concat());
    }

    fn targets(&self) -> Vec<Target> {
        let at = |writers: usize| self.levels.iter().find(|level| level.writers == writers);
        let to_es = |writers, bound| {
            let level = at(writers).filter(|level| level.mysql_es().is_finite())?;
            let what = format!("appends at {writers} writers, to mysql-es");
            Some(Target::at_least(what, level.median_of(OURS) / level.mysql_es(), bound, "x"))
        };
        let to_raw = || {
            let level = at(256).filter(|level| level.median_of(RAW).is_finite())?;
            let ratio = level.median_of(OURS) / level.median_of(RAW);
            Some(Target::at_least("appends at 256 writers, to 1,000-row inserts", ratio * 100.0, 45.0, "%"))
        };
        [to_es(1, 0.95), to_es(64, 3.5), to_es(256, 5.0), to_raw()].into_iter().flatten().collect()
    }

    fn panels(&self) -> Vec<Panel> {
        let line = |who: &&str| Series {
            name: (*who).to_owned(),
            values: self.levels.iter().map(|level| level.median_of(who)).collect(),
        };
        vec![Panel {
            title: "Appends".to_owned(),
            is_joined: true,
            across: "writers",
            places: self.levels.iter().map(|level| level.writers.to_string()).collect(),
            upright: "events/s",
            series: self.who().iter().map(line).collect(),
        }]
    }
}
