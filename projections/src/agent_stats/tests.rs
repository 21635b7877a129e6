use std::sync::Arc;

use application::ports::{EventHeader, LogEvent};
use domain::aggregate::AggregateType;
use domain::conversation::Participant;
use domain::event::AnyEvent;
use domain::ids::{AgentId, CommandId, ConversationId, EntityId, EventId, ThreadId, VisitorId};
use domain::text::MessageText;
use domain::thread::{JoinCause, LeaveReason, ThreadEvent};
use domain::time::Timestamp;
use infrastructure::database::{Database, Dialect};
use infrastructure::sql_args;
use infrastructure::subscription::HandleError;
use uuid::Uuid;

use super::*;
use crate::rows::ViewRow;
use crate::testing::{explain, project_with};
use infrastructure::testing::fresh_databases;

const ANNA: AgentId = AgentId::new(Uuid::from_u128(0xA1));
const BERT: AgentId = AgentId::new(Uuid::from_u128(0xA2));
const DAY: i64 = 86_400;

/// So many seconds after midnight UTC of some day.
fn at(second: i64) -> Timestamp {
    Timestamp::from_micros((19_700 * DAY + second) * 1_000_000)
}

/// A log of threads only.
#[derive(Default)]
struct Log(Vec<Arc<LogEvent>>);

impl Log {
    fn add(&mut self, thread: u128, event: ThreadEvent) {
        let header = EventHeader {
            position: self.0.len() as i64 + 1,
            aggregate_type: AggregateType::Thread,
            aggregate_id: Uuid::from_u128(thread),
            sequence: 1,
            event_id: EventId::default(),
            event_type: String::new(),
            event_version: "1.0".to_owned(),
            command_id: CommandId::default(),
            causation_id: None,
            correlation_id: Uuid::nil(),
            actor: "system:test".to_owned(),
            recorded_at: at(0),
            chain_hash: [0; 32],
        };
        self.0.push(Arc::new(LogEvent { header, event: AnyEvent::Thread(event) }));
    }

    fn join(&mut self, thread: u128, agent_id: AgentId, second: i64) {
        self.add(thread, ThreadEvent::AgentJoined { agent_id, cause: Some(JoinCause::Routed), at: at(second) });
    }

    fn leave(&mut self, thread: u128, agent_id: AgentId, second: i64) {
        self.add(thread, ThreadEvent::AgentLeft { agent_id, reason: LeaveReason::AgentOffline, at: at(second) });
    }

    fn close(&mut self, thread: u128, second: i64) {
        let by = Participant::Visitor(VisitorId::default());
        self.add(thread, ThreadEvent::ThreadClosed { by, at: at(second) });
    }

    fn say(&mut self, thread: u128, author: Participant, second: i64) {
        let said = ThreadEvent::MessageSent {
            conversation_id: ConversationId::default(),
            message_id: EventId::default(),
            author,
            text: MessageText::parse("Hello").unwrap(),
            client_event_id: None,
            metadata: None,
            at: at(second),
        };
        self.add(thread, said);
    }

    fn answer(&mut self, thread: u128, agent_id: AgentId, second: i64) {
        self.say(thread, Participant::Agent(agent_id), second);
    }

    async fn project(&self, database: &Database, sizes: &[usize]) -> Result<(), HandleError> {
        project_with(&[Arc::new(AgentStatsProjector)], database, &self.0, sizes).await
    }
}

async fn figures(database: &Database, agent_id: AgentId, second: i64) -> AgentFigures {
    AgentStatsQueries::new(database.clone()).figures(agent_id, at(second)).await.unwrap()
}

const fn recent(today: i64, last7_days: i64, last30_days: i64) -> Recent {
    Recent { today, last7_days, last30_days }
}

fn spans(count: usize, p50: f64, p90: f64) -> Option<Percentiles> {
    Some(Percentiles { count, p50, p90 })
}

/// Page sizes: what a page ends with, the next must find in the tables.
const SIZES: [&[usize]; 3] = [&[1], &[3, 2], &[1_000]];

#[tokio::test]
async fn chat_is_answered_handed_over_and_closed() {
    for sizes in SIZES {
        for fresh in fresh_databases().await {
            let mut log = Log::default();
            log.join(1, ANNA, 100);
            log.say(1, Participant::Visitor(VisitorId::default()), 105);
            log.answer(1, ANNA, 110);
            log.answer(1, ANNA, 120);
            // A transfer: the agent that takes over joins, and the other leaves.
            log.join(1, BERT, 160);
            log.leave(1, ANNA, 160);
            log.answer(1, BERT, 163);
            log.close(1, 200);
            log.project(&fresh.database, sizes).await.unwrap();
            let anna = figures(&fresh.database, ANNA, 300).await;
            assert_eq!((anna.chats, anna.messages_sent), (recent(1, 1, 1), recent(2, 2, 2)));
            assert_eq!(
                (anna.first_response_seconds, anna.chat_duration_seconds),
                (spans(1, 10.0, 10.0), spans(1, 60.0, 60.0))
            );
            let bert = figures(&fresh.database, BERT, 300).await;
            assert_eq!((bert.chats, bert.messages_sent), (recent(1, 1, 1), recent(1, 1, 1)));
            assert_eq!(
                (bert.first_response_seconds, bert.chat_duration_seconds),
                (spans(1, 3.0, 3.0), spans(1, 40.0, 40.0))
            );
        }
    }
}

