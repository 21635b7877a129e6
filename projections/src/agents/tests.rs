use std::sync::Arc;

use application::agents::RegisterAgent;
use application::ports::LogEvent;
use domain::agent::{Agent, AgentCommand, AgentEvent, AgentStatus, ChatLimit, Role};
use domain::event::AnyEvent;
use domain::group::{Group, GroupCommand, GroupEvent};
use domain::ids::{AgentId, EntityId, WorkspaceId};
use domain::workspace::{Workspace, WorkspaceCommand};
use infrastructure::database::Database;
use infrastructure::subscription::HandleError;
use serde_json::json;

use super::*;
use crate::testing::{Desk, clear, name, project, project_with};
use crate::{CursorError, Deleted, PageRequest, QueryError};
use infrastructure::testing::fresh_databases;

async fn queries(desk: &Desk, database: &Database) -> AgentQueries {
    clear(database).await;
    project(desk, database, &[5]).await.unwrap();
    AgentQueries::new(database.clone())
}

async fn names(queries: &AgentQueries, filter: AgentFilter) -> Vec<String> {
    let page = queries.list_agents(&filter, &PageRequest::first(100)).await.unwrap();
    page.data.into_iter().map(|agent| agent.name).collect()
}

#[tokio::test]
async fn agents_and_groups_look_as_clients_expect() {
    for fresh in fresh_databases().await {
        let desk = Desk::open().await;
        let [anna, ben, celik] = desk.agents;
        let chat = desk.chat().await;
        desk.assign(chat.conversation_id, anna).await.unwrap();
        let queries = queries(&desk, &fresh.database).await;
        let agent = queries.find_agent(anna, Deleted::Hidden).await.unwrap().unwrap();
        let expected = json!({
            "id": anna,
            "name": "Anna",
            "email": "Anna@Example.com",
            "role": "agent",
            "status": "online",
            "acceptingChats": true,
            "maxConcurrentChats": 6,
            "activeChats": 1,
            "avatar": null,
            "groupIds": [desk.groups[0]],
            "createdAt": agent.created_at,
            "updatedAt": agent.updated_at,
            "version": 1,
        });
        assert_eq!(serde_json::to_value(&agent).unwrap(), expected);
        assert!(agent.updated_at > agent.created_at);

        let group = queries.find_group(desk.groups[0], Deleted::Hidden).await.unwrap().unwrap();
        let expected = json!({
            "id": desk.groups[0],
            "name": "Support",
            "description": null,
            "routingStrategy": "least_loaded",
            "isDefault": true,
            "agentIds": [desk.admin, anna, ben, celik],
            "version": 5,
        });
        assert_eq!(serde_json::to_value(&group).unwrap(), expected);
    }
}

#[tokio::test]
async fn every_change_of_an_agent_shows() {
    for fresh in fresh_databases().await {
        let desk = Desk::open().await;
        let [anna, ..] = desk.agents;
        let at = desk.bus.now();
        let chat = desk.chat().await;
        desk.assign(chat.conversation_id, anna).await.unwrap();
        for command in [
            AgentCommand::SetAcceptingChats { accepting_chats: false, at },
            AgentCommand::ChangeLimit { chat_limit: ChatLimit::new(20).unwrap(), at },
            AgentCommand::ChangeRole { role: Role::Supervisor, at },
            AgentCommand::ChangeProfile { name: name("Änne"), avatar: None, at },
        ] {
            desk.tell::<Agent>(anna, command).await.unwrap();
        }
        desk.set_status(anna, AgentStatus::Offline).await.unwrap();
        let queries = queries(&desk, &fresh.database).await;
        let agent = queries.find_agent(anna, Deleted::Hidden).await.unwrap().unwrap();
        assert_eq!((agent.name.as_str(), agent.role, agent.status), ("Änne", Role::Supervisor, AgentStatus::Offline));
        assert_eq!((agent.accepting_chats, agent.max_concurrent_chats, agent.active_chats), (false, 20, 0));
    }
}

