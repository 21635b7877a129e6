//! Where a conversation stands.

use std::sync::Arc;

use application::chat::{ChatReceipt, ReopenChat};
use application::ports::LogEvent;
use domain::agent::AgentStatus;
use domain::conversation::{Conversation, ConversationCommand, ConversationEvent, QueueReason};
use domain::event::AnyEvent;
use domain::ids::{EntityId, GroupId, TagId};
use infrastructure::database::Database;
use infrastructure::subscription::{HandleError, Subscriber};
use serde_json::json;

use crate::conversations::{ConversationQueries, ConversationView, ConversationsProjector, ListBounds};
use crate::testing::{Desk, clear, project, project_with};
use infrastructure::testing::fresh_databases;

async fn view(desk: &Desk, database: &Database, chat: ChatReceipt) -> ConversationView {
    clear(database).await;
    project(desk, database, &[7]).await.unwrap();
    let queries = ConversationQueries::new(database.clone()).bounded(ListBounds::SMALL);
    queries.find_conversation(chat.conversation_id).await.unwrap().unwrap()
}

async fn place(desk: &Desk, database: &Database, chat: ChatReceipt) -> Option<i64> {
    view(desk, database, chat).await.queue_position
}

#[tokio::test]
async fn waiting_chat_looks_as_clients_expect() {
    for fresh in fresh_databases().await {
        let desk = Desk::open().await;
        let visitor_id = desk.visitor();
        let chat = desk.start(visitor_id, None).await;
        let shown = serde_json::to_value(view(&desk, &fresh.database, chat).await).unwrap();
        let expected = json!({
            "id": chat.conversation_id,
            "status": "pending",
            "visitor": { "id": visitor_id, "name": "Vera", "email": "vera@example.com", "phone": "+49 30 1" },
            "groupId": desk.groups[0],
            "assignedAgentId": null, "lastAgentId": null,
            "activeThreadId": chat.thread_id,
            "threadIds": [chat.thread_id],
            "tagIds": [],
            "queuePosition": 1,
            "lastMessageAt": chat.at,
            "createdAt": chat.at,
            "closedAt": null,
            "version": 1,
            "seenUpTo": [],
            "position": desk.log.events().last().unwrap().header.position,
        });
        assert_eq!(shown, expected);
    }
}

#[tokio::test]
async fn served_closed_and_reopened_chat_shows_agents_threads_and_times() {
    for fresh in fresh_databases().await {
        let (desk, database) = (Desk::open().await, &fresh.database);
        let chat = desk.chat().await;
        desk.assign(chat.conversation_id, desk.agents[1]).await.unwrap();
        let served = view(&desk, database, chat).await;
        assert_eq!((served.status.as_str(), served.queue_position), ("active", None));
        assert_eq!(served.assigned_agent_id, Some(desk.agents[1]));
        assert_eq!(served.version, 2);

        desk.close(desk.supervisor(), chat.conversation_id).await.unwrap();
        let closed = view(&desk, database, chat).await;
        assert_eq!((closed.status.as_str(), closed.active_thread_id), ("closed", None));
        assert_eq!((closed.assigned_agent_id, closed.last_agent_id), (None, Some(desk.agents[1])));
        assert!(closed.closed_at > Some(chat.at));
        let row = database.fetch_all("SELECT closed_by_type, closed_by_id FROM conversations", vec![]).await.unwrap();
        assert_eq!(row[0].text("closed_by_type").unwrap(), "agent");
        assert_eq!(row[0].uuid("closed_by_id").unwrap(), desk.admin.uuid());

        let reopen = ReopenChat { principal: desk.supervisor(), conversation_id: chat.conversation_id };
        let thread_id = desk.act(reopen).await.unwrap();
        let reopened = view(&desk, database, chat).await;
        assert_eq!((reopened.status.as_str(), reopened.closed_at), ("pending", None));
        assert_eq!(reopened.thread_ids, [chat.thread_id, thread_id]);
        assert_eq!(reopened.active_thread_id, Some(thread_id));
        assert_eq!(reopened.queue_position, Some(1));
    }
}

#[tokio::test]
async fn chat_gets_its_place_back_when_its_agent_leaves_and_goes_to_the_end_when_transferred() {
    for fresh in fresh_databases().await {
        let (desk, database) = (Desk::open().await, &fresh.database);
        let (first, second) = (desk.chat().await, desk.chat().await);
        desk.assign(first.conversation_id, desk.agents[0]).await.unwrap();
        assert_eq!(place(&desk, database, second).await, Some(1));
        desk.set_status(desk.agents[0], AgentStatus::Offline).await.unwrap();
        assert_eq!(place(&desk, database, first).await, Some(1));
        assert_eq!(place(&desk, database, second).await, Some(2));

        transfer(&desk, first, desk.groups[1]).await;
        assert_eq!(place(&desk, database, second).await, Some(1));
        transfer(&desk, first, desk.groups[0]).await;
        assert_eq!(place(&desk, database, second).await, Some(1));
        assert_eq!(place(&desk, database, first).await, Some(2));
    }
}

async fn transfer(desk: &Desk, chat: ChatReceipt, group_id: GroupId) {
    let at = desk.bus.now();
    let transfer = ConversationCommand::ReturnToQueue {
        reason: QueueReason::Transferred,
        group_id: Some(group_id),
        handover: None,
        at,
    };
    assert!(desk.tell::<Conversation>(chat.conversation_id, transfer).await.unwrap());
}

