//! People who use a server, in this process or in another one.

use serde_json::{Value, json};

use crate::{Client, PASSWORD};

/// A logged-in agent of any role.
#[derive(Clone, Debug)]
pub struct Person {
    /// Their id.
    pub id: String,
    /// A client with their token.
    pub client: Client,
}

/// A visitor with a chat.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// Their id.
    pub id: String,
    /// A client with their token.
    pub client: Client,
    /// The conversation they began.
    pub conversation_id: String,
    /// Its first thread.
    pub thread_id: String,
    /// The whole answer of the widget endpoint.
    pub session: Value,
}

impl Client {
    /// Logs an agent in, who has the password of everybody.
    ///
    /// # Panics
    /// When the server refuses.
    pub async fn log_in(&self, email: &str) -> Person {
        let reply = self.post("/v1/auth/login", &json!({ "email": email, "password": PASSWORD })).await.expect(200);
        Person { id: reply.text("/agent/id").to_owned(), client: self.with_token(reply.text("/access_token")) }
    }

    /// A visitor whose chat begins with this session.
    ///
    /// # Panics
    /// When the server refuses.
    pub async fn visitor(&self, session: Value) -> Visitor {
        let reply = self.post("/v1/widget/session", &session).await.expect(201);
        Visitor::of(self, reply.body)
    }
}

/// The token that a client was given.
fn token(client: &Client) -> &str {
    client.token().expect("people have a token")
}

impl Person {
    /// Their token, to be used with another node's client.
    #[must_use]
    pub fn token(&self) -> &str {
        token(&self.client)
    }
}

impl Visitor {
    /// The visitor of an answer of the widget endpoint.
    ///
    /// # Panics
    /// When it is no such answer.
    #[must_use]
    pub fn of(client: &Client, session: Value) -> Self {
        let text = |field: &str| match session[field].as_str() {
            Some(text) => text.to_owned(),
            None => panic!("no {field} in {session}"),
        };
        Self {
            id: text("visitorId"),
            client: client.with_token(text("sessionToken")),
            conversation_id: text("conversationId"),
            thread_id: text("threadId"),
            session,
        }
    }

    /// Their token, to be used with another node's client.
    #[must_use]
    pub fn token(&self) -> &str {
        token(&self.client)
    }

    /// The path of the conversation, with this at its end.
    #[must_use]
    pub fn chat(&self, end: &str) -> String {
        format!("/v1/conversations/{}{end}", self.conversation_id)
    }

    /// The path of the messages in the first thread.
    #[must_use]
    pub fn messages(&self) -> String {
        format!("/v1/threads/{}/events", self.thread_id)
    }

    /// The conversation as the visitor sees it.
    pub async fn conversation(&self) -> Value {
        self.client.get(&self.chat("")).await.expect(200).body
    }

    /// Lets somebody close the conversation.
    ///
    /// # Panics
    /// When the server refuses.
    pub async fn close(&self, by: &Client) {
        by.post(&self.chat("/close"), &json!({ "reason": "done" })).await.expect(200);
    }
}
