use std::sync::Arc;

use application::chat::{ReopenChat, SendMessage};
use application::ports::Principal;
use domain::agent::{AgentStatus, Role};
use domain::event::AnyEvent;
use domain::ids::EntityId;
use domain::text::{ClientEventId, MessageText, Metadata};
use domain::thread::ThreadEvent;
use infrastructure::subscription::HandleError;
use serde_json::{Value, json};

use super::*;
use crate::testing::{Desk, project, project_with};
use infrastructure::testing::fresh_databases;

#[tokio::test]
async fn thread_tells_who_came_who_left_and_why_and_who_closed() {
    for fresh in fresh_databases().await {
        let desk = Desk::open().await;
        let visitor_id = desk.visitor();
        let chat = desk.start(visitor_id, None).await;
        let [anna, ben, _] = desk.agents;
        desk.assign(chat.conversation_id, anna).await.unwrap();
        desk.assign(chat.conversation_id, ben).await.unwrap();
        desk.set_status(ben, AgentStatus::Offline).await.unwrap();
        desk.close(Principal::Visitor { id: visitor_id }, chat.conversation_id).await.unwrap();
        // One event a page: each must find its thread's conversation.
        project(&desk, &fresh.database, &[1]).await.unwrap();

        let queries = ThreadEventQueries::new(fresh.database.clone());
        let page = queries.list_thread_events(chat.thread_id, 0, 100).await.unwrap();
        let told: Vec<_> = page.data.iter().map(|event| (event.content.as_str(), event.metadata.clone())).collect();
        let expected = [
            ("The chat began.", Some(json!({ "visitorId": visitor_id, "previousThreadId": null }))),
            ("Hello! Grüße 🦀", None),
            ("An agent joined the chat.", Some(json!({ "agentId": anna, "cause": "assigned" }))),
            (
                "The agent left the chat: another agent took over.",
                Some(json!({ "agentId": anna, "reason": "reassigned" })),
            ),
            ("An agent joined the chat.", Some(json!({ "agentId": ben, "cause": "assigned" }))),
            ("The agent left the chat: they went offline.", Some(json!({ "agentId": ben, "reason": "agent_offline" }))),
            ("The visitor closed the chat.", Some(json!({ "closedBy": { "type": "visitor", "id": visitor_id } }))),
        ];
        assert_eq!(told, expected);
        assert!(page.data.iter().all(|event| event.conversation_id == chat.conversation_id));
        let systems = page.data.iter().filter(|event| event.kind == ThreadEventKind::System);
        assert!(systems.clone().count() == 6 && systems.clone().all(|event| event.author_id.is_none()));
        let thread = queries.find_thread(chat.thread_id).await.unwrap().unwrap();
        assert_eq!(thread.conversation_id, chat.conversation_id);
    }
}

#[tokio::test]
async fn events_look_as_clients_expect() {
    for fresh in fresh_databases().await {
        let desk = Desk::open().await;
        let chat = desk.chat().await;
        desk.assign(chat.conversation_id, desk.agents[0]).await.unwrap();
        let message = SendMessage {
            principal: Principal::Agent { id: desk.agents[0], role: Role::Agent },
            conversation_id: chat.conversation_id,
            thread_id: None,
            text: MessageText::parse("'; DROP TABLE threads; -- \\ 🦀\n\ttwo").unwrap(),
            client_event_id: Some(ClientEventId::parse("mine-1").unwrap()),
            metadata: Some(
                Metadata::parse(&json!({ "page": "/prices", "nested": { "ü": [1, null] } }).to_string()).unwrap(),
            ),
        };
        let receipt = desk.act(message).await.unwrap();
        project(&desk, &fresh.database, &[3]).await.unwrap();
        let queries = ThreadEventQueries::new(fresh.database.clone());
        let found = queries.find_event(receipt.message_id).await.unwrap().unwrap();
        let position = desk.log.events().last().unwrap().header.position;
        let expected = json!({
            "id": receipt.message_id,
            "position": position,
            "threadId": chat.thread_id,
            "type": "message",
            "authorType": "agent",
            "authorId": desk.agents[0],
            "content": "'; DROP TABLE threads; -- \\ 🦀\n\ttwo",
            "clientEventId": "mine-1",
            "metadata": { "page": "/prices", "nested": { "ü": [1, null] } },
            "createdAt": receipt.at,
        });
        assert_eq!(serde_json::to_value(&found).unwrap(), expected);

        let page = queries.list_thread_events(chat.thread_id, 0, 100).await.unwrap();
        let joined = serde_json::to_value(&page.data[2]).unwrap();
        assert_eq!(joined["type"], "system");
        assert_eq!(joined["systemType"], "agent_joined");
        assert_eq!((&joined["authorType"], &joined["authorId"]), (&json!("system"), &Value::Null));
        assert!(joined.get("clientEventId").is_none());
        let again = queries.find_event(page.data[2].id).await.unwrap();
        assert_eq!(again.as_ref(), Some(&page.data[2]));
    }
}

