//! Parts of stories: groups, conditions to wait for, and commands that have no endpoint.

use std::sync::Arc;

use application::UseCaseError;
use application::command_bus::{UnitOfWork, UseCase};
use application::ports::{LogEvent, StreamId};
use domain::aggregate::Root;
use domain::group::{Group, GroupCommand};
use domain::ids::{AgentId, GroupId};
use domain::routing::RoutingStrategy;
use domain::text::Name;
use harness::{Client, DEADLINE, Person, Server, Visitor, eventually};
use serde_json::{Value, json};

/// Waits until exactly this many of the chats have an agent, and gives all of them.
pub async fn wait_for_agents(visitors: &[Visitor], count: usize) -> Vec<Value> {
    eventually(DEADLINE, "the chats are assigned", async || {
        let chats = futures::future::join_all(visitors.iter().map(Visitor::conversation)).await;
        let served = chats.iter().filter(|chat| chat["status"] == "active").count();
        if served == count { Ok(chats) } else { Err(format!("{served} of {count}")) }
    })
    .await
}

/// A group of these agents.
pub async fn team(server: &Server, strategy: RoutingStrategy, agents: &[&Person]) -> GroupId {
    let (at, group_id) = (server.app().bus.now(), GroupId::new(server.app().bus.new_uuid()));
    let create = GroupCommand::Create { name: Name::parse("Team").unwrap(), description: None, strategy, at };
    tell::<Group>(server, group_id, create).await;
    let agent_ids = agents.iter().map(|person| person.id.parse().unwrap()).collect();
    tell::<Group>(server, group_id, GroupCommand::AddAgents { agent_ids, at }).await;
    group_id
}

/// What the agent's view says of all that is in the log by now: the router's choices are nobody's own writes.
pub async fn active_chats(server: &Server, person: &Person) -> Value {
    let head = server.app().log.head().await.unwrap().position.to_string();
    let client = person.client.with_header("If-Position-At-Least", &head);
    let me = client.get("/v1/auth/me").await.expect(200).body;
    let listed = client.get("/v1/agents").await.expect(200).body;
    let listed = listed["data"].as_array().unwrap().iter().find(|agent| agent["id"] == me["id"]).unwrap().clone();
    assert_eq!(listed, me, "list and single view agree");
    me["activeChats"].clone()
}

/// Waits until all of these have an agent, and names the agents.
pub async fn wait_for_somebody(visitors: &[Visitor]) -> Vec<String> {
    eventually(DEADLINE, "all chats are assigned", async || {
        let chats = futures::future::join_all(visitors.iter().map(Visitor::conversation)).await;
        let agents = chats.iter().map(|chat| chat["assignedAgentId"].as_str().map(str::to_owned));
        agents.collect::<Option<Vec<_>>>().ok_or("some wait")
    })
    .await
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

/// The id of what the server shows.
pub fn id(thing: &Value) -> &str {
    thing["id"].as_str().expect("an id")
}

/// Waits until the chat at this path has an agent.
pub async fn active(client: &Client, path: &str) -> Value {
    eventually(DEADLINE, "the chat is assigned", async || {
        let chat = client.get(path).await.body;
        if chat["status"] == "active" { Ok(chat) } else { Err(chat) }
    })
    .await
}

/// The messages of a page of events.
pub fn said(page: &Value) -> Vec<String> {
    let events = page["data"].as_array().unwrap().iter();
    events
        .filter(|event| event["type"] == "message")
        .map(|event| event["content"].as_str().unwrap().to_owned())
        .collect()
}

/// The id as the domain has it.
pub fn agent_id(person: &Person) -> AgentId {
    person.id.parse().unwrap()
}

/// Takes an agent out of the group that all new agents are in.
pub async fn leave_default_group(server: &Server, person: &Person) {
    let groups = server.admin().await.client.get("/v1/groups").await.expect(200).body;
    let default = groups["data"].as_array().unwrap().iter().find(|group| group["isDefault"] == json!(true));
    let group_id = default.and_then(|group| group["id"].as_str()).unwrap().parse().unwrap();
    let at = server.app().bus.now();
    tell::<Group>(server, group_id, GroupCommand::RemoveAgent { agent_id: agent_id(person), at }).await;
}
