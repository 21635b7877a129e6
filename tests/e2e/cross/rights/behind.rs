//! Rights on a node whose views are behind the log.

use std::sync::Arc;

use application::ports::Clock;
use harness::desk::assert_problem;
use harness::{Client, Server, TestDatabase, each_database};
use infrastructure::database::{Database, DatabaseOptions};
use infrastructure::subscription::Pause;
use infrastructure::system::SystemClock;
use serde_json::json;

/// Keeps the views of agents and of conversations as they are.
async fn hold_views(database: &Database) -> Vec<Pause> {
    let views = projections::all_views().into_iter().filter(|view| ["agents", "conversations"].contains(&view.name()));
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let clock = &clock;
    let holding = views.map(async |view| {
        Pause::begin(database, (view.name(), view.version()), "test", clock).await.unwrap().expect("the view pauses")
    });
    futures::future::join_all(holding).await
}

async fn listed(client: &Client) -> (usize, i64) {
    let list = client.get("/v1/conversations").await.expect(200).body;
    let counts = client.get("/v1/conversations/counts").await.expect(200).body;
    (list["data"].as_array().unwrap().len(), counts["total"].as_i64().unwrap())
}

each_database!(former_member_of_a_group_sees_none_of_its_chats_though_the_views_are_behind);
async fn former_member_of_a_group_sees_none_of_its_chats_though_the_views_are_behind(database: TestDatabase) {
    let server = Server::start(&database).await;
    let (admin, agent) = (server.admin().await.client, server.person("agent", "away", 1).await);
    let group_id = admin.get("/v1/groups").await.expect(200).text("/data/0/id").to_owned();
    let first = server.visitor("Hello").await.chat("");
    assert_eq!(listed(&agent.client).await, (1, 1));
    let store = Database::connect(database.url(), DatabaseOptions::default()).await.unwrap();
    let held = hold_views(&store).await;
    let hurried = |client: &Client| client.with_header("Prefer", "respond-async");
    let left = hurried(&admin).delete(&format!("/v1/groups/{group_id}/agents/{}", agent.id)).await;
    assert!([200, 202, 204].contains(&left.status), "{}", left.status);
    let begun = hurried(&server.client()).post("/v1/widget/session", &json!({ "initialMessage": "Hello?" })).await;
    let second = format!("/v1/conversations/{}", begun.text("/conversationId"));
    assert_problem(&admin.get(&second).await, 503, "position_not_reached");
    for chat in [&first, &second] {
        assert_problem(&agent.client.get(chat).await, 404, "not_found");
    }
    assert_eq!(listed(&agent.client).await, (0, 0));
    assert_eq!(listed(&admin).await, (1, 1), "the views are behind");
    for pause in held {
        pause.end().await;
    }
}
