//! How long a chat waits for an agent who is free, and an agent for a chat that waits.

mod slots;
mod starts;

use std::time::{Duration, Instant};

use application::ports::Clock as _;
use infrastructure::system::SystemClock;
use serde_json::Value;

use crate::arguments::databases;
use crate::connection::{Connection, request};
use crate::driver::Latency;
use crate::plot::{Panel, Series};
use crate::report::{Found, Part, publish};
use crate::targets::Target;
use slots::Slots;
use starts::Starts;

const AGENTS: usize = 100;

/// How often a visitor looks whether the chat is served.
const POLL: Duration = Duration::from_millis(2);

/// The 99th percentile of each.
const MILLISECONDS: f64 = 50.0;

#[derive(Debug, serde::Serialize)]
struct Assignment {
    starts: Starts,
    slots: Slots,
}

pub fn run() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let mut parts = vec![];
        for (first, second) in databases().await.iter().zip(&databases().await) {
            let measure = async { Assignment { starts: starts::run(first).await, slots: slots::run(second).await } };
            parts.push(Part::measure(first, measure).await);
        }
        publish("assignment", &parts);
    });
}

/// Looks until the visitor's chat is served.
async fn until_served(connection: &mut Connection, conversation_id: &str, token: &str) {
    let look = request("GET", &format!("/v1/conversations/{conversation_id}"), Some(token), "");
    loop {
        let answer = connection.send(&look).await.expect("an answer");
        let chat: Value = serde_json::from_slice(&answer.body).expect("JSON");
        if chat["status"] == "active" {
            return;
        }
        SystemClock.sleep(POLL).await;
    }
}

/// When the one with this number is due.
fn due(begin: Instant, number: usize, per_second: u32) -> Instant {
    begin + Duration::from_secs_f64(number as f64 / f64::from(per_second))
}

impl Assignment {
    fn rows(&self) -> [(&'static str, Latency); 6] {
        [
            ("start due to answer", self.starts.answered),
            ("start due to served, seen", self.starts.seen),
            ("start to assigned, log", self.starts.in_the_log),
            ("close due to answer", self.slots.answered),
            ("close due to next served, seen", self.slots.seen),
            ("slot freed to next assigned, log", self.slots.in_the_log),
        ]
    }
}

impl Found for Assignment {
    fn print(&self) {
        let (starts, slots) = (&self.starts, &self.slots);
        println!("{} chats start, {} a second, {} agents are free", starts.chats, starts.per_second, starts.agents);
        println!(
            "{} chats are closed, {} a second, {} agents have no free slot, {} to {} chats wait\n",
            slots.closed, slots.per_second, slots.agents, slots.waiting[0], slots.waiting[1]
        );
        println!("{:<34}{}", "ms, open loop", Latency::head());
        for (what, latency) in self.rows() {
            println!("{what:<34}{latency}");
        }
    }

    fn targets(&self) -> Vec<Target> {
        let rows = self.rows().into_iter().filter(|(what, _)| !what.ends_with("answer"));
        rows.map(|(what, latency)| Target::at_most(format!("{what}, p99"), latency.p99_ms, MILLISECONDS, "ms"))
            .collect()
    }

    fn panels(&self) -> Vec<Panel> {
        let line =
            |(what, latency): (&str, Latency)| Series { name: what.to_owned(), values: latency.figures().to_vec() };
        vec![Panel {
            title: "Assignment".to_owned(),
            is_joined: true,
            across: "quantile",
            places: Latency::COLUMNS.map(str::to_owned).to_vec(),
            upright: "ms",
            series: self.rows().map(line).to_vec(),
        }]
    }
}
