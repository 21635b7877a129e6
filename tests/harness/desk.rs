//! A staffed desk to try requests on, and what every refusal must look like.

use serde_json::{Value, json};

use crate::{ADMIN_EMAIL, Client, DEADLINE, PASSWORD, Person, Reply, Visitor, eventually};

/// A UUID that names nothing.
pub const NOBODY: &str = "01890000-0000-7000-8000-000000000000";

/// One of each kind of people, and a chat that waits: nobody is online.
pub struct Desk {
    /// Where all this is.
    pub client: Client,
    /// The first admin.
    pub admin: Person,
    /// An agent of the default group, away.
    pub agent: Person,
    /// A visitor with an open chat.
    pub visitor: Visitor,
}

impl Desk {
    /// At a server in this process or in another one, with the admin that the harness knows.
    ///
    /// # Panics
    /// When the server refuses.
    pub async fn open(client: Client) -> Self {
        let admin = client.log_in(ADMIN_EMAIL).await;
        let body = json!({ "name": "Anna", "email": "anna@example.com", "password": PASSWORD, "status": "away" });
        admin.client.post("/v1/agents", &body).await.expect(201);
        let agent = client.log_in("anna@example.com").await;
        let visitor = client.visitor(json!({ "initialMessage": "Hello" })).await;
        Self { client, admin, agent, visitor }
    }

    /// The path of the chat, with this at its end.
    #[must_use]
    pub fn chat(&self, end: &str) -> String {
        self.visitor.chat(end)
    }

    /// The path of the messages in the chat's first thread.
    #[must_use]
    pub fn messages(&self) -> String {
        self.visitor.messages()
    }
}

/// Waits until the chat is at this agent.
pub async fn wait_for_agent(visitor: &Visitor, agent_id: &str) -> Value {
    eventually(DEADLINE, "the chat is assigned", async || {
        let chat = visitor.conversation().await;
        if chat["assignedAgentId"] == json!(agent_id) { Ok(chat) } else { Err(chat) }
    })
    .await
}

/// The answer is a problem in its whole form, with this status and code.
///
/// # Panics
/// When it is not.
#[track_caller]
pub fn assert_problem(reply: &Reply, status: u16, code: &str) {
    let body = &reply.body;
    assert_eq!((reply.status, &body["code"]), (status, &json!(code)), "{body}");
    assert_eq!(reply.header("content-type"), Some("application/problem+json"), "{body}");
    assert_eq!(body["type"], json!(format!("urn:livechatlog:problem:{code}")));
    assert_eq!(body["status"], json!(status));
    let title = reqwest::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    assert_eq!(body["title"].as_str(), title);
    assert!(body["detail"].as_str().is_some_and(|detail| detail.ends_with('.') && detail.len() > 10), "{body}");
    assert!(reply.header("x-request-id").is_some_and(|id| body["instance"] == json!(id)), "{body}");
    let members = ["type", "title", "status", "code", "detail", "instance", "errors"];
    let known = |body: &serde_json::Map<String, Value>| body.keys().all(|member| members.contains(&member.as_str()));
    assert!(body.as_object().is_some_and(known), "{body}");
    assert_eq!(reply.header("www-authenticate"), (status == 401).then_some("Bearer"), "{body}");
    assert_eq!(reply.header("retry-after").is_some(), status == 503, "{body}");
    assert_eq!(reply.header("event-position"), None, "{body}");
}

/// The answer is a 400 that complains of this field, and of no other, in these words.
///
/// # Panics
/// When it is not.
#[track_caller]
pub fn assert_field(reply: &Reply, field: &str, message: &str) {
    assert_problem(reply, 400, "invalid_request");
    let errors = reply.body["errors"].as_array().map_or(&[][..], Vec::as_slice);
    assert_eq!(errors.len(), 1, "{}", reply.body);
    assert_eq!(errors[0]["field"], json!(field), "{}", reply.body);
    let said = errors[0]["message"].as_str().unwrap_or_default();
    assert!(said.contains(message), "{field}: {said:?} does not say {message:?}");
}

/// The answer is a 400: the body is not what JSON should be.
///
/// # Panics
/// When it is not.
#[track_caller]
pub fn assert_malformed(reply: &Reply) {
    assert_problem(reply, 400, "malformed_request");
    assert_eq!(reply.body.get("errors"), None);
}
