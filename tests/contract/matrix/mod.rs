//! Every action with every role, through each door: the service, called in this process, REST and GraphQL over HTTP. One
//! table has the outcomes of all.

mod case;
mod graphql;
mod http;
mod rows;
mod service;

use std::collections::BTreeSet;

use api::rest::endpoints;
use api::service::{Access, Action};
use harness::{Client, Person, Server, TestDatabase, Visitor, each_database};
use projections::PageRequest;
use serde_json::json;

use case::{Case, Things};
use rows::{CALLERS, Call, DONE, On, Row, rows};

/// The people of the table: the outsider, the colleague, the assigned agent, the supervisor and the admin.
async fn staff(server: &Server) -> Vec<Person> {
    let admin = server.admin().await;
    admin.client.put(&format!("/v1/agents/{}/status", admin.id), &json!({ "status": "away" })).await.expect(200);
    let mut staff = vec![];
    for role in ["agent", "agent", "agent", "supervisor"] {
        staff.push(server.person(role, "away", 20).await);
    }
    let groups = admin.client.get("/v1/groups").await.expect(200);
    let path = format!("/v1/groups/{}/agents/{}", groups.text("/data/0/id"), staff[0].id);
    admin.client.delete(&path).await.expect(200);
    staff.push(admin);
    staff
}

async fn things(server: &Server, admin: &Client) -> Things {
    let newcomer = server.person("agent", "offline", 1).await;
    let group = admin.post("/v1/groups", &json!({ "name": "Team" })).await.expect(201);
    let tag = admin.post("/v1/tags", &json!({ "name": "urgent" })).await.expect(201);
    Things { newcomer, group_id: group.text("/id").to_owned(), tag_id: tag.text("/id").to_owned() }
}

/// A server with the people and the things of the table.
struct Scene {
    server: Server,
    staff: Vec<Person>,
    stranger: Client,
    things: Things,
    /// The chat of calls that do not depend on one.
    any_chat: Visitor,
}

impl Scene {
    async fn of(database: &TestDatabase) -> Self {
        let server = Server::start(database).await;
        let staff = staff(&server).await;
        let things = things(&server, &staff[4].client).await;
        let stranger = server.visitor("Another chat").await.client;
        let any_chat = server.visitor("Some chat").await;
        Self { server, staff, stranger, things, any_chat }
    }

    /// A fresh chat, served by the assigned agent or ended.
    async fn chat(&self, on: On) -> Visitor {
        if on == On::Nothing {
            return self.any_chat.clone();
        }
        let visitor = self.server.visitor("Hello").await;
        let path = format!("/v1/conversations/{}", visitor.conversation_id);
        let assignment = json!({ "agentId": self.staff[2].id });
        self.staff[4].client.post(&format!("{path}/assign"), &assignment).await.expect(200);
        if on == On::Ended {
            visitor.client.post(&format!("{path}/close"), &json!({ "reason": "done" })).await.expect(200);
        }
        visitor
    }

    async fn client(&self, number: usize, (call, chat): (Call, &Visitor)) -> Client {
        let client = match number {
            0 => self.server.client(),
            1 => self.stranger.clone(),
            2 => chat.client.clone(),
            agent => self.staff[agent - 3].client.clone(),
        };
        if call == Call::Of(Action::LogOut) && number > 2 {
            // The caller needs the first session for the other calls.
            return self.server.log_in(client.get("/v1/auth/me").await.expect(200).text("/email")).await.client;
        }
        client
    }

    async fn check(&self, (call, on, expected): Row) {
        let mut chat = self.chat(on).await;
        for (number, (caller, expected)) in CALLERS.into_iter().zip(expected).enumerate() {
            for door in ["service", "rest", "graphql"] {
                let client = self.client(number, (call, &chat)).await;
                let mut case = Case {
                    call,
                    client: &client,
                    admin: &self.staff[4].client,
                    own_id: &self.staff[number.max(3) - 3].id,
                    assigned_id: &self.staff[2].id,
                    chat: &chat,
                    things: &self.things,
                    number,
                    door,
                    refresh_token: String::new(),
                };
                case.prepare().await;
                let found = match door {
                    "service" => service::in_process(self.server.services(), &case).await,
                    "graphql" => graphql::over_graphql(&case).await.unwrap_or_else(|| expected.to_owned()),
                    _ => http::over_http(&case).await,
                };
                assert_eq!(found, expected, "{call:?} by {caller} through {door}");
                if on != On::Nothing && expected == DONE && call.uses_up_the_chat() {
                    close(&chat).await;
                    chat = self.chat(on).await;
                }
            }
        }
        if on != On::Nothing {
            close(&chat).await;
        }
    }
}

async fn close(chat: &Visitor) {
    let path = format!("/v1/conversations/{}/close", chat.conversation_id);
    chat.client.post(&path, &json!({ "reason": "over" })).await;
}

each_database!(doors_give_every_caller_the_same_answers);
async fn doors_give_every_caller_the_same_answers(database: TestDatabase) {
    let scene = Scene::of(&database).await;
    for row in rows() {
        scene.check(row).await;
    }
}

