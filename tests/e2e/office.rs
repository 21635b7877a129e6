//! Two groups with chats, to list.

use harness::{Client, Person, Server, TestDatabase, Visitor};
use serde_json::{Value, json};

/// Two groups, an agent in the second one only, and chats in both.
pub struct Office {
    pub server: Server,
    pub admin: Client,
    pub agent: Person,
    pub general: String,
    pub sales: String,
}

impl Office {
    pub async fn open(database: &TestDatabase) -> Self {
        let server = Server::start(database).await;
        let admin = server.admin().await.client;
        let general = admin.get("/v1/groups").await.expect(200).text("/data/0/id").to_owned();
        let sales = admin.post("/v1/groups", &json!({ "name": "Sales" })).await.expect(201).text("/id").to_owned();
        let agent = server.person("agent", "away", 5).await;
        let members = format!("/v1/groups/{sales}/agents");
        admin.post(&members, &json!({ "agentIds": [agent.id] })).await.expect(200);
        admin.delete(&format!("/v1/groups/{general}/agents/{}", agent.id)).await.expect(200);
        Self { server, admin, agent, general, sales }
    }

    /// A chat in a group, of a visitor with this name.
    pub async fn chat(&self, group: &str, name: &str, message: &str) -> Visitor {
        let email = format!("{}@example.com", name.to_lowercase());
        let body = json!({ "initialMessage": message, "name": name, "email": email, "groupId": group });
        self.server.client().visitor(body).await
    }
}

/// The conversations of a list, page by page.
pub async fn ids(client: &Client, path: &str) -> Vec<String> {
    let mut all = vec![];
    let mut cursor = String::new();
    loop {
        let page = client.get(&format!("{path}&limit=2{cursor}")).await.expect(200).body;
        all.extend(page["data"].as_array().unwrap().iter().map(|chat| {
            chat.get("id").or_else(|| chat.get("conversationId")).and_then(Value::as_str).unwrap().to_owned()
        }));
        let Some(next) = page["nextCursor"].as_str() else { return all };
        cursor = format!("&cursor={next}");
    }
}

/// The conversations of these visitors.
pub fn of(chats: &[&Visitor]) -> Vec<String> {
    chats.iter().map(|chat| chat.conversation_id.clone()).collect()
}
