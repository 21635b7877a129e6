use std::sync::Arc;

use application::UseCaseError;
use application::ports::LogEvent;
use application::process_managers::router::{AttemptStore, FailedAttempt};
use domain::agent::{AgentError, AgentStatus};
use domain::conversation::ConversationError;
use domain::group::{Group, GroupCommand, GroupError};
use domain::ids::{ConversationId, GroupId};
use domain::time::Timestamp;
use infrastructure::database::Database;
use infrastructure::subscription::{HandleError, Subscriber};
use infrastructure::system::{RandomIds, SystemClock};

use super::*;
use crate::queue_positions::PositionBounds;
use crate::testing::{Desk, clear, dump, project, project_with};
use crate::{CursorError, PageRequest, QueryError};
use infrastructure::testing::fresh_databases;

fn subscribers(desk: &Desk, database: &Database) -> [Arc<dyn Subscriber>; 1] {
    [desk.router(database).1]
}

/// Chats that wait, are served and came back, in two groups.
async fn busy_desk() -> Desk {
    let desk = Desk::open().await;
    for chat in 0..12_usize {
        let receipt = desk.start(desk.visitor(), Some(desk.groups[chat % 2])).await;
        if chat % 3 > 0 {
            // Nobody is in the second group: there the choice fails, and the chat goes on waiting.
            drop(desk.route(receipt.conversation_id, desk.agents[chat % 3 - 1]).await);
        }
        if chat == 7 {
            desk.set_status(desk.agents[0], AgentStatus::Offline).await.unwrap();
            desk.set_status(desk.agents[0], AgentStatus::Online).await.unwrap();
        }
    }
    desk
}

async fn wait_of(database: &Database, id: ConversationId) -> (i64, i64, Option<i64>, Option<String>) {
    let sql = "SELECT * FROM routing_queue WHERE conversation_id = ?";
    let row = database.fetch_optional(sql, infrastructure::sql_args![id.to_string()]).await.unwrap().unwrap();
    let count = row.int("attempts").unwrap();
    let next = row.opt_int("next_attempt_us").unwrap();
    (row.int("waiting_since").unwrap(), count, next, row.opt_text("last_error").unwrap())
}

fn failed(conversation_id: ConversationId, waiting_since: i64) -> FailedAttempt {
    FailedAttempt {
        conversation_id,
        waiting_since,
        attempts: 3,
        next_attempt_at: Timestamp::from_micros(99),
        reason: "the agent has no free slot".to_owned(),
    }
}

#[tokio::test]
async fn restarts_between_pages_change_nothing() {
    for fresh in fresh_databases().await {
        let (desk, database) = (busy_desk().await, &fresh.database);
        let events: Vec<_> = desk.log.events();
        project_with(&subscribers(&desk, database), database, &events, &[1_000]).await.unwrap();
        let whole = dump(database).await.unwrap();
        assert!(!whole["routing_queue"].is_empty() && whole["routing_state"].len() > 6);
        clear(database).await;
        for page in events.chunks(9) {
            // A new router each time: all it knows is what was stored.
            project_with(&subscribers(&desk, database), database, page, &[1_000]).await.unwrap();
        }
        assert_eq!(dump(database).await.unwrap(), whole);
    }
}

#[tokio::test]
async fn stored_state_is_what_the_router_has() {
    for fresh in fresh_databases().await {
        let (desk, database) = (busy_desk().await, &fresh.database);
        let events: Vec<_> = desk.log.events();
        project_with(&subscribers(&desk, database), database, &events, &[4]).await.unwrap();
        let snapshot = super::snapshot::read(database).await.unwrap();
        let restored = domain::routing::RoutingState::restore(snapshot);
        let mut folded = domain::routing::RoutingState::default();
        for event in &events {
            folded.apply(event.header.position, event.header.aggregate_id, &event.event);
        }
        for agent_id in desk.agents {
            assert_eq!(restored.agent(agent_id), folded.agent(agent_id));
        }
        for group_id in desk.groups {
            assert_eq!(restored.group(group_id), folded.group(group_id));
            assert_eq!(restored.queue(group_id).collect::<Vec<_>>(), folded.queue(group_id).collect::<Vec<_>>());
            for id in folded.queue(group_id) {
                assert_eq!(restored.waiting(id), folded.waiting(id));
            }
        }
        let chats = events.iter().map(|event| domain::ids::EntityId::from_uuid(event.header.aggregate_id));
        assert!(chats.clone().any(|id| folded.served_arrival(id).is_some()));
        assert!(chats.into_iter().all(|id| restored.served_arrival(id) == folded.served_arrival(id)));
    }
}