/// The variants of the enum of actions, from its source.
fn all_actions() -> BTreeSet<String> {
    let source = std::fs::read_to_string(crate::layout::root().join("api/src/service/action.rs")).unwrap();
    let items = syn::parse_file(&source).unwrap().items;
    let found = items.iter().find_map(|item| match item {
        syn::Item::Enum(found) if found.ident == "Action" => Some(found),
        _ => None,
    });
    found.unwrap().variants.iter().map(|variant| variant.ident.to_string()).collect()
}

#[test]
fn every_action_has_a_row_and_an_endpoint() {
    let (all, named) = (all_actions(), |action: Action| format!("{action:?}"));
    assert!(all.len() > 50, "{} actions were read", all.len());
    assert_eq!(rows().iter().map(|(call, ..)| named(call.action())).collect::<BTreeSet<_>>(), all);
    assert_eq!(endpoints().iter().map(|endpoint| named(endpoint.action)).collect::<BTreeSet<_>>(), all);
}

each_database!(endpoints_admit_whom_their_actions_admit);
async fn endpoints_admit_whom_their_actions_admit(database: TestDatabase) {
    let server = Server::start(&database).await;
    let visitor = server.visitor("mine").await;
    let callers = [
        server.client(),
        server.visitor("foreign").await.client,
        server.person("agent", "offline", 1).await.client,
        server.person("supervisor", "offline", 1).await.client,
        server.admin().await.client,
    ];
    let mut refused = 0;
    for endpoint in endpoints() {
        // Ends the session of the caller, which later calls need.
        if endpoint.action == Action::LogOut {
            continue;
        }
        let ids = ["{id}", "{agentId}", "{tagId}"];
        let path = ids.iter().fold(endpoint.path.to_owned(), |path, id| path.replace(id, &visitor.id));
        for client in &callers {
            let (gate, action) = (&server.services().gate, endpoint.action);
            let entrance = gate.enter(Some(action), client.token(), "192.0.2.1".to_owned()).await.unwrap();
            let admitted = entrance.admit(action).await;
            // No handler takes this body: an admitted caller is refused for it, or for the ids.
            let body = (endpoint.method != "GET").then(|| json!({ "unknown": true }));
            let reply = client.request(endpoint.method.clone(), &path, body.as_ref()).await;
            let context = format!("{:?}: {} {}", endpoint.action, reply.status, reply.body);
            match admitted {
                Ok(caller) => {
                    assert_eq!(caller.is_none(), endpoint.action.access() == Access::Public, "{context}");
                    assert!(![401, 403].contains(&reply.status), "{context}");
                }
                Err(refusal) => {
                    refused += 1;
                    assert_eq!(reply.body["code"], refusal.code.as_str(), "{context}");
                    assert_eq!(reply.body["detail"], refusal.detail, "{context}");
                }
            }
        }
    }
    assert!(refused > 100, "{refused} refusals were compared");
}

each_database!(services_check_the_role_themselves);
async fn services_check_the_role_themselves(database: TestDatabase) {
    let server = Server::start(&database).await;
    let visitor = server.visitor("mine").await;
    let services = server.services();
    let action = Action::ReadConversation;
    let entrance = services.gate.enter(Some(action), visitor.client.token(), "192.0.2.1".to_owned()).await.unwrap();
    let caller = entrance.admit(action).await.unwrap().unwrap();
    let page = PageRequest { cursor: None, limit: 10 };
    let query = api::service::AuditQuery {
        filter: api::service::AuditFilter::default(),
        from: None,
        to: None,
        newest_first: true,
        cursor: None,
        limit: 10,
    };
    let id = visitor.conversation_id.parse().unwrap();
    let refusals = [
        services.audit.page(&caller, query, None).await.err(),
        services.visitors.export(&caller, visitor.id.parse().unwrap(), None).await.err(),
        services.queue.list(&caller, None, None, &page).await.err(),
        services.queue.stats(&caller, None).await.err(),
        services.conversations.list_assignments(&caller, id, (0, 10), None).await.err(),
    ];
    for refusal in refusals {
        assert_eq!(refusal.expect("visitors are refused").code, api::service::Code::Forbidden);
    }
}

each_database!(gate_counts_and_judges_the_same_action);
async fn gate_counts_and_judges_the_same_action(database: TestDatabase) {
    let server = Server::start_with_limits(&database).await;
    let (services, admin) = (server.services(), server.admin().await);
    let enter = async |action| services.gate.enter(Some(action), admin.client.token(), "192.0.2.1".to_owned()).await;
    let entrance = enter(Action::CheckHealth).await.unwrap();
    assert!(entrance.standing().is_some(), "the request was counted");
    // A door that counts a cheap action and takes another one is mistaken, whoever calls.
    assert_eq!(entrance.admit(Action::ReadAudit).await.unwrap_err().code, api::service::Code::Internal);
    assert!(services.arrivals.arrive(&entrance, None).await.is_err());
    let mut refused = None;
    for _ in 0..1_300 {
        refused = enter(Action::ReadAudit).await.err();
    }
    assert_eq!(refused.expect("the limit is reached").code, api::service::Code::RateLimited);
}
