//! Rights that end while the body of a request is on its way: every endpoint that takes a body, with every way of losing
//! the right to it.

use api::rest::{Access, Endpoint, endpoints};
use api::service::Action;
use application::agents::RegisterAgent;
use application::ports::{Position, Principal};
use domain::agent::{AgentStatus, ChatLimit, Registration, Role};
use domain::ids::AgentId;
use domain::text::{EmailAddress, Name};
use harness::{LateRequest, PASSWORD, Person, RawReply, Server, TestDatabase, Visitor, each_database};
use serde_json::{Value, json};

/// What the caller loses.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Loss {
    /// Nothing: the control.
    Nothing,
    /// The session: somebody logs out with the same token.
    Session,
    /// The role: an admin becomes an agent.
    Role,
    /// The account.
    Account,
    /// The chat: it goes to somebody else, and from there to a third person.
    Chat,
}

const LOSSES: [Loss; 5] = [Loss::Nothing, Loss::Session, Loss::Role, Loss::Account, Loss::Chat];

/// Actions on a chat.
const CHAT: [Action; 10] = [
    Action::SendMessage,
    Action::MarkRead,
    Action::SignalTyping,
    Action::ChangeConversations,
    Action::AssignChat,
    Action::TransferChat,
    Action::CloseChat,
    Action::ReopenChat,
    Action::TagChat,
    Action::UntagChat,
];

/// Actions of participants, whatever their role.
const OF_PARTICIPANTS: [Action; 3] = [Action::SendMessage, Action::MarkRead, Action::SignalTyping];

/// Actions on oneself, for which every role will do.
const ON_ONESELF: [Action; 4] = [Action::LogOut, Action::ChangePassword, Action::SendHeartbeat, Action::IssueTicket];

/// Whether a loss takes the right to an action.
fn takes_the_right(loss: Loss, action: Action) -> bool {
    match loss {
        Loss::Nothing => false,
        Loss::Session | Loss::Account => true,
        Loss::Role => !ON_ONESELF.contains(&action),
        Loss::Chat => CHAT.contains(&action),
    }
}

/// A server with people who stay, and everything that the endpoints act on.
struct World {
    server: Server,
    root: Person,
    others: [Person; 2],
    /// The callers are in the default group only, and the chats in this one.
    group_id: String,
    tag_id: String,
}

impl World {
    async fn new(database: &TestDatabase) -> Self {
        let server = Server::start(database).await;
        let root = server.admin().await;
        let others = [hire(&server, Role::Agent).await, hire(&server, Role::Agent).await];
        let group_id = made(&root, "/v1/groups", json!({ "name": "Sales" })).await;
        let tag_id = made(&root, "/v1/tags", json!({ "name": "urgent" })).await;
        Self { server, root, others, group_id, tag_id }
    }

    /// A chat that the agent serves.
    async fn chat(&self, agent_id: &str) -> Visitor {
        let begin = json!({ "initialMessage": "Hello", "groupId": self.group_id });
        let visitor = self.server.client().visitor(begin).await;
        self.assign(&visitor, agent_id).await;
        visitor
    }

    async fn assign(&self, chat: &Visitor, agent_id: &str) {
        let path = format!("/v1/conversations/{}/assign", chat.conversation_id);
        self.root.client.post(&path, &json!({ "agentId": agent_id })).await.expect(200);
    }

    async fn end(&self, chat: &Visitor) {
        chat.close(&self.root.client).await;
    }

    async fn head(&self) -> Position {
        self.server.app().log.head().await.unwrap().position
    }

    /// Ends the right of a caller.
    async fn strike(&self, loss: Loss, caller: &Person, chat: &Visitor) {
        let path = format!("/v1/agents/{}", caller.id);
        match loss {
            Loss::Nothing => {}
            Loss::Session => drop(caller.client.post("/v1/auth/logout", &json!({})).await.expect(204)),
            Loss::Role => drop(self.root.client.patch(&path, &json!({ "role": "agent" })).await.expect(200)),
            Loss::Account => drop(self.root.client.delete(&path).await.expect(200)),
            Loss::Chat => {
                let is_over = chat.conversation().await["status"] == "closed";
                if is_over {
                    self.root.client.post(&chat.chat("/reopen"), &json!({})).await.expect(200);
                }
                for other in &self.others {
                    self.assign(chat, &other.id).await;
                }
                if is_over {
                    self.end(chat).await;
                }
            }
        }
    }

