//! Every action with every role, through each door: the service, called in this process, and REST over HTTP. One table has
//! the outcomes of both.

use api::rest::endpoints;
use api::service::{Access, Action, Caller, ChangeRequest, EventsRequest, Lookup, Refusal, Services, Wait};
use application::agents::SetStatus;
use application::chat::{AssignAgent, Chooser, CloseChat, ReopenChat, SendMessage};
use application::ports::Principal;
use domain::agent::{AgentStatus, ChatLimit, NewPassword, Registration, Role};
use domain::ids::{AgentId, ConversationId, ThreadId};
use domain::text::{EmailAddress, MessageText, Name};
use harness::{Client, Person, Reply, Server, TestDatabase, Visitor, each_database};
use projections::PageRequest;
use projections::agents::AgentFilter;
use projections::conversations::{ConversationFilter, ConversationOrder};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

/// The callers, in the order of the table's columns. The colleague is in the chat's group; the outsider is in none.
const CALLERS: [&str; 8] =
    ["nobody", "stranger", "visitor", "outsider", "colleague", "assigned", "supervisor", "admin"];

/// Outcomes: done, and the codes of refusals.
const DONE: &str = "";
const NO_TOKEN: &str = "unauthorized";
const NO_RIGHT: &str = "forbidden";
const HIDDEN: &str = "not_found";
const TAKEN: &str = "already_assigned";

/// A call of one door.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Call {
    ReadSelf,
    ListAgents,
    RegisterAgent,
    ReadAgent,
    SetStatus,
    ListGroups,
    ListConversations,
    ReadConversation,
    ListAssignments,
    ReadEvents,
    SendToThread,
    SendToConversation,
    TakeChat,
    GiveChat,
    CloseChat,
    ReopenChat,
    ReadAudit,
}

/// The chat on which a call is made.
#[derive(Clone, Copy, PartialEq)]
enum On {
    Served,
    Ended,
}

const fn rows() -> [(Call, On, [&'static str; 8]); 17] {
    let agents = [NO_TOKEN, NO_RIGHT, NO_RIGHT, DONE, DONE, DONE, DONE, DONE];
    let admins = [NO_TOKEN, NO_RIGHT, NO_RIGHT, NO_RIGHT, NO_RIGHT, NO_RIGHT, NO_RIGHT, DONE];
    let readers = [NO_TOKEN, HIDDEN, DONE, HIDDEN, DONE, DONE, DONE, DONE];
    let authors = [NO_TOKEN, HIDDEN, DONE, HIDDEN, NO_RIGHT, DONE, NO_RIGHT, NO_RIGHT];
    let enders = [NO_TOKEN, HIDDEN, DONE, HIDDEN, NO_RIGHT, DONE, DONE, DONE];
    [
        (Call::ReadSelf, On::Ended, agents),
        (Call::ListAgents, On::Ended, agents),
        (Call::RegisterAgent, On::Ended, admins),
        (Call::ReadAgent, On::Ended, agents),
        (Call::SetStatus, On::Ended, [NO_TOKEN, NO_RIGHT, NO_RIGHT, NO_RIGHT, NO_RIGHT, DONE, DONE, DONE]),
        (Call::ListGroups, On::Ended, agents),
        (Call::ListConversations, On::Ended, agents),
        (Call::ReadConversation, On::Served, readers),
        (Call::ListAssignments, On::Served, [NO_TOKEN, NO_RIGHT, NO_RIGHT, HIDDEN, DONE, DONE, DONE, DONE]),
        (Call::ReadEvents, On::Served, readers),
        (Call::SendToThread, On::Served, authors),
        (Call::SendToConversation, On::Served, authors),
        // A colleague may take what nobody has, but takes nothing away.
        (Call::TakeChat, On::Served, [NO_TOKEN, NO_RIGHT, NO_RIGHT, HIDDEN, TAKEN, DONE, DONE, DONE]),
        (Call::GiveChat, On::Served, [NO_TOKEN, NO_RIGHT, NO_RIGHT, HIDDEN, NO_RIGHT, DONE, DONE, DONE]),
        (Call::CloseChat, On::Served, enders),
        (Call::ReopenChat, On::Ended, enders),
        (Call::ReadAudit, On::Ended, admins),
    ]
}

/// A call by somebody on a chat.
struct Case<'a> {
    call: Call,
    client: &'a Client,
    own_id: &'a str,
    assigned_id: &'a str,
    chat: &'a Visitor,
    /// Makes addresses unique.
    number: usize,
    door: &'static str,
}

impl Case<'_> {
    fn email(&self) -> String {
        format!("{}-hired{}@example.com", self.door, self.number)
    }

    fn conversation_id(&self) -> ConversationId {
        self.chat.conversation_id.parse().unwrap()
    }

    fn thread_id(&self) -> ThreadId {
        self.chat.thread_id.parse().unwrap()
    }
}

