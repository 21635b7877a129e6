//! Every list, filter and figure of conversations at two sizes of the store:
//! `cargo bench --workspace --bench livechatlog -- --only lists [--conversations N] [--requests N] [--case TEXT]`.
//!
//! Filling takes minutes and is done once: the stores are kept in `target/bench` and on the server that
//! `TEST_MYSQL_URL` names (`lists_…`), until they are deleted.

pub mod cases;
mod chats;
mod company;
mod dice;
mod measure;
mod pipeline;
pub mod store;
mod table;
mod texts;

use std::time::Duration;

use application::ports::Clock as _;
use harness::{DatabaseKind, Process};
use infrastructure::system::SystemClock;

use crate::arguments::{arguments, is_wanted, mysql};
use crate::report::{Part, publish};
use cases::{Names, cases};
use measure::{Line, Side, measure};
use store::Store;
use table::Lists;

/// The conversations of the small store. The large one has 104,000 unless asked otherwise, with a million messages.
const FEW: usize = 1_000;

/// Measures on SQLite, and on the server that `TEST_MYSQL_URL` names.
pub fn run() {
    let many = arguments().conversations;
    let mysql = mysql();
    let sqlite = is_wanted(DatabaseKind::Sqlite).then_some(None);
    let mut parts = vec![];
    for kind in sqlite.into_iter().chain(mysql.as_deref().map(Some)) {
        let filling = tokio::runtime::Runtime::new().expect("a runtime");
        let stores = filling.block_on(async { [Store::open(kind, many).await, Store::open(kind, FEW).await] });
        drop(filling);
        // One thread for the load leaves the rest of the machine to the programs.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        parts.push(runtime.block_on(Part::at(stores[0].kind, stores[0].url(), compare(&stores))));
    }
    publish("lists", &parts);
}

async fn compare(stores: &[Store; 2]) -> Lists {
    let mut processes = [stores[0].program().start().await, stores[1].program().start().await];
    let sides = [side(&processes[0]).await, side(&processes[1]).await];
    let month = month();
    let (many, few) = (cases(&sides[0].names, &month), cases(&sides[1].names, &month));
    let wanted = &arguments().case;
    let mut lines: Vec<Line> = vec![];
    for (many, few) in many.iter().zip(&few).filter(|(case, _)| case.name.contains(wanted)) {
        lines.extend(measure(&sides, [many, few], arguments().requests).await);
    }
    for process in &mut processes {
        process.terminate().await;
    }
    Lists { conversations: [stores[0].conversations, stores[1].conversations], lines }
}

async fn side(process: &Process) -> Side {
    let address = process.base().trim_start_matches("http://").to_owned();
    Side { address, names: Names::find(process.client()).await }
}

/// The month that began half a year ago, as a query.
pub fn month() -> String {
    let day = Duration::from_secs(86_400);
    let (from, to) = (SystemClock.now().minus(day * 180), SystemClock.now().minus(day * 150));
    format!("from={from}&to={to}")
}
