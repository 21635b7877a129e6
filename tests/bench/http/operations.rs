//! What people do most.

use std::time::Duration;

use harness::{ADMIN_EMAIL, PASSWORD, Process};
use serde_json::json;

use crate::arguments::arguments;
use crate::connection::request;
use crate::driver::Requests;
use crate::driver::closed_loop::{self, Rate};
use crate::driver::open_loop::{self, Paced};
use crate::machine::{Cores, Work, memory_mb};
use crate::team::{Chat, Team};

/// How many connections are used at once.
pub const CONNECTIONS: [usize; 4] = [1, 16, 64, 256];

/// At this part of the rate at 64 connections latencies are measured, and for how many times as long: the highest
/// quantiles need many requests.
const PACE: f64 = 0.5;
const LONGER: u32 = 3;

pub const HISTORY: &str = "history of 50";
pub const CONVERSATION: &str = "one conversation";
pub const LIST: &str = "list of 25 of 2,256";
pub const SEND: &str = "send (visitor)";
pub const SEND_AGENT: &str = "send (agent)";
pub const START: &str = "start chat";
pub const LOG_IN: &str = "log in";

/// A line of the table.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Line {
    pub operation: &'static str,
    pub rates: Vec<Rate>,
    /// One for each rate.
    pub cores: Vec<Cores>,
    pub paced: Paced,
    /// The program's resident memory afterwards, in megabytes.
    pub mb: f64,
}

/// Measures every operation whose name holds the `--case`.
pub async fn run(process: &Process, team: &Team, duration: Duration) -> Vec<Line> {
    let address = process.base().trim_start_matches("http://");
    let wanted = &arguments().case;
    let mut lines = vec![];
    for (operation, requests) in operations(team).into_iter().filter(|(name, _)| name.contains(wanted)) {
        let (mut rates, mut cores) = (vec![], vec![]);
        for connections in CONNECTIONS {
            let work = Work::now(Some(process));
            rates.push(closed_loop::measure(address, connections, duration, &requests).await);
            cores.push(work.since(Some(process)));
        }
        let pace = rates.iter().find(|rate| rate.connections == 64).map_or(1.0, |rate| rate.per_second * PACE);
        let paced = open_loop::measure(address, pace.max(1.0), duration * LONGER, &requests).await;
        let said: Vec<_> = rates.iter().map(|rate| format!("{:.0}", rate.per_second)).collect();
        let mb = memory_mb(process, "VmRSS:");
        eprintln!("  {operation}: {}/s; {mb:.0} MB", said.join(" / "));
        lines.push(Line { operation, rates, cores, paced, mb });
    }
    lines
}

fn operations(team: &Team) -> Vec<(&'static str, Requests)> {
    let begin = json!({ "initialMessage": "Hello, is anybody there?", "name": "Vera" }).to_string();
    let log_in = json!({ "email": ADMIN_EMAIL, "password": PASSWORD }).to_string();
    let list = request("GET", "/v1/conversations?limit=25", Some(&team.admin_token), "");
    vec![
        (HISTORY, each(team, 200, history)),
        (CONVERSATION, each(team, 200, conversation)),
        (LIST, Requests::alike(list, 200)),
        (SEND, sends(&team.chats)),
        (SEND_AGENT, each(team, 201, |chat| send(&chat.thread_id, &chat.agent_token))),
        (START, Requests::alike(request("POST", "/v1/widget/session", None, &begin), 201)),
        (LOG_IN, Requests::alike(request("POST", "/v1/auth/login", None, &log_in), 200)),
    ]
}

/// Visitors write, each connection in a chat of its own.
pub fn sends(chats: &[Chat]) -> Requests {
    Requests::each(chats.iter().map(|chat| send(&chat.thread_id, &chat.visitor_token)).collect(), 201)
}

fn send(thread_id: &str, token: &str) -> Vec<u8> {
    let message = json!({ "content": "Where is my parcel? I have been waiting for it since Monday." }).to_string();
    request("POST", &format!("/v1/threads/{thread_id}/events"), Some(token), &message)
}

fn history(chat: &Chat) -> Vec<u8> {
    request("GET", &format!("/v1/threads/{}/events?limit=50", chat.thread_id), Some(&chat.visitor_token), "")
}

fn conversation(chat: &Chat) -> Vec<u8> {
    request("GET", &format!("/v1/conversations/{}", chat.conversation_id), Some(&chat.visitor_token), "")
}

fn each(team: &Team, expected: u16, make: impl Fn(&Chat) -> Vec<u8>) -> Requests {
    Requests::each(team.chats.iter().map(make).collect(), expected)
}
