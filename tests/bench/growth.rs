//! Whether the program becomes slower as its log becomes longer: messages and lists on a short log and on a long one, in turn:
//! `cargo bench --workspace --bench livechatlog -- --only growth [--events N]`.
//!
//! The stores are those of `lists`. The long one is kept for the next run; the short one is filled again each time, since
//! the messages that are sent would make it longer and longer.

use std::time::Duration;

use application::ports::{Clock as _, Position};
use harness::{DatabaseKind, Process};
use infrastructure::system::SystemClock;
use tokio::runtime::{Builder, Runtime};

use crate::arguments::{arguments, is_wanted, mysql};
use crate::connection::request;
use crate::driver::open_loop::{self, Times};
use crate::driver::{Latency, Requests, closed_loop, histogram, median};
use crate::http::sends;
use crate::lists::cases::{Case, Names, cases};
use crate::lists::month;
use crate::lists::store::Store;
use crate::plot::{Panel, Series};
use crate::report::{Found, Part, publish};
use crate::targets::Target;
use crate::team::begin;

/// The events of the long log, unless `--events` says otherwise, and of the short one.
const LONG: usize = 1_000_000;
const SHORT: usize = 10_000;

/// A conversation has more, on average.
const EVENTS_OF_ONE: usize = 20;

/// How many write at once.
const WRITERS: usize = 16;

/// Short turns, so that the short log stays short; the median counts.
const ROUNDS: usize = 7;
const ROUND: Duration = Duration::from_secs(1);

/// First pages, and how often each is asked for.
const LISTS: [&str; 9] =
    ["all, newest", "status closed", "group", "agent", "tag", "text, frequent", "agent's own view", "counts", "queue"];
const ASKED_PER_SECOND: f64 = 50.0;
const ASKED: Duration = Duration::from_secs(10);

/// What may come of a longer log.
const SENDS: f64 = 0.9;
const LIST_P99: f64 = 1.5;

/// The long log, then the short one.
type Both<T> = [T; 2];

#[derive(Debug, serde::Serialize)]
struct List {
    name: &'static str,
    latency: Both<Latency>,
}

#[derive(Debug, serde::Serialize)]
struct Growth {
    /// Before and after.
    events: Both<[Position; 2]>,
    /// Messages a second, round by round.
    sends: Both<Vec<f64>>,
    errors: u64,
    /// At half the rate of the slower one.
    due_per_second: f64,
    send_latency: Both<Latency>,
    lists: Vec<List>,
}

/// A running program, with chats to write in.
struct Side {
    address: String,
    names: Names,
    sends: Requests,
}

pub fn run() {
    let mysql = mysql();
    let sqlite = is_wanted(DatabaseKind::Sqlite).then_some(None);
    let mut parts = vec![];
    for server in sqlite.into_iter().chain(mysql.as_deref().map(Some)) {
        let filling = Runtime::new().expect("a runtime");
        let stores = filling.block_on(async {
            [Store::open(server, conversations()).await, Store::fresh(server, SHORT / EVENTS_OF_ONE).await]
        });
        drop(filling);
        // One thread for the load leaves the rest of the machine to the programs.
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let measure = Part::at(stores[0].kind, stores[0].url(), measure(&stores));
        parts.push(runtime.block_on(measure));
    }
    publish("growth", &parts);
}

fn conversations() -> usize {
    let events = arguments().events.map_or(LONG, |events| events as usize);
    assert!(events > SHORT, "--events takes a number above {SHORT}");
    events.div_ceil(EVENTS_OF_ONE)
}

/// The store with the long log, with the number of its events, if it has been filled.
pub async fn large_store(kind: DatabaseKind) -> Option<(Store, Position)> {
    let server = match kind {
        DatabaseKind::Sqlite => None,
        DatabaseKind::MySql => Some(mysql()?),
    };
    let store = Store::find(server.as_deref(), conversations()).await?;
    let position = store.position().await?;
    Some((store, position))
}

async fn measure(stores: &Both<Store>) -> Growth {
    let mut processes = [stores[0].program().start().await, stores[1].program().start().await];
    let sides = [Side::of(&processes[0]).await, Side::of(&processes[1]).await];
    let before = positions(stores).await;
    let lists = lists(&sides).await;
    let (mut sends, mut errors) = ([vec![], vec![]], 0);
    for _ in 0..ROUNDS {
        for (side, sends) in sides.iter().zip(&mut sends) {
            let rate = closed_loop::measure(&side.address, WRITERS, ROUND, &side.sends).await;
            sends.push(rate.per_second);
            errors += rate.errors;
        }
    }
    let due_per_second = median(sends[0].clone()).min(median(sends[1].clone())) / 2.0;
    let mut times = [histogram(), histogram()];
    for _ in 0..ROUNDS {
        for (side, times) in sides.iter().zip(&mut times) {
            let paced = open_loop::times(&side.address, due_per_second, ROUND, &side.sends).await;
            times.add(paced.good).expect("histograms of the same bounds");
            errors += paced.errors;
        }
    }
    let after = positions(stores).await;
    for process in &mut processes {
        process.terminate().await;
    }
    let events = [[before[0], after[0]], [before[1], after[1]]];
    let send_latency = [Latency::of(&times[0]), Latency::of(&times[1])];
    Growth { events, sends, errors, due_per_second, send_latency, lists }
}

