//! Every list, filter and figure of conversations at two sizes of the store:
//! `cargo bench -p tests -- --only lists [--conversations N] [--requests N] [--case TEXT]`.
//!
//! Filling takes minutes and is done once: the stores are kept in `target/bench` and on the server that
//! `TEST_MYSQL_URL` names (`lists_…`), until they are deleted.

mod cases;
mod chats;
mod company;
mod dice;
mod measure;
mod pipeline;
mod store;
mod table;
mod texts;

use std::time::Duration;

use application::ports::Clock as _;
use harness::Process;
use infrastructure::system::SystemClock;

use crate::argument;
use cases::{Names, cases};
use measure::{Line, Side, measure};
use store::Store;

/// How many conversations there are, in which people have written a million messages, and how many in the store that it
/// is compared with.
const MANY: usize = 104_000;
const FEW: usize = 1_000;

/// How often each page is asked for.
const REQUESTS: usize = 300;

/// Measures on SQLite, and on the server that `TEST_MYSQL_URL` names.
pub fn run() {
    let many = number("--conversations").unwrap_or(MANY);
    let mysql = std::env::var("TEST_MYSQL_URL").ok().filter(|url| !url.is_empty());
    let kinds = [None].into_iter().chain(mysql.as_deref().map(Some));
    for kind in kinds.filter(|kind| argument("--on").is_none_or(|on| (on == "mysql") == kind.is_some())) {
        let filling = tokio::runtime::Runtime::new().expect("a runtime");
        let stores = filling.block_on(async { [Store::open(kind, many).await, Store::open(kind, FEW).await] });
        drop(filling);
        // One thread for the load leaves the rest of the machine to the programs.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(compare(kind, &stores));
    }
}

fn number(name: &str) -> Option<usize> {
    argument(name).map(|text| text.parse().unwrap_or_else(|_| panic!("{name} takes a number")))
}

async fn compare(mysql: Option<&str>, stores: &[Store; 2]) {
    let mut processes = [stores[0].program().start().await, stores[1].program().start().await];
    let sides = [side(&processes[0]).await, side(&processes[1]).await];
    let month = month();
    let (many, few) = (cases(&sides[0].names, &month), cases(&sides[1].names, &month));
    let wanted = argument("--case").unwrap_or_default();
    let mut lines: Vec<Line> = vec![];
    for (many, few) in many.iter().zip(&few).filter(|(case, _)| case.name.contains(&wanted)) {
        lines.extend(measure(&sides, [many, few], number("--requests").unwrap_or(REQUESTS)).await);
    }
    table::publish(mysql, [stores[0].conversations, stores[1].conversations], &lines).await;
    for process in &mut processes {
        process.terminate().await;
    }
}

async fn side(process: &Process) -> Side {
    let address = process.base().trim_start_matches("http://").to_owned();
    Side { address, names: Names::find(process.client()).await }
}

/// The month that began half a year ago, as a query.
fn month() -> String {
    let day = Duration::from_secs(86_400);
    let (from, to) = (SystemClock.now().minus(day * 180), SystemClock.now().minus(day * 150));
    format!("from={from}&to={to}")
}
