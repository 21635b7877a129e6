//! A staffed desk to try requests on, and what every refusal must look like.

use std::sync::Arc;

use application::UseCaseError;
use application::command_bus::{UnitOfWork, UseCase};
use application::ports::{LogEvent, StreamId};
use domain::aggregate::Root;
use harness::{ADMIN_EMAIL, Client, DEADLINE, PASSWORD, Person, Reply, Server, Visitor, eventually};
use serde_json::{Value, json};

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
    pub async fn open(client: Client) -> Self {
        let admin = log_in(&client, ADMIN_EMAIL).await;
        let body = json!({ "name": "Anna", "email": "anna@example.com", "password": PASSWORD, "status": "away" });
        admin.client.post("/v1/agents", &body).await.expect(201);
        let agent = log_in(&client, "anna@example.com").await;
        let visitor = visitor(&client, json!({ "initialMessage": "Hello" })).await;
        Self { client, admin, agent, visitor }
    }

    /// The path of the chat, with this at its end.
    pub fn chat(&self, end: &str) -> String {
        format!("/v1/conversations/{}{end}", self.visitor.conversation_id)
    }

    /// The path of the messages in the chat's first thread.
    pub fn messages(&self) -> String {
        format!("/v1/threads/{}/events", self.visitor.thread_id)
    }
}

pub async fn log_in(client: &Client, email: &str) -> Person {
    let reply = client.post("/v1/auth/login", &json!({ "email": email, "password": PASSWORD })).await.expect(200);
    Person { id: reply.text("/agent/id").to_owned(), client: client.with_token(reply.text("/access_token")) }
}

/// A visitor whose chat begins with this.
pub async fn visitor(client: &Client, session: Value) -> Visitor {
    let reply = client.post("/v1/widget/session", &session).await.expect(201);
    Visitor {
        id: reply.text("/visitorId").to_owned(),
        client: client.with_token(reply.text("/sessionToken")),
        conversation_id: reply.text("/conversationId").to_owned(),
        thread_id: reply.text("/threadId").to_owned(),
        session: reply.body,
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
#[track_caller]
pub fn assert_problem(reply: &Reply, status: u16, code: &str) {
    let body = &reply.body;
    assert_eq!((reply.status, &body["code"]), (status, &json!(code)), "{body}");
    assert_eq!(reply.header("content-type"), Some("application/problem+json"), "{body}");
    assert_eq!(body["type"], json!(format!("urn:livechatlog:problem:{code}")));
    assert_eq!(body["status"], json!(status));
    let title = reqwest::StatusCode::from_u16(status).unwrap().canonical_reason();
    assert_eq!(body["title"].as_str(), title);
    assert!(body["detail"].as_str().is_some_and(|detail| detail.ends_with('.') && detail.len() > 10), "{body}");
    assert!(reply.header("x-request-id").is_some_and(|id| body["instance"] == json!(id)), "{body}");
    let members = ["type", "title", "status", "code", "detail", "instance", "errors"];
    assert!(body.as_object().unwrap().keys().all(|member| members.contains(&member.as_str())), "{body}");
    assert_eq!(reply.header("www-authenticate"), (status == 401).then_some("Bearer"), "{body}");
    assert_eq!(reply.header("retry-after").is_some(), status == 503, "{body}");
    assert_eq!(reply.header("event-position"), None, "{body}");
}

/// The answer is a 400 that complains of this field, and of no other, in these words.
#[track_caller]
pub fn assert_field(reply: &Reply, field: &str, message: &str) {
    assert_problem(reply, 400, "invalid_request");
    let errors = reply.body["errors"].as_array().unwrap();
    assert_eq!(errors.len(), 1, "{}", reply.body);
    assert_eq!(errors[0]["field"], json!(field), "{}", reply.body);
    let said = errors[0]["message"].as_str().unwrap();
    assert!(said.contains(message), "{field}: {said:?} does not say {message:?}");
}

/// The answer is a 400: the body is not what JSON should be.
#[track_caller]
pub fn assert_malformed(reply: &Reply) {
    assert_problem(reply, 400, "malformed_request");
    assert_eq!(reply.body.get("errors"), None);
}

/// Gives one aggregate a command, for what has no endpoint, and waits until the views have it.
pub async fn tell<A: Root>(server: &Server, id: A::Id, command: A::Command)
where
    A::Command: Clone + Send + Sync,
    UseCaseError: From<A::Error>,
{
    let app = server.app();
    let context = app.bus.context("system:test".to_owned(), app.bus.new_uuid());
    let done = app.bus.execute(context, Tell::<A> { id, command }).await.unwrap();
    let position = done.position().expect("the command changes something").to_string();
    let ready = server.admin().await.client.with_header("If-Position-At-Least", &position);
    for path in ["/v1/agents", "/v1/conversations"] {
        ready.get(path).await.expect(200);
    }
}

struct Tell<A: Root> {
    id: A::Id,
    command: A::Command,
}

impl<A: Root> UseCase for Tell<A>
where
    A::Command: Clone + Send + Sync,
    UseCaseError: From<A::Error>,
{
    type Output = ();

    fn locks(&self) -> Vec<StreamId> {
        vec![]
    }

    async fn run(&self, work: &mut UnitOfWork) -> Result<(), UseCaseError> {
        work.execute::<A>(self.id, self.command.clone()).await.map(|_| ())
    }

    fn recall(&self, _events: &[Arc<LogEvent>]) -> Option<()> {
        Some(())
    }
}