#[tokio::test]
async fn messages_move_the_time_of_the_last_message_only() {
    for fresh in fresh_databases().await {
        let desk = Desk::open().await;
        let chats = [desk.chat().await, desk.chat().await, desk.chat().await];
        project(&desk, &fresh.database, &[usize::MAX]).await.unwrap();
        let before = desk.log.events().len();
        for chat in chats {
            desk.assign(chat.conversation_id, desk.agents[0]).await.unwrap();
        }
        let assigned = desk.log.events().len();
        let agent = application::ports::Principal::Agent { id: desk.agents[0], role: domain::agent::Role::Agent };
        for chat in chats.iter().chain(&chats[..2]) {
            desk.send(agent, chat.conversation_id).await.unwrap();
        }
        let events = desk.log.events();
        let projectors: [Arc<dyn Subscriber>; 1] = [Arc::new(ConversationsProjector)];
        project_with(&projectors, &fresh.database, &events[before..assigned], &[100]).await.unwrap();
        project_with(&projectors, &fresh.database, &events[assigned..], &[100]).await.unwrap();
        let queries = ConversationQueries::new(fresh.database.clone()).bounded(ListBounds::SMALL);
        let mut times = vec![];
        for chat in chats {
            let view = queries.find_conversation(chat.conversation_id).await.unwrap().unwrap();
            assert_eq!(view.version, 2);
            times.push(view.last_message_at.unwrap());
        }
        assert!(times[2] < times[0] && times[0] < times[1], "{times:?}");
    }
}

#[tokio::test]
async fn tags_come_and_go() {
    for fresh in fresh_databases().await {
        let (desk, database) = (Desk::open().await, &fresh.database);
        let chat = desk.chat().await;
        let [one, two] = [TagId::from_uuid(desk.bus.new_uuid()), TagId::from_uuid(desk.bus.new_uuid())];
        let (by, at) = (desk.admin, desk.bus.now());
        for tag_id in [two, one] {
            let tag = ConversationCommand::AddTag { tag_id, by, at };
            desk.tell::<Conversation>(chat.conversation_id, tag).await.unwrap();
        }
        assert_eq!(view(&desk, database, chat).await.tag_ids, [one, two]);
        let untag = ConversationCommand::RemoveTag { tag_id: two, by, at };
        desk.tell::<Conversation>(chat.conversation_id, untag).await.unwrap();
        assert_eq!(view(&desk, database, chat).await.tag_ids, [one]);
        assert_eq!(database.fetch_all("SELECT * FROM conversation_tags", vec![]).await.unwrap().len(), 1);
    }
}

/// Projects what happened without some of it, and returns where it stopped.
async fn poisoned_at(desk: &Desk, database: &Database, keep: impl Fn(&LogEvent) -> bool) -> Option<i64> {
    clear(database).await;
    let events: Vec<_> = desk.log.events().into_iter().filter(|event| keep(event)).collect();
    match project_with(&[Arc::new(ConversationsProjector)], database, &events, &[1_000]).await {
        Err(HandleError::Poison { position, .. }) => Some(position),
        other => panic!("{other:?}"),
    }
}

fn starts(event: &LogEvent) -> bool {
    matches!(event.event, AnyEvent::Conversation(ConversationEvent::ChatStarted { .. }))
}

#[tokio::test]
async fn event_of_a_conversation_that_is_not_there_is_poison() {
    for fresh in fresh_databases().await {
        let (desk, database) = (Desk::open().await, &fresh.database);
        let chat = desk.chat().await;
        let message = desk.log.events().last().unwrap().header.position;
        assert_eq!(poisoned_at(&desk, database, |event| !starts(event)).await, Some(message));

        desk.assign(chat.conversation_id, desk.agents[0]).await.unwrap();
        let assigned = desk.log.events().iter().map(|event| event.header.clone()).collect::<Vec<_>>();
        let assigned = assigned.iter().find(|header| header.event_type == "AgentAssigned").unwrap().position;
        assert_eq!(poisoned_at(&desk, database, |event| !starts(event)).await, Some(assigned));
    }
}

#[tokio::test]
async fn poison_names_the_message_whose_conversation_is_lost_among_others() {
    for fresh in fresh_databases().await {
        let (desk, database) = (Desk::open().await, &fresh.database);
        let lost = desk.chat().await;
        let lost_message = desk.log.events().last().unwrap().header.position;
        desk.chat().await;
        let keep = |event: &LogEvent| !starts(event) || event.header.aggregate_id != lost.conversation_id.uuid();
        let stored: Vec<_> = desk.log.events().into_iter().filter(|event| starts(event) && keep(event)).collect();
        let messages: Vec<_> = desk.log.events().into_iter().filter(|event| !starts(event)).collect();
        let projectors: [Arc<dyn Subscriber>; 1] = [Arc::new(ConversationsProjector)];
        project_with(&projectors, database, &stored, &[100]).await.unwrap();
        let refused = project_with(&projectors, database, &messages, &[100]).await;
        assert!(
            matches!(refused, Err(HandleError::Poison { position, .. }) if position == lost_message),
            "{refused:?}"
        );
    }
}

#[tokio::test]
async fn conversation_that_begins_twice_is_poison() {
    for fresh in fresh_databases().await {
        let (desk, database) = (Desk::open().await, &fresh.database);
        desk.chat().await;
        project(&desk, database, &[usize::MAX]).await.unwrap();
        let start: Vec<_> = desk.log.events().into_iter().filter(|event| starts(event)).collect();
        let again = project_with(&[Arc::new(ConversationsProjector)], database, &start, &[1]).await;
        assert!(matches!(again, Err(HandleError::Poison { .. })), "{again:?}");
    }
}