/// The outcome of a call over HTTP.
async fn over_http(case: &Case<'_>) -> String {
    let chat = format!("/v1/conversations/{}", case.chat.conversation_id);
    let (thread, says) = (format!("/v1/threads/{}/events", case.chat.thread_id), json!({ "content": "x" }));
    let hires = json!({ "name": "Hired", "email": case.email(), "password": "12345678" });
    let agent = format!("/v1/agents/{}", case.assigned_id);
    let post = async |path: &str, body: Value| case.client.request(Method::POST, path, Some(&body)).await;
    let reply = match case.call {
        Call::ReadSelf => case.client.get("/v1/auth/me").await,
        Call::ListAgents => case.client.get("/v1/agents").await,
        Call::RegisterAgent => post("/v1/agents", hires).await,
        Call::ReadAgent => case.client.get(&agent).await,
        Call::SetStatus => case.client.put(&format!("{agent}/status"), &json!({ "status": "away" })).await,
        Call::ListGroups => case.client.get("/v1/groups").await,
        Call::ListConversations => case.client.get("/v1/conversations").await,
        Call::ReadConversation => case.client.get(&chat).await,
        Call::ListAssignments => case.client.get(&format!("{chat}/assignments")).await,
        Call::ReadEvents => case.client.get(&thread).await,
        Call::SendToThread => post(&thread, says).await,
        Call::SendToConversation => post(&format!("{chat}/events"), says).await,
        Call::TakeChat => post(&format!("{chat}/assign"), json!({ "agentId": case.own_id })).await,
        Call::GiveChat => post(&format!("{chat}/assign"), json!({ "agentId": case.assigned_id })).await,
        Call::CloseChat => post(&format!("{chat}/close"), json!({ "reason": "done" })).await,
        Call::ReopenChat => post(&format!("{chat}/reopen"), json!({})).await,
        Call::ReadAudit => case.client.get("/v1/audit").await,
    };
    outcome(&reply)
}

fn outcome(reply: &Reply) -> String {
    if reply.status < 300 { DONE.to_owned() } else { reply.body["code"].as_str().unwrap_or("?").to_owned() }
}

const fn action(call: Call) -> Action {
    match call {
        Call::ReadSelf => Action::ReadSelf,
        Call::ListAgents => Action::ListAgents,
        Call::RegisterAgent => Action::RegisterAgent,
        Call::ReadAgent => Action::ReadAgent,
        Call::SetStatus => Action::SetStatus,
        Call::ListGroups => Action::ListGroups,
        Call::ListConversations => Action::ListConversations,
        Call::ReadConversation => Action::ReadConversation,
        Call::ListAssignments => Action::ListAssignments,
        Call::ReadEvents => Action::ReadEvents,
        Call::SendToThread | Call::SendToConversation => Action::SendMessage,
        Call::TakeChat | Call::GiveChat => Action::AssignChat,
        Call::CloseChat => Action::CloseChat,
        Call::ReopenChat => Action::ReopenChat,
        Call::ReadAudit => Action::ReadAudit,
    }
}

/// The outcome of a call of the service.
async fn in_process(services: &Services, case: &Case<'_>) -> String {
    let admitted = services.authenticator.admit(action(case.call), case.client.token()).await;
    let done = match admitted {
        Ok(caller) => call(services, case, &caller.expect("the action is not for everybody")).await,
        Err(refusal) => Err(refusal),
    };
    done.map_or_else(|refusal| refusal.code.as_str().to_owned(), |()| DONE.to_owned())
}

async fn call(services: &Services, case: &Case<'_>, caller: &Caller) -> Result<(), Refusal> {
    let principal = caller.principal;
    match case.call {
        Call::SendToThread => {
            let conversation_id = services.conversations.of_thread(case.thread_id()).await?;
            change(services, principal, send(principal, conversation_id, Some(case.thread_id()))).await
        }
        Call::SendToConversation => change(services, principal, send(principal, case.conversation_id(), None)).await,
        Call::TakeChat => change(services, principal, assign(principal, case, case.own_id)).await,
        Call::GiveChat => change(services, principal, assign(principal, case, case.assigned_id)).await,
        Call::CloseChat => {
            let (conversation_id, reason) = (case.conversation_id(), Name::parse("done").unwrap());
            change(services, principal, CloseChat { principal, conversation_id, reason, notes: None }).await
        }
        Call::ReopenChat => {
            change(services, principal, ReopenChat { principal, conversation_id: case.conversation_id() }).await
        }
        Call::SetStatus => {
            let (agent_id, status) = (case.assigned_id.parse().unwrap(), AgentStatus::Away);
            let set = SetStatus { principal, agent_id, status, accepting_chats: None, known_version: None };
            change(services, principal, set).await
        }
        Call::RegisterAgent => register(services, principal, case).await,
        _ => read(services, case, caller).await,
    }
}

fn request() -> ChangeRequest {
    ChangeRequest { correlation_id: Uuid::from_u128(1), repeatable: None, session: None, wait: Wait::ForViews }
}

async fn change<U: api::service::UseCase>(services: &Services, by: Principal, use_case: U) -> Result<(), Refusal> {
    let done = services.dispatch.execute(by, &request(), use_case).await?;
    assert!(done.settled, "reads show the change");
    Ok(())
}

