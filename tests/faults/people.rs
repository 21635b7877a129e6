//! People who use a running program.

use application::ports::Ids as _;
use harness::{
    ADMIN_EMAIL, Client, DEADLINE, PASSWORD, Person, Process, ProcessBuilder, TestDatabase, Visitor, eventually,
};
use infrastructure::system::RandomIds;
use serde_json::json;
use std::time::Duration;

/// The program on a database, with a known admin and the same secret on each node.
pub fn program_on(database: &TestDatabase) -> ProcessBuilder {
    Process::on(database)
        .setting("ADMIN_EMAIL", ADMIN_EMAIL)
        .setting("ADMIN_PASSWORD", PASSWORD)
        .setting("JWT_SECRET", "a secret for tests, at least 32 bytes")
        .setting("RUST_LOG", "warn")
}

/// Logs the first admin in.
pub async fn admin(client: &Client) -> Person {
    client.log_in(ADMIN_EMAIL).await
}

/// Registers an agent with a role, a status and a limit, and logs them in.
pub async fn hire(client: &Client, admin: &Person, (role, status, limit): (&str, &str, u32)) -> Person {
    let email = format!("{}@example.com", RandomIds.new_uuid().simple());
    let body = json!({
        "name": role, "email": email, "password": PASSWORD, "role": role, "status": status,
        "maxConcurrentChats": limit,
    });
    let keyed = client.with_token(admin.token()).with_header("idempotency-key", &email);
    eventually(DEADLINE, "somebody is registered", async || {
        let reply = keyed.post("/v1/agents", &body).await;
        // Unavailable: no node fills the read models just now.
        if reply.status == 503 { Err(reply.body) } else { Ok(reply.expect(201)) }
    })
    .await;
    client.log_in(&email).await
}

/// Lets a visitor begin a chat.
pub async fn begin_chat(client: &Client, message: &str) -> Visitor {
    client.visitor(json!({ "initialMessage": message })).await
}

/// Waits until exactly this many of the chats are served.
pub async fn wait_until_served(client: &Client, guests: &[Visitor], count: usize, within: Duration) {
    eventually(within, "the chats are served", async || {
        let mut served = 0;
        for guest in guests {
            let path = guest.chat("");
            // Not found: no node fills the read models just now, so they do not have it yet.
            let chat = client.with_token(guest.token()).get(&path).await;
            assert!([200, 404].contains(&chat.status), "{chat:?}");
            served += usize::from(chat.body["status"] == "active");
        }
        if served == count { Ok(()) } else { Err(format!("{served} of {count}")) }
    })
    .await;
}