#[tokio::test]
async fn pages_of_a_thread_go_on_where_they_stopped_while_messages_arrive() {
    for fresh in fresh_databases().await {
        let desk = Desk::open().await;
        let visitor_id = desk.visitor();
        let (chat, other) = (desk.start(visitor_id, None).await, desk.chat().await);
        let visitor = Principal::Visitor { id: visitor_id };
        let queries = ThreadEventQueries::new(fresh.database.clone());
        let (mut after, mut seen, mut projected) = (0, vec![], 0);
        for round in 0.. {
            if round < 5 {
                desk.send(visitor, chat.conversation_id).await.unwrap();
                desk.send(visitor, chat.conversation_id).await.unwrap();
            }
            let events = desk.log.events();
            let page = &events[projected..];
            let own: Vec<_> = page.iter().filter(|event| matches!(event.event, AnyEvent::Thread(_))).cloned().collect();
            project_with(&[Arc::new(ThreadEventsProjector)], &fresh.database, &own, &[4]).await.unwrap();
            projected = events.len();
            let page = queries.list_thread_events(chat.thread_id, after, 2).await.unwrap();
            seen.extend(page.data.iter().map(|event| event.position));
            match page.next_cursor {
                Some(cursor) => after = cursor.parse().unwrap(),
                None => break,
            }
        }
        let of_thread = desk.log.events().into_iter().filter(|event| {
            event.header.aggregate_id == chat.thread_id.uuid() && event.header.aggregate_id != other.thread_id.uuid()
        });
        assert_eq!(seen, of_thread.map(|event| event.header.position).collect::<Vec<_>>());
        assert_eq!(seen.len(), 12);
    }
}

#[tokio::test]
async fn reopened_chat_begins_another_thread() {
    for fresh in fresh_databases().await {
        let desk = Desk::open().await;
        let chat = desk.chat().await;
        desk.close(desk.supervisor(), chat.conversation_id).await.unwrap();
        let reopen = ReopenChat { principal: desk.supervisor(), conversation_id: chat.conversation_id };
        let thread_id = desk.act(reopen).await.unwrap();
        project(&desk, &fresh.database, &[2]).await.unwrap();
        let queries = ThreadEventQueries::new(fresh.database.clone());
        let first = queries.list_thread_events(thread_id, 0, 1).await.unwrap().data.remove(0);
        assert_eq!(first.content, "The chat was reopened.");
        assert_eq!(first.metadata.unwrap()["previousThreadId"], json!(chat.thread_id));
        let closed = queries.list_thread_events(chat.thread_id, 0, 100).await.unwrap().data.pop().unwrap();
        assert_eq!(closed.content, "An agent closed the chat.");
    }
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    for fresh in fresh_databases().await {
        let desk = Desk::open().await;
        let chat = desk.chat().await;
        let queries = ThreadEventQueries::new(fresh.database.clone());
        assert_eq!(queries.find_thread(chat.thread_id).await.unwrap(), None);
        assert_eq!(queries.list_thread_events(chat.thread_id, 0, 5).await.unwrap().data, []);
    }
}

#[tokio::test]
async fn event_of_a_thread_that_is_not_there_is_poison() {
    for fresh in fresh_databases().await {
        let desk = Desk::open().await;
        let chat = desk.chat().await;
        desk.assign(chat.conversation_id, desk.agents[0]).await.unwrap();
        let joined = |event: &AnyEvent| matches!(event, AnyEvent::Thread(ThreadEvent::AgentJoined { .. }));
        let events: Vec<_> = desk.log.events().into_iter().filter(|event| joined(&event.event)).collect();
        let refused = project_with(&[Arc::new(ThreadEventsProjector)], &fresh.database, &events, &[5]).await;
        let expected = events[0].header.position;
        assert!(matches!(refused, Err(HandleError::Poison { position, .. }) if position == expected), "{refused:?}");
    }
}