impl Side {
    async fn of(process: &Process) -> Self {
        let address = process.base().trim_start_matches("http://").to_owned();
        let names = Names::find(process.client()).await;
        Self { address, names, sends: sends(&begin(process.client(), open_loop::CONNECTIONS).await) }
    }

    async fn ask(&self, case: &Case) -> Times {
        let token = &self.names.tokens[case.who as usize];
        let requests = Requests::alike(request("GET", &case.path, Some(token), ""), 200);
        open_loop::times(&self.address, ASKED_PER_SECOND, ASKED, &requests).await
    }
}

async fn positions(stores: &Both<Store>) -> Both<Position> {
    [stores[0].position().await.unwrap_or_default(), stores[1].position().await.unwrap_or_default()]
}

async fn lists(sides: &Both<Side>) -> Vec<List> {
    let month = month();
    let (long, short) = (cases(&sides[0].names, &month), cases(&sides[1].names, &month));
    let mut lists = vec![];
    for (long, short) in long.iter().zip(&short).filter(|(case, _)| LISTS.contains(&case.name)) {
        let later = async {
            // In turn: when the other one's request is halfway to its next.
            SystemClock.sleep(Duration::from_secs_f64(0.5 / ASKED_PER_SECOND)).await;
            sides[1].ask(short).await
        };
        let (long_times, short_times) = tokio::join!(sides[0].ask(long), later);
        assert_eq!(long_times.errors + short_times.errors, 0, "{}", long.name);
        let latency = [Latency::of(&long_times.good), Latency::of(&short_times.good)];
        eprintln!("  {}: p99 {:.1} / {:.1} ms", long.name, latency[0].p99_ms, latency[1].p99_ms);
        lists.push(List { name: long.name, latency });
    }
    lists
}

impl Growth {
    fn labels(&self) -> Both<String> {
        self.events.map(|[before, _]| format!("{before} events"))
    }
}

impl Found for Growth {
    fn print(&self) {
        for (label, [_, after]) in self.labels().iter().zip(self.events) {
            println!("{label} at first, {after} at last");
        }
        println!("\n{:<44}{:>9}  (least-most of {ROUNDS})", "sends/s at 16 connections", "median");
        for (label, rounds) in self.labels().iter().zip(&self.sends) {
            let least = rounds.iter().copied().fold(f64::NAN, f64::min);
            let most = rounds.iter().copied().fold(f64::NAN, f64::max);
            println!("{label:<44}{:>9.0}  ({least:.0}-{most:.0})", median(rounds.clone()));
        }
        println!("{} errors\n\n{:<44}{}", self.errors, "ms, open loop", Latency::head());
        for (label, latency) in self.labels().iter().zip(&self.send_latency) {
            println!("{:<44}{latency}", format!("send, {:.0}/s, {label}", self.due_per_second));
        }
        for list in &self.lists {
            for (label, latency) in self.labels().iter().zip(&list.latency) {
                println!("{:<44}{latency}", format!("{}, {label}", list.name));
            }
        }
    }

    fn targets(&self) -> Vec<Target> {
        let sends = median(self.sends[0].clone()) / median(self.sends[1].clone());
        let list = |list: &List| {
            let ratio = list.latency[0].p99_ms / list.latency[1].p99_ms;
            Target::at_most(format!("list: {}, p99, long to short log", list.name), ratio, LIST_P99, "x")
        };
        let sends = Target::at_least("sends, long to short log", sends, SENDS, "x");
        std::iter::once(sends).chain(self.lists.iter().map(list)).collect()
    }

    fn panels(&self) -> Vec<Panel> {
        let of_rounds = |(name, values): (String, &Vec<f64>)| Series { name, values: values.clone() };
        let sends = Panel {
            title: "Sends at 16 connections".to_owned(),
            is_joined: true,
            across: "round",
            places: (1..=ROUNDS).map(|round| round.to_string()).collect(),
            upright: "messages/s",
            series: self.labels().into_iter().zip(&self.sends).map(of_rounds).collect(),
        };
        let p99 = |(side, name): (usize, String)| Series {
            name,
            values: self.lists.iter().map(|list| list.latency[side].p99_ms).collect(),
        };
        let lists = Panel {
            title: "First pages, p99".to_owned(),
            is_joined: false,
            across: "list",
            places: self.lists.iter().map(|list| list.name.to_owned()).collect(),
            upright: "ms",
            series: self.labels().into_iter().enumerate().map(p99).collect(),
        };
        vec![sends, lists]
    }
}