#[tokio::test]
async fn chat_that_comes_back_is_the_same_and_waits_on_nobodys_account() {
    for sizes in SIZES {
        for fresh in fresh_databases().await {
            let mut log = Log::default();
            log.join(1, ANNA, 0);
            log.leave(1, ANNA, 20);
            log.join(1, ANNA, 500);
            log.project(&fresh.database, sizes).await.unwrap();
            let serving = figures(&fresh.database, ANNA, 501).await;
            assert_eq!(serving.chats, recent(1, 1, 1));
            assert_eq!((serving.first_response_seconds, serving.chat_duration_seconds), (None, None));
            let begun = log.0.len();
            log.answer(1, ANNA, 507);
            log.close(1, 510);
            let rest = Log(log.0.split_off(begun));
            rest.project(&fresh.database, sizes).await.unwrap();
            let done = figures(&fresh.database, ANNA, 600).await;
            assert_eq!(done.chats, recent(1, 1, 1));
            assert_eq!(
                (done.first_response_seconds, done.chat_duration_seconds),
                (spans(1, 7.0, 7.0), spans(1, 30.0, 30.0))
            );
        }
    }
}

#[tokio::test]
async fn reopened_chat_is_another_one_and_one_without_an_answer_has_no_first_response() {
    for fresh in fresh_databases().await {
        let mut log = Log::default();
        log.join(1, ANNA, 0);
        log.close(1, 10);
        log.join(2, ANNA, 20);
        log.answer(2, ANNA, 24);
        log.close(2, 50);
        log.project(&fresh.database, &[2]).await.unwrap();
        let anna = figures(&fresh.database, ANNA, 60).await;
        assert_eq!(anna.chats, recent(2, 2, 2));
        assert_eq!(
            (anna.first_response_seconds, anna.chat_duration_seconds),
            (spans(1, 4.0, 4.0), spans(2, 10.0, 30.0))
        );
        assert_eq!(figures(&fresh.database, BERT, 60).await, AgentFigures::default());
    }
}

#[tokio::test]
async fn days_are_utc_days_with_today_among_them() {
    for fresh in fresh_databases().await {
        let mut log = Log::default();
        for (thread, day) in [-30, -29, -7, -6, -1, 0].into_iter().enumerate() {
            let thread = thread as u128;
            // In the last second of each day but the present one.
            let second = if day == 0 { 0 } else { (day + 1) * DAY - 1 };
            log.join(thread, ANNA, second);
            log.answer(thread, ANNA, second + 1);
            log.close(thread, second + 2);
        }
        log.project(&fresh.database, &[4]).await.unwrap();
        let anna = figures(&fresh.database, ANNA, 5).await;
        assert_eq!(anna.chats, recent(1, 3, 5));
        // Each answer but the last came on the day after; so one of 29 days ago is within the 30 days.
        assert_eq!(anna.messages_sent, recent(2, 4, 6));
        assert_eq!((anna.first_response_seconds, anna.chat_duration_seconds), (spans(5, 1.0, 1.0), spans(5, 2.0, 2.0)));
        let tomorrow = figures(&fresh.database, ANNA, DAY).await;
        assert_eq!(tomorrow.chats, recent(0, 2, 4));
    }
}

#[tokio::test]
async fn agent_in_a_thread_that_they_have_not_joined_is_poison() {
    for fresh in fresh_databases().await {
        let mut log = Log::default();
        log.answer(1, ANNA, 0);
        let refused = log.project(&fresh.database, &[1]).await;
        assert!(matches!(refused, Err(HandleError::Poison { position: 1, .. })), "{refused:?}");
    }
}

#[tokio::test]
async fn figures_of_ten_thousand_chats_are_read_from_an_index_range() {
    for fresh in fresh_databases().await {
        let chats = (0..40_000_i64).map(|number| {
            let agent_id = if number % 4 == 0 { ANNA } else { BERT };
            let row = ChatRow::new(agent_id, ThreadId::from_uuid(Uuid::from_u128(number as u128)), at(number));
            ChatRow { served_us: number, first_response_us: Some(number), ..row }.values()
        });
        let mut tx = fresh.database.begin_view().await.unwrap();
        tx.insert_many(ChatRow::TABLE.name, ChatRow::TABLE.columns, chats.collect()).await.unwrap();
        tx.commit().await.unwrap();
        if fresh.database.dialect() == Dialect::Mysql {
            fresh.database.fetch_all("ANALYZE TABLE agent_chats", vec![]).await.unwrap();
        }
        let anna = figures(&fresh.database, ANNA, DAY - 1).await;
        assert_eq!(anna.first_response_seconds.map(|spans| spans.count), Some(10_000));
        let column = match fresh.database.dialect() {
            Dialect::Sqlite => "detail",
            Dialect::Mysql => "Extra",
        };
        let rows = explain(&fresh.database, queries::CHATS, sql_args![ANNA.uuid(), at(0), 10_000_i64]).await;
        let how = rows[0].text(column).unwrap();
        assert!(how.contains("COVERING INDEX agent_chats_by_agent") || how.contains("Using index"), "{how}");
        assert!(!how.contains("filesort") && rows.len() == 1, "{how}");
    }
}