#[tokio::test]
async fn failed_attempts_survive_a_restart_and_end_with_their_wait() {
    for fresh in fresh_databases().await {
        let (desk, database) = (Desk::open().await, &fresh.database);
        let id = desk.chat().await.conversation_id;
        project(&desk, database, &[100]).await.unwrap();
        let (waiting_since, ..) = wait_of(database, id).await;
        let store = SqlAttemptStore::new(database.clone(), Arc::new(SystemClock), Arc::new(RandomIds));
        store.save_failure(&failed(id, waiting_since - 1)).await.unwrap();
        assert_eq!(wait_of(database, id).await, (waiting_since, 0, None, None), "of an earlier wait");
        store.save_failure(&failed(id, waiting_since)).await.unwrap();
        let reason = Some("the agent has no free slot".to_owned());
        assert_eq!(wait_of(database, id).await, (waiting_since, 3, Some(99), reason.clone()));
        let snapshot = super::snapshot::read(database).await.unwrap();
        assert_eq!(snapshot.waiting[&id].attempts, 3);
        assert_eq!(snapshot.waiting[&id].next_attempt_at, Some(Timestamp::from_micros(99)));
        let queue = RoutingQueries::new(database.clone())
            .bounded(PositionBounds::SMALL)
            .list_queue(Some(desk.groups[0]), &PageRequest::first(10))
            .await
            .unwrap()
            .data;
        assert_eq!((queue[0].attempts, queue[0].last_error.clone()), (3, reason));

        let before = desk.log.events().len();
        desk.assign(id, desk.agents[0]).await.unwrap();
        desk.set_status(desk.agents[0], AgentStatus::Offline).await.unwrap();
        let rest: Vec<_> = desk.log.events().split_off(before);
        project_with(&subscribers(&desk, database), database, &rest, &[100]).await.unwrap();
        let (again_since, attempts, next, error) = wait_of(database, id).await;
        assert!(again_since > waiting_since);
        assert_eq!((attempts, next, error), (0, None, None));
    }
}

#[tokio::test]
async fn queue_is_listed_in_its_order() {
    for fresh in fresh_databases().await {
        let (desk, database) = (busy_desk().await, &fresh.database);
        project(&desk, database, &[5]).await.unwrap();
        let queries = RoutingQueries::new(database.clone()).bounded(PositionBounds::SMALL);
        let first = PageRequest::first(100);
        let all = queries.list_queue(None, &first).await.unwrap().data;
        assert!(all.is_sorted_by_key(|chat| chat.arrival));
        for group_id in desk.groups {
            let own = queries.list_queue(Some(group_id), &first).await.unwrap().data;
            assert!(own.is_sorted_by_key(|chat| chat.arrival) && own.len() > 1);
            assert!(own.iter().map(|chat| chat.queue_position).eq(1..=own.len() as i64));
            assert!(all.iter().filter(|chat| chat.group_id == group_id).eq(&own));
            assert_eq!(pages(&queries, Some(group_id)).await, own);
        }
        assert_eq!(pages(&queries, None).await, all);
    }
}

/// One chat a page.
async fn pages(queries: &RoutingQueries, group_id: Option<GroupId>) -> Vec<QueuedChat> {
    let mut request = PageRequest::first(1);
    let mut all = vec![];
    loop {
        let page = queries.list_queue(group_id, &request).await.unwrap();
        all.extend(page.data);
        match page.next_cursor {
            Some(cursor) => request.cursor = Some(cursor),
            None => return all,
        }
    }
}

#[tokio::test]
async fn cursor_of_another_queue_is_refused() {
    for fresh in fresh_databases().await {
        let (desk, database) = (busy_desk().await, &fresh.database);
        project(&desk, database, &[5]).await.unwrap();
        let queries = RoutingQueries::new(database.clone()).bounded(PositionBounds::SMALL);
        let cursor = queries.list_queue(None, &PageRequest::first(1)).await.unwrap().next_cursor;
        let request = PageRequest { cursor, limit: 1 };
        let refused = queries.list_queue(Some(desk.groups[0]), &request).await;
        assert!(matches!(refused, Err(QueryError::Cursor(CursorError::OtherList))), "{refused:?}");
    }
}

#[tokio::test]
async fn released_router_must_be_loaded_before_it_folds_again() {
    for fresh in fresh_databases().await {
        let (desk, database) = (busy_desk().await, &fresh.database);
        let subscriber = desk.router(database).1;
        let events: Vec<Arc<LogEvent>> = desk.log.events();
        let mut tx = database.begin_view().await.unwrap();
        let refused = subscriber.handle(&events, &mut tx).await;
        assert!(matches!(refused, Err(HandleError::Poison { .. })), "{refused:?}");
        drop(tx);
        subscriber.load(database).await.unwrap();
        subscriber.released().await;
        let mut tx = database.begin_view().await.unwrap();
        assert!(subscriber.handle(&events, &mut tx).await.is_err());
    }
}

#[tokio::test]
async fn choice_of_who_has_left_the_group_fails_and_does_not_pass_for_overtaken() {
    let desk = Desk::open().await;
    let [first, second] = [desk.chat().await.conversation_id, desk.chat().await.conversation_id];
    let (group_id, agent_id, at) = (desk.groups[0], desk.agents[0], desk.bus.now());
    desk.route(first, agent_id).await.unwrap();
    desk.tell::<Group>(group_id, GroupCommand::RemoveAgent { agent_id, at }).await.unwrap();
    let refused = desk.route(second, agent_id).await;
    assert!(matches!(refused, Err(UseCaseError::Agent(AgentError::NotAvailable))), "{refused:?}");
    let refused = desk.route(first, desk.agents[1]).await;
    let is_taken = matches!(refused, Err(UseCaseError::Conversation(ConversationError::AlreadyAssigned)));
    assert!(is_taken, "what happened to the chat itself counts first: {refused:?}");
    desk.tell::<Group>(group_id, GroupCommand::Delete { at }).await.unwrap();
    let refused = desk.route(second, desk.agents[1]).await;
    assert!(matches!(refused, Err(UseCaseError::Group(GroupError::NotCreated))), "{refused:?}");
}
