//! The live stream: what it shows is what REST shows, from any position on, to those who may see it.

mod authority;
mod closing;
mod cost;
mod cuts;
mod events;
mod moments;
mod oracle;
mod presence;
mod rights;
mod sse;
mod tickets;

use harness::{Client, DatabaseKind, Person, Server, TestDatabase, Visitor};
use serde_json::Value;

/// Two nodes where there can be two.
async fn nodes(database: &TestDatabase) -> Vec<Server> {
    let mut nodes = vec![Server::start(database).await];
    if database.kind() == DatabaseKind::MySql {
        nodes.push(Server::start(database).await);
    }
    nodes
}

/// The token of a client.
fn token(client: &Client) -> &str {
    client.token().unwrap()
}

/// The start of the log of this server, as a cursor.
async fn beginning(server: &Server) -> String {
    format!("{}:0", server.app().log.head().await.unwrap().epoch)
}

/// The path of a visitor's first thread.
fn messages(visitor: &Visitor) -> String {
    format!("/v1/threads/{}/events", visitor.thread_id)
}

/// The path of a visitor's chat.
fn chat(visitor: &Visitor) -> String {
    format!("/v1/conversations/{}", visitor.conversation_id)
}

/// All events of a thread over REST.
async fn listed(client: &Client, path: &str) -> Vec<Value> {
    let (mut found, mut after) = (vec![], "0".to_owned());
    loop {
        let page = client.get(&format!("{path}?limit=100&after={after}")).await.expect(200).body;
        found.extend(page["data"].as_array().unwrap().iter().cloned());
        match page["nextCursor"].as_str() {
            Some(next) => next.clone_into(&mut after),
            None => return found,
        }
    }
}

/// The messages and system events of a thread among frames.
fn of_thread(frames: &[Value], thread_id: &str) -> Vec<Value> {
    let own = frames.iter().filter(|frame| frame["type"] == "thread_event" && frame["data"]["threadId"] == thread_id);
    own.map(|frame| frame["data"].clone()).collect()
}

/// An agent who serves a visitor's chat.
async fn served(server: &Server) -> (Person, Visitor) {
    let agent = server.agent(5).await;
    let visitor = server.visitor("Hello").await;
    harness::desk::wait_for_agent(&visitor, &agent.id).await;
    (agent, visitor)
}
