//! Tickets for clients that cannot send a token.

use std::time::Duration;

use harness::{Client, Events, Server, TestClock, TestDatabase, each_database};
use serde_json::json;

use super::{messages, nodes, served};

async fn ticket(client: &Client) -> String {
    client.post("/v1/stream/tickets", &json!({})).await.expect(200).text("/ticket").to_owned()
}

async fn open(server: &Server, ticket: &str, after: &str) -> Events {
    let headers = if after.is_empty() { vec![] } else { vec![("last-event-id", after)] };
    Events::open(server.base(), &format!("?ticket={ticket}"), &headers).await
}

each_database!(ticket_opens_one_stream_again_and_again_on_every_node);
async fn ticket_opens_one_stream_again_and_again_on_every_node(database: TestDatabase) {
    let nodes = nodes(&database).await;
    let (one, other) = (&nodes[0], nodes.last().unwrap());
    let (anna, vera) = served(one).await;
    let ticket = ticket(&vera.client).await;
    assert!(!vera.client.token().unwrap().contains(&ticket));
    let mut first = open(one, &ticket, "").await;
    assert_eq!(first.status(), 200);
    let live = first.until("live").await.pop().unwrap();
    // The stream goes on elsewhere, and the older connection ends.
    let mut second = open(other, &ticket, &live.id).await;
    let end = first.until("superseded").await.pop().unwrap();
    assert_eq!((&end.data["terminal"], end.retry), (&json!(true), Some(60_000)));
    assert!(first.next().await.is_none());
    second.until("live").await;
    anna.client.post(&messages(&vera), &json!({ "content": "for the second" })).await.expect(201);
    let event = second.until("event").await.pop().unwrap();
    assert_eq!(event.data["data"]["content"], "for the second");
    // It is no token.
    other.client().with_token(ticket.clone()).get("/v1/agents").await.expect(401);
    assert_eq!(Events::follow(other.base(), &ticket, None).await.status(), 401);
}

each_database!(dead_tickets_open_nothing_and_browsers_do_not_come_back);
async fn dead_tickets_open_nothing_and_browsers_do_not_come_back(database: TestDatabase) {
    let clock = TestClock::new();
    let server = Server::start_at(&database, clock.clone()).await;
    let (anna, vera) = served(&server).await;
    assert_eq!(open(&server, "made-up", "").await.status(), 204);
    let late = ticket(&vera.client).await;
    clock.advance(Duration::from_secs(30));
    assert_eq!(open(&server, &late, "").await.status(), 204, "it was not used in time");
    let used = ticket(&anna.client).await;
    let mut stream = open(&server, &used, "").await;
    stream.until("live").await;
    clock.advance(Duration::from_secs(60));
    let mut again = open(&server, &used, "").await;
    again.until("live").await;
    // The end of the session is the end of the ticket.
    anna.client.post("/v1/auth/logout", &json!({})).await.expect(204);
    let end = again.until("revoked").await.pop().unwrap();
    assert_eq!(end.data["terminal"], true);
    assert_eq!(open(&server, &used, "").await.status(), 204, "the session has ended");
    let other = server.admin().await.client;
    let long = ticket(&other).await;
    open(&server, &long, "").await.until("live").await;
    clock.advance(Duration::from_secs(12 * 3_600));
    assert_eq!(open(&server, &long, "").await.status(), 204, "after twelve hours");
}