    /// A path and a body for an endpoint, which its caller may send.
    async fn request(&self, endpoint: &Endpoint, caller: &Person, chat: &Visitor) -> (String, Value) {
        use Action as A;
        let (root, some_agent) = (&self.root, async || hire(&self.server, Role::Agent).await.id);
        let unique = self.server.app().bus.new_uuid().simple().to_string();
        let (mut id, body) = match endpoint.action {
            A::LogOut | A::SendHeartbeat | A::IssueTicket => (String::new(), json!({})),
            A::ChangePassword => {
                self.give_password(caller).await;
                (String::new(), json!({ "currentPassword": PASSWORD, "newPassword": "another passphrase" }))
            }
            A::RegisterAgent => {
                let email = format!("{unique}@example.com");
                (String::new(), json!({ "name": "New", "email": email, "password": PASSWORD, "role": "admin" }))
            }
            A::ChangeAgent => (some_agent().await, json!({ "name": "Another" })),
            A::DeleteAgent => (some_agent().await, json!({})),
            A::RestoreAgent => (self.deleted(&format!("/v1/agents/{}", some_agent().await)).await, json!({})),
            A::ResetPassword => (some_agent().await, json!({ "newPassword": "another passphrase" })),
            A::SetStatus => (some_agent().await, json!({ "status": "away" })),
            A::CreateGroup | A::CreateTag => (String::new(), json!({ "name": unique })),
            A::ChangeGroup => (self.group_id.clone(), json!({ "description": unique })),
            A::DeleteGroup => (made(root, "/v1/groups", json!({ "name": unique })).await, json!({})),
            A::RestoreGroup => {
                let id = made(root, "/v1/groups", json!({ "name": unique })).await;
                (self.deleted(&format!("/v1/groups/{id}")).await, json!({}))
            }
            A::AddMembers => {
                let id = made(root, "/v1/groups", json!({ "name": unique })).await;
                (id, json!({ "agentIds": [some_agent().await] }))
            }
            A::RemoveMember => {
                let path = format!("/v1/groups/{}/agents", self.group_id);
                let agent_id = some_agent().await;
                root.client.post(&path, &json!({ "agentIds": [agent_id] })).await.expect(200);
                (format!("{}/{agent_id}", self.group_id), json!({}))
            }
            A::ChangeTag => (self.tag_id.clone(), json!({ "name": unique })),
            A::DeleteTag => (made(root, "/v1/tags", json!({ "name": unique })).await, json!({})),
            A::RestoreTag => {
                let id = made(root, "/v1/tags", json!({ "name": unique })).await;
                (self.deleted(&format!("/v1/tags/{id}")).await, json!({}))
            }
            A::SendMessage => {
                let id = if endpoint.path.contains("threads") { &chat.thread_id } else { &chat.conversation_id };
                (id.clone(), json!({ "content": "too late?" }))
            }
            A::MarkRead => (chat.thread_id.clone(), json!({ "upTo": 1_000_000 })),
            A::SignalTyping => (chat.conversation_id.clone(), json!({ "state": "started" })),
            A::ChangeConversations => {
                let close = json!({ "reason": "done" });
                (String::new(), json!({ "conversationIds": [chat.conversation_id], "close": close }))
            }
            A::AssignChat => (chat.conversation_id.clone(), json!({ "agentId": caller.id, "reason": unique })),
            A::TransferChat => (chat.conversation_id.clone(), json!({ "agentId": self.others[0].id })),
            A::CloseChat => (chat.conversation_id.clone(), json!({ "reason": "done" })),
            A::ReopenChat => {
                self.end(chat).await;
                (chat.conversation_id.clone(), json!({}))
            }
            A::TagChat => (chat.conversation_id.clone(), json!({ "tagId": self.tag_id })),
            A::UntagChat => {
                let path = format!("/v1/conversations/{}/tags", chat.conversation_id);
                root.client.post(&path, &json!({ "tagId": self.tag_id })).await.expect(200);
                (format!("{}/{}", chat.conversation_id, self.tag_id), json!({}))
            }
            A::ErasePersonalData => (chat.id.clone(), json!({})),
            other => panic!("{other:?} takes a body: say here which one, and who may send it"),
        };
        let second = id.split_once('/').map(|(first, second)| (first.to_owned(), second.to_owned()));
        let mut path = endpoint.path.to_owned();
        if let Some((first, second)) = second {
            path = path.replace("{agentId}", &second).replace("{tagId}", &second);
            id = first;
        }
        (path.replace("{id}", &id), body)
    }

    async fn deleted(&self, path: &str) -> String {
        self.root.client.delete(path).await.expect(200).text("/id").to_owned()
    }

    async fn give_password(&self, agent: &Person) {
        let app = self.server.app();
        let hash = app.hasher.hash(PASSWORD).await.unwrap();
        app.credentials.save_hash(agent.id.parse().unwrap(), &hash, app.bus.now()).await.unwrap();
    }
}

async fn made(by: &Person, path: &str, body: Value) -> String {
    by.client.post(path, &body).await.expect(201).text("/id").to_owned()
}