fn send(principal: Principal, conversation_id: ConversationId, thread_id: Option<ThreadId>) -> SendMessage {
    let text = MessageText::parse("x").unwrap();
    SendMessage { principal, conversation_id, thread_id, text, client_event_id: None, metadata: None }
}

fn assign(principal: Principal, case: &Case<'_>, agent_id: &str) -> AssignAgent {
    let (conversation_id, agent_id): (_, AgentId) = (case.conversation_id(), agent_id.parse().unwrap());
    AssignAgent { conversation_id, agent_id, chooser: Chooser::Person { principal, reason: None } }
}

async fn register(services: &Services, principal: Principal, case: &Case<'_>) -> Result<(), Refusal> {
    let registration = Registration {
        name: Name::parse("Hired").unwrap(),
        email: EmailAddress::parse(&case.email()).unwrap(),
        avatar: None,
        role: Role::Agent,
        status: AgentStatus::Offline,
        accepting_chats: true,
        chat_limit: ChatLimit::default(),
        at: services.dispatch.now(),
    };
    let context = services.dispatch.context(principal, &request());
    let password = NewPassword::parse("12345678").unwrap();
    services.accounts.register(context, principal, registration, &password).await?;
    Ok(())
}

async fn read(services: &Services, case: &Case<'_>, caller: &Caller) -> Result<(), Refusal> {
    let page = PageRequest { cursor: None, limit: 10 };
    let lookup = || Ok::<_, Refusal>(Lookup { agent: caller.agent()?, include_deleted: None, at_least: None });
    match case.call {
        Call::ReadSelf => drop(services.directory.agent(lookup()?, caller.agent()?.id).await?),
        Call::ListAgents => drop(services.directory.list_agents(lookup()?, AgentFilter::default(), &page).await?),
        Call::ReadAgent => drop(services.directory.agent(lookup()?, case.assigned_id.parse().unwrap()).await?),
        Call::ListGroups => drop(services.directory.list_groups(lookup()?, &page).await?),
        Call::ListConversations => {
            let wanted = (ConversationFilter::default(), ConversationOrder::default());
            drop(services.conversations.list(caller, wanted, &page, None).await?);
        }
        Call::ReadConversation => drop(services.conversations.find(caller, case.conversation_id(), None).await?),
        Call::ListAssignments => {
            drop(services.conversations.list_assignments(caller, case.conversation_id(), (0, 10), None).await?);
        }
        Call::ReadEvents => {
            let events = EventsRequest { thread_id: case.thread_id(), after: 0, limit: 10, at_least: None };
            drop(services.conversations.list_events(caller, events).await?);
        }
        Call::ReadAudit => {
            let (filter, cursor) = (api::service::AuditFilter::default(), None);
            let query =
                api::service::AuditQuery { filter, from: None, to: None, newest_first: true, cursor, limit: 10 };
            drop(services.audit.page(caller, query, None).await?);
        }
        changing => panic!("{changing:?} is no read"),
    }
    Ok(())
}

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

/// A fresh chat, served by the assigned agent or ended.
async fn chat(server: &Server, staff: &[Person], on: On) -> Visitor {
    let visitor = server.visitor("Hello").await;
    let path = format!("/v1/conversations/{}", visitor.conversation_id);
    let assignment = json!({ "agentId": staff[2].id });
    staff[4].client.post(&format!("{path}/assign"), &assignment).await.expect(200);
    if matches!(on, On::Ended) {
        visitor.client.post(&format!("{path}/close"), &json!({ "reason": "done" })).await.expect(200);
    }
    visitor
}

each_database!(service_and_rest_give_every_caller_the_same_answers);
async fn service_and_rest_give_every_caller_the_same_answers(database: TestDatabase) {
    let server = Server::start(&database).await;
    let staff = staff(&server).await;
    let stranger = server.visitor("Another chat").await.client;
    for (call, on, expected) in rows() {
        for (number, (caller, expected)) in CALLERS.into_iter().zip(expected).enumerate() {
            for door in ["service", "rest"] {
                let chat = chat(&server, &staff, on).await;
                let client = match number {
                    0 => server.client(),
                    1 => stranger.clone(),
                    2 => chat.client.clone(),
                    agent => staff[agent - 3].client.clone(),
                };
                let own_id = &staff[number.max(3) - 3].id;
                let assigned_id = &staff[2].id;
                let case = Case { call, client: &client, own_id, assigned_id, chat: &chat, number, door };
                let found = match door {
                    "service" => in_process(server.services(), &case).await,
                    _ => over_http(&case).await,
                };
                assert_eq!(found, expected, "{call:?} by {caller} through {door}");
                let path = format!("/v1/conversations/{}/close", chat.conversation_id);
                chat.client.post(&path, &json!({ "reason": "over" })).await;
            }
        }
    }
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
            let admitted = server.services().authenticator.admit(endpoint.action, client.token()).await;
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
    let caller = services.authenticator.authenticate(visitor.client.token()).await.unwrap();
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