#[tokio::test]
async fn filters_and_search_find_agents() {
    for fresh in fresh_databases().await {
        let desk = Desk::open().await;
        desk.set_status(desk.agents[1], AgentStatus::Away).await.unwrap();
        desk.add_to_group(desk.groups[1], desk.agents[2]).await.unwrap();
        let kana = AgentCommand::ChangeProfile { name: name("Anna が"), avatar: None, at: desk.bus.now() };
        desk.tell::<Agent>(desk.agents[0], kana).await.unwrap();
        let queries = queries(&desk, &fresh.database).await;
        let none = AgentFilter::default;
        let search = |text: &str| AgentFilter { search: Some(text.to_owned()), ..none() };
        assert_eq!(names(&queries, none()).await, ["Ada", "Anna が", "Ben", "Çelik"]);
        assert_eq!(names(&queries, AgentFilter { status: Some(AgentStatus::Away), ..none() }).await, ["Ben"]);
        assert_eq!(names(&queries, AgentFilter { role: Some(Role::Admin), ..none() }).await, ["Ada"]);
        assert_eq!(names(&queries, AgentFilter { group_id: Some(desk.groups[1]), ..none() }).await, ["Çelik"]);
        assert_eq!(names(&queries, search("ANN")).await, ["Anna が"]);
        assert_eq!(names(&queries, search("が")).await, ["Anna が"]);
        assert_eq!(names(&queries, search("か")).await, Vec::<String>::new(), "a mark that makes another word");
        for text in ["çELIK", "celik", "C\u{327}elik"] {
            assert_eq!(names(&queries, search(text)).await, ["Çelik"], "{text}");
        }
        assert_eq!(names(&queries, search("@example.com")).await.len(), 4);
        assert_eq!(names(&queries, search("%")).await, Vec::<String>::new());
        assert_eq!(names(&queries, search("_")).await, Vec::<String>::new());
        assert_eq!(names(&queries, search("' OR '1'='1")).await, Vec::<String>::new());
    }
}

#[tokio::test]
async fn deleted_agents_and_groups_show_only_when_asked_for() {
    for fresh in fresh_databases().await {
        let desk = Desk::open().await;
        let ([anna, ..], [support, sales]) = (desk.agents, desk.groups);
        desk.add_to_group(sales, anna).await.unwrap();
        let at = desk.bus.now();
        desk.tell::<Agent>(desk.agents[1], AgentCommand::Delete { at }).await.unwrap();
        desk.tell::<Group>(sales, GroupCommand::Delete { at }).await.unwrap();
        let queries = queries(&desk, &fresh.database).await;
        assert_eq!(queries.find_agent(desk.agents[1], Deleted::Hidden).await.unwrap(), None);
        assert!(queries.find_agent(desk.agents[1], Deleted::Shown).await.unwrap().unwrap().deleted);
        assert_eq!(names(&queries, AgentFilter::default()).await, ["Ada", "Anna", "Çelik"]);
        let shown = AgentFilter { deleted: Deleted::Shown, ..AgentFilter::default() };
        assert_eq!(names(&queries, shown).await.len(), 4);

        assert_eq!(queries.find_group(sales, Deleted::Hidden).await.unwrap(), None);
        let first = PageRequest::first(10);
        assert_eq!(queries.list_groups(Deleted::Hidden, &first).await.unwrap().data.len(), 1);
        assert_eq!(queries.list_groups(Deleted::Shown, &first).await.unwrap().data.len(), 2);
        let agent = queries.find_agent(anna, Deleted::Hidden).await.unwrap().unwrap();
        assert_eq!(agent.group_ids, [support]);
        assert_eq!(queries.groups_of(anna).await.unwrap(), [support, sales]);
        let group = queries.find_group(support, Deleted::Hidden).await.unwrap().unwrap();
        assert!(!group.agent_ids.contains(&desk.agents[1]));
    }
}

#[tokio::test]
async fn one_group_is_the_default() {
    for fresh in fresh_databases().await {
        let desk = Desk::open().await;
        let choose = WorkspaceCommand::ChooseDefaultGroup { group_id: desk.groups[1], at: desk.bus.now() };
        desk.tell::<Workspace>(WorkspaceId::ONLY, choose).await.unwrap();
        let queries = queries(&desk, &fresh.database).await;
        let groups = queries.list_groups(Deleted::Hidden, &PageRequest::first(10)).await.unwrap().data;
        let shown: Vec<_> = groups.iter().map(|group| (group.id, group.is_default)).collect();
        assert_eq!(shown, [(desk.groups[0], false), (desk.groups[1], true)]);
    }
}