/// A new agent who is logged in. Without a password, which takes long.
async fn hire(server: &Server, role: Role) -> Person {
    let bus = &server.app().bus;
    let (agent_id, name) = (AgentId::new(bus.new_uuid()), Name::parse("Somebody").unwrap());
    let email = EmailAddress::parse(&format!("{agent_id}@example.com")).unwrap();
    let usual = Registration::offline(name, email, role, bus.now());
    let registration =
        Registration { status: AgentStatus::Away, chat_limit: ChatLimit::new(ChatLimit::MAX.into()).unwrap(), ..usual };
    let principal = Principal::Agent { id: agent_id, role: Role::Admin };
    let context = bus.context("system:test".to_owned(), bus.new_uuid());
    bus.execute(context, RegisterAgent { principal, agent_id, registration }).await.unwrap();
    let tokens = server.app().sessions.open(agent_id, role).await.unwrap();
    Person { id: agent_id.to_string(), client: server.client().with_token(tokens.access_token) }
}

async fn late(server: &Server, endpoint: &Endpoint, token: &str, (path, body): &(String, Value)) -> LateRequest {
    let begun = LateRequest::begin(server.base(), endpoint.method.as_str(), path, token, &body.to_string()).await;
    begun.unwrap_or_else(|reply| panic!("{} {path} is refused before its body: {}", endpoint.method, reply.text))
}

/// Whether the service has done what was asked. A bulk change reports for each chat.
fn is_done(reply: &RawReply) -> bool {
    matches!(reply.status, Some(200..300)) && !reply.text.contains(r#""succeeded":0"#)
}

each_database!(caller_who_loses_the_right_before_the_body_is_there_is_refused);
async fn caller_who_loses_the_right_before_the_body_is_there_is_refused(database: TestDatabase) {
    let world = World::new(&database).await;
    let mut tried = 0;
    for endpoint in endpoints() {
        if endpoint.method == "GET" || endpoint.access == Access::Public {
            continue;
        }
        for loss in LOSSES {
            let is_chat = CHAT.contains(&endpoint.action);
            if loss == Loss::Chat && !is_chat {
                continue;
            }
            // An admin may do everything, but only participants write.
            let role = if loss == Loss::Chat { Role::Agent } else { Role::Admin };
            let caller = hire(&world.server, role).await;
            let is_of_participants = OF_PARTICIPANTS.contains(&endpoint.action);
            let elsewhere = is_of_participants || loss == Loss::Chat;
            let chat = world.chat(if elsewhere { &caller.id } else { &world.others[0].id }).await;
            let request = world.request(&endpoint, &caller, &chat).await;
            let what = format!("{} {} without {loss:?}", endpoint.method, endpoint.path);
            let under_way = late(&world.server, &endpoint, caller.client.token().unwrap(), &request).await;
            world.strike(loss, &caller, &chat).await;
            let before = world.head().await;
            let reply = under_way.finish().await;
            let allowed = !takes_the_right(loss, endpoint.action) || (loss == Loss::Role && is_of_participants);
            assert_eq!(is_done(&reply), allowed, "{what}: {}", reply.text);
            if !allowed {
                assert_eq!(world.head().await, before, "{what}: {}", reply.text);
                let expected: &[u16] = match loss {
                    Loss::Session | Loss::Account => &[401],
                    _ if endpoint.action == Action::ChangeConversations => &[200],
                    _ => &[403, 404],
                };
                assert!(expected.contains(&reply.status.unwrap_or_default()), "{what}: {}", reply.text);
            }
            tried += 1;
        }
    }
    assert!(tried > 100, "{tried} requests were tried");
}

each_database!(visitor_whose_data_are_erased_before_the_body_is_there_is_refused);
async fn visitor_whose_data_are_erased_before_the_body_is_there_is_refused(database: TestDatabase) {
    let world = World::new(&database).await;
    let mut tried = 0;
    for endpoint in endpoints() {
        if endpoint.method == "GET" || endpoint.access != Access::Participant {
            continue;
        }
        for erased in [false, true] {
            let chat = world.chat(&world.others[0].id).await;
            let caller = Person { id: chat.id.clone(), client: chat.client.clone() };
            let request = world.request(&endpoint, &caller, &chat).await;
            let under_way = late(&world.server, &endpoint, caller.client.token().unwrap(), &request).await;
            if erased {
                let path = format!("/v1/visitors/{}/personal-data", chat.id);
                world.root.client.delete(&path).await.expect(200);
            }
            let reply = under_way.finish().await;
            assert_eq!(is_done(&reply), !erased, "{} {}: {}", endpoint.method, endpoint.path, reply.text);
            assert!(!erased || reply.status == Some(401), "{} {}: {}", endpoint.method, endpoint.path, reply.text);
            tried += 1;
        }
    }
    assert!(tried >= 8, "{tried} requests were tried");
}
