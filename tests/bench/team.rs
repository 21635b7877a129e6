//! A company with chats, as the measurements find it.

use application::ports::Ids as _;
use harness::{ADMIN_EMAIL, Client, PASSWORD, Process, ProcessBuilder, TestDatabase, eventually};
use infrastructure::system::RandomIds;
use serde_json::json;
use std::time::Duration;

/// As many as the most connections, so that each writes in a chat of its own.
pub const SERVED: usize = 256;
const AGENTS: usize = 16;
/// How many more conversations there are.
pub const WAITING: usize = 2_000;

/// A visitor who writes in a chat.
#[derive(Clone)]
pub struct Chat {
    pub visitor_token: String,
    pub agent_token: String,
    pub conversation_id: String,
    pub thread_id: String,
}

/// The agents of a company and their chats.
pub struct Team {
    pub admin_token: String,
    pub chats: Vec<Chat>,
}

/// The program as the measurements start it.
pub fn program(database: &TestDatabase) -> ProcessBuilder {
    Process::on(database)
        .setting("ADMIN_EMAIL", ADMIN_EMAIL)
        .setting("ADMIN_PASSWORD", PASSWORD)
        .setting("RUST_LOG", "warn")
}

impl Team {
    /// 256 chats that are served by 16 agents, each with a history of 60 messages, and 2,000 that wait.
    pub async fn open(client: &Client) -> Self {
        let admin_token = log_in(client, ADMIN_EMAIL).await;
        let mut agents = vec![];
        for _ in 0..AGENTS {
            agents.push(hire(client, &admin_token, SERVED / AGENTS).await);
        }
        let mut chats = begin(client, SERVED).await;
        for chat in &mut chats {
            let path = format!("/v1/conversations/{}", chat.conversation_id);
            let client = client.with_token(&chat.visitor_token);
            let agent = eventually(Duration::from_secs(20), "the chat is served", async || {
                let body = client.get(&path).await.body;
                body["assignedAgentId"].as_str().map(str::to_owned).ok_or(body)
            });
            let agent = agent.await;
            chat.agent_token = agents.iter().find(|(id, _)| *id == agent).expect("one of them").1.clone();
        }
        futures::future::join_all(chats.iter().map(|chat| fill(client, chat))).await;
        begin(client, WAITING).await;
        Self { admin_token, chats }
    }
}

/// Registers an agent and logs them in: their id and token.
pub async fn hire(client: &Client, admin_token: &str, limit: usize) -> (String, String) {
    let email = format!("{}@example.com", RandomIds.new_uuid().simple());
    let body = json!({
        "name": "Agent", "email": email, "password": PASSWORD, "status": "online", "maxConcurrentChats": limit,
    });
    let made = client.with_token(admin_token).post("/v1/agents", &body).await.expect(201);
    (made.text("/id").to_owned(), log_in(client, &email).await)
}

pub async fn log_in(client: &Client, email: &str) -> String {
    let body = json!({ "email": email, "password": PASSWORD });
    client.post("/v1/auth/login", &body).await.expect(200).text("/access_token").to_owned()
}

/// This number of chats.
pub async fn begin(client: &Client, chats: usize) -> Vec<Chat> {
    use futures::StreamExt as _;
    futures::stream::iter(0..chats).map(|_| begin_one(client)).buffered(20).collect().await
}

async fn begin_one(client: &Client) -> Chat {
    let body = json!({ "initialMessage": "Hello, is anybody there?", "name": "Vera" });
    let session = client.post("/v1/widget/session", &body).await.expect(201);
    Chat {
        visitor_token: session.text("/sessionToken").to_owned(),
        agent_token: String::new(),
        conversation_id: session.text("/conversationId").to_owned(),
        thread_id: session.text("/threadId").to_owned(),
    }
}

async fn fill(client: &Client, chat: &Chat) {
    let client = client.with_token(&chat.visitor_token).with_header("prefer", "respond-async");
    for n in 0..60 {
        let path = format!("/v1/threads/{}/events", chat.thread_id);
        client.post(&path, &json!({ "content": format!("Message {n} of the history.") })).await.expect(201);
    }
}