#[tokio::test]
async fn paging_neither_skips_nor_repeats_while_agents_are_registered() {
    for fresh in fresh_databases().await {
        let desk = Desk::open().await;
        let mut request = PageRequest::first(2);
        let mut seen: Vec<String> = vec![];
        for round in 0.. {
            if round < 3 {
                let registration = desk.registration(&format!("New{round}"), Role::Agent);
                let agent_id = AgentId::from_uuid(desk.bus.new_uuid());
                let register = RegisterAgent { principal: desk.supervisor(), agent_id, registration };
                desk.act(register).await.unwrap();
            }
            let queries = queries(&desk, &fresh.database).await;
            let page = queries.list_agents(&AgentFilter::default(), &request).await.unwrap();
            seen.extend(page.data.into_iter().map(|agent| agent.name));
            let Some(cursor) = page.next_cursor else { break };
            request.cursor = Some(cursor);
        }
        assert_eq!(seen, ["Ada", "Anna", "Ben", "Çelik", "New0", "New1", "New2"]);
    }
}

#[tokio::test]
async fn cursor_of_another_list_is_refused() {
    for fresh in fresh_databases().await {
        let desk = Desk::open().await;
        let queries = queries(&desk, &fresh.database).await;
        let groups = queries.list_groups(Deleted::Hidden, &PageRequest::first(1)).await.unwrap();
        let request = PageRequest { cursor: groups.next_cursor, limit: 1 };
        assert_eq!(queries.list_groups(Deleted::Hidden, &request).await.unwrap().data.len(), 1);
        let refused = queries.list_agents(&AgentFilter::default(), &request).await;
        assert!(matches!(refused, Err(QueryError::Cursor(CursorError::OtherList))), "{refused:?}");
    }
}

async fn poisoned_at(desk: &Desk, database: &Database, keep: impl Fn(&LogEvent) -> bool) -> i64 {
    clear(database).await;
    let events: Vec<_> = desk.log.events().into_iter().filter(|event| keep(event)).collect();
    match project_with(&[Arc::new(AgentsProjector)], database, &events, &[1_000]).await {
        Err(HandleError::Poison { position, .. }) => position,
        other => panic!("{other:?}"),
    }
}

fn position_of(desk: &Desk, event_type: &str) -> i64 {
    let events = desk.log.events();
    events.iter().rfind(|event| event.header.event_type == event_type).unwrap().header.position
}

#[tokio::test]
async fn what_does_not_fit_the_view_is_poison() {
    for fresh in fresh_databases().await {
        let (desk, database) = (Desk::open().await, &fresh.database);
        let chat = desk.chat().await;
        desk.assign(chat.conversation_id, desk.agents[0]).await.unwrap();
        desk.close(desk.supervisor(), chat.conversation_id).await.unwrap();
        let remove = GroupCommand::RemoveAgent { agent_id: desk.agents[0], at: desk.bus.now() };
        desk.tell::<Group>(desk.groups[0], remove).await.unwrap();

        let taken = |event: &LogEvent| matches!(event.event, AnyEvent::Agent(AgentEvent::SlotTaken { .. }));
        assert_eq!(poisoned_at(&desk, database, |event| !taken(event)).await, position_of(&desk, "SlotFreed"));
        let added = |event: &LogEvent| matches!(event.event, AnyEvent::Group(GroupEvent::AgentsAdded { .. }));
        assert_eq!(poisoned_at(&desk, database, |event| !added(event)).await, position_of(&desk, "AgentRemoved"));
        let registered = |event: &LogEvent| matches!(event.event, AnyEvent::Agent(AgentEvent::AgentRegistered { .. }));
        assert_eq!(poisoned_at(&desk, database, |event| !registered(event)).await, position_of(&desk, "SlotTaken"));
        let of_group = |event: &LogEvent| matches!(event.event, AnyEvent::Group(_));
        let chosen = position_of(&desk, "DefaultGroupChosen");
        assert_eq!(poisoned_at(&desk, database, |event| !of_group(event)).await, chosen);
    }
}
