//! People who use a running program.

use application::ports::Ids as _;
use harness::{ADMIN_EMAIL, Client, DEADLINE, PASSWORD, Process, ProcessBuilder, TestDatabase, eventually};
use infrastructure::system::RandomIds;
use serde_json::{Value, json};
use std::time::Duration;

/// The program on a database, with a known admin and the same secret on each node.
pub fn program_on(database: &TestDatabase) -> ProcessBuilder {
    Process::on(database)
        .setting("ADMIN_EMAIL", ADMIN_EMAIL)
        .setting("ADMIN_PASSWORD", PASSWORD)
        .setting("JWT_SECRET", "a secret for tests, at least 32 bytes")
        .setting("RUST_LOG", "warn")
}

/// An agent of any role.
#[derive(Clone, Debug)]
pub struct Worker {
    pub id: String,
    pub token: String,
}

/// A visitor with a chat.
#[derive(Clone, Debug)]
pub struct Guest {
    pub token: String,
    pub conversation_id: String,
    pub thread_id: String,
}

/// Logs the first admin in.
pub async fn admin(client: &Client) -> Worker {
    log_in(client, ADMIN_EMAIL).await
}

async fn log_in(client: &Client, email: &str) -> Worker {
    let reply = client.post("/v1/auth/login", &json!({ "email": email, "password": PASSWORD })).await.expect(200);
    Worker { id: reply.text("/agent/id").to_owned(), token: reply.text("/access_token").to_owned() }
}

/// Registers an agent with a role, a status and a limit, and logs them in.
pub async fn hire(client: &Client, admin: &Worker, (role, status, limit): (&str, &str, u32)) -> Worker {
    let email = format!("{}@example.com", RandomIds.new_uuid().simple());
    let body = json!({
        "name": role, "email": email, "password": PASSWORD, "role": role, "status": status,
        "maxConcurrentChats": limit,
    });
    let keyed = client.with_token(&admin.token).with_header("idempotency-key", &email);
    eventually(DEADLINE, "somebody is registered", async || {
        let reply = keyed.post("/v1/agents", &body).await;
        // Unavailable: no node fills the read models just now.
        if reply.status == 503 { Err(reply.body) } else { Ok(reply.expect(201)) }
    })
    .await;
    log_in(client, &email).await
}

/// Lets a visitor begin a chat.
pub async fn begin_chat(client: &Client, message: &str) -> Guest {
    let reply = client.post("/v1/widget/session", &json!({ "initialMessage": message })).await.expect(201);
    guest(&reply.body)
}

/// The visitor of an answer of the widget endpoint.
pub fn guest(session: &Value) -> Guest {
    let text = |field: &str| session[field].as_str().unwrap_or_else(|| panic!("no {field} in {session}")).to_owned();
    Guest { token: text("sessionToken"), conversation_id: text("conversationId"), thread_id: text("threadId") }
}

/// Waits until exactly this many of the chats are served.
pub async fn wait_until_served(client: &Client, guests: &[Guest], count: usize, within: Duration) {
    eventually(within, "the chats are served", async || {
        let mut served = 0;
        for guest in guests {
            let path = format!("/v1/conversations/{}", guest.conversation_id);
            // Not found: no node fills the read models just now, so they do not have it yet.
            let chat = client.with_token(&guest.token).get(&path).await;
            assert!([200, 404].contains(&chat.status), "{chat:?}");
            served += usize::from(chat.body["status"] == "active");
        }
        if served == count { Ok(()) } else { Err(format!("{served} of {count}")) }
    })
    .await;
}
