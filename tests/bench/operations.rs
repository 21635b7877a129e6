//! What people do most, at 1, 16 and 64 connections.

use std::rc::Rc;
use std::time::Duration;

use harness::{ADMIN_EMAIL, PASSWORD, Process};
use serde_json::json;

use crate::closed_loop::{Measured, Requests, measure};
use crate::connection::request;
use crate::desk::Desk;
use crate::machine::memory_mib;

/// How many connections are used at once.
pub const CONNECTIONS: [usize; 3] = [1, 16, 64];

/// A line of the table.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Line {
    pub operation: &'static str,
    pub measured: Vec<Measured>,
    /// The program's resident memory afterwards.
    pub mib: f64,
}

/// Measures every operation whose name holds `only`.
pub async fn run(process: &Process, desk: &Desk, duration: Duration, only: &str) -> Vec<Line> {
    let address = process.base().trim_start_matches("http://");
    let mut lines = vec![];
    for (operation, requests, expected) in operations(desk).into_iter().filter(|(name, ..)| name.contains(only)) {
        let mut measured = vec![];
        for connections in CONNECTIONS {
            measured.push(measure(address, connections, duration, (Rc::clone(&requests), expected)).await);
        }
        let rates: Vec<_> = measured.iter().map(|one| format!("{:.0}", one.per_second)).collect();
        let mib = memory_mib(process, "VmRSS:");
        eprintln!("  {operation}: {}; {mib:.0} MiB", rates.join(" / "));
        lines.push(Line { operation, measured, mib });
    }
    lines
}

fn operations(desk: &Desk) -> Vec<(&'static str, Requests, u16)> {
    let message = json!({ "content": "Where is my parcel? I have been waiting for it since Monday." }).to_string();
    let begin = json!({ "initialMessage": "Hello, is anybody there?", "name": "Vera" }).to_string();
    let log_in = json!({ "email": ADMIN_EMAIL, "password": PASSWORD }).to_string();
    let by_visitor = each(desk, |chat| post_to(&chat.thread_id, &chat.visitor_token, &message));
    let by_agent = each(desk, |chat| post_to(&chat.thread_id, &chat.agent_token, &message));
    let history = each(desk, |chat| {
        request("GET", &format!("/v1/threads/{}/events?limit=50", chat.thread_id), Some(&chat.visitor_token), "")
    });
    let by_visitor_alone = each(desk, |chat| {
        request("GET", &format!("/v1/conversations/{}", chat.conversation_id), Some(&chat.visitor_token), "")
    });
    let list = request("GET", "/v1/conversations?limit=25", Some(&desk.admin_token), "");
    let begin = request("POST", "/v1/widget/session", None, &begin);
    let log_in = request("POST", "/v1/auth/login", None, &log_in);
    vec![
        ("history of 50", history, 200),
        ("one conversation", by_visitor_alone, 200),
        ("list of 25 of 2,064", all_alike(list), 200),
        ("send (visitor)", by_visitor, 201),
        ("send (agent)", by_agent, 201),
        ("start chat", all_alike(begin), 201),
        ("log in", all_alike(log_in), 200),
    ]
}

fn post_to(thread_id: &str, token: &str, body: &str) -> Vec<u8> {
    request("POST", &format!("/v1/threads/{thread_id}/events"), Some(token), body)
}

/// Each connection in a chat of its own.
fn each(desk: &Desk, make: impl Fn(&crate::desk::Chat) -> Vec<u8>) -> Requests {
    let requests: Vec<_> = desk.chats.iter().map(make).collect();
    Rc::new(move |lane, _| requests[lane % requests.len()].clone())
}

fn all_alike(request: Vec<u8>) -> Requests {
    Rc::new(move |_, _| request.clone())
}
