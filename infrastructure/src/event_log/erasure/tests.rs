use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use application::UseCaseError;
use application::command_bus::{CommandBus, UnitOfWork, UseCase};
use application::ports::{EventLog, LogEvent, VersionedState};
use application::visitors::{Erased, Eraser};
use domain::aggregate::AggregateType;
use domain::conversation::{Conversation, ConversationCommand, Participant, VisitorCard};
use domain::ids::{ConversationId, EventId, GroupId, ThreadId, VisitorId};
use domain::text::{MessageText, Name};
use domain::thread::{Thread, ThreadCommand};
use domain::visitor::{ERASED, Visitor, VisitorCommand, VisitorDetails};
use serde_json::json;

use super::*;
use crate::database::Database;
use crate::event_log::testing::start;
use crate::event_log::verify_chain;
use crate::system::{RandomIds, SystemClock};
use crate::testing::fresh_databases;

const VERA: VisitorId = VisitorId::new(Uuid::from_u128(1));
const CHAT: ConversationId = ConversationId::new(Uuid::from_u128(2));
const THREAD: ThreadId = ThreadId::new(Uuid::from_u128(3));
const SALES: GroupId = GroupId::new(Uuid::from_u128(4));

/// Three pieces: with two introductions, 250, 250 and 102.
const MESSAGES: u64 = 600;
const PAYLOADS: u64 = MESSAGES + 2;

/// A visitor who has said a lot.
struct Talk;

impl UseCase for Talk {
    type Output = ();

    fn locks(&self) -> Vec<StreamId> {
        vec![]
    }

    async fn run(&self, work: &mut UnitOfWork) -> Result<(), UseCaseError> {
        let (at, name) = (work.now(), Name::parse("Vera").ok());
        let details = VisitorDetails { name: name.clone(), ..VisitorDetails::default() };
        work.execute::<Visitor>(VERA, VisitorCommand::Introduce { details, at }).await?;
        work.execute::<Visitor>(VERA, VisitorCommand::OpenChat { conversation_id: CHAT, at }).await?;
        let visitor = VisitorCard { id: VERA, name, email: None, phone: None };
        let begin = ConversationCommand::Start { visitor, group_id: SALES, thread_id: THREAD, last_agent_id: None, at };
        work.execute::<Conversation>(CHAT, begin).await?;
        let begin = ThreadCommand::Start { conversation_id: CHAT, visitor_id: VERA, previous_thread_id: None, at };
        work.execute::<Thread>(THREAD, begin).await?;
        for _ in 0..MESSAGES {
            let message = ThreadCommand::SendMessage {
                message_id: EventId::new(work.new_uuid()),
                author: Participant::Visitor(VERA),
                text: MessageText::parse("Vera says so").unwrap(),
                client_event_id: None,
                metadata: None,
                at,
            };
            work.execute::<Thread>(THREAD, message).await?;
        }
        Ok(())
    }

    fn recall(&self, _events: &[Arc<LogEvent>]) -> Option<()> {
        None
    }
}

struct Node {
    log: Arc<SqlEventLog>,
    bus: CommandBus,
}

impl Node {
    async fn on(database: &Database) -> Self {
        let log = Arc::new(start(database).await);
        let bus = CommandBus::new(log.clone(), Arc::new(SystemClock), Arc::new(RandomIds));
        Self { log, bus }
    }

    async fn talk(&self) {
        let context = self.bus.context("system:test".to_owned(), Uuid::nil());
        let context = context.repeatable(domain::ids::CommandId::new(Uuid::from_u128(9)), [7; 32]);
        self.bus.execute(context, Talk).await.unwrap();
    }

    async fn erase_on(&self, log: Arc<dyn PersonalDataLog>) -> Result<Erased, UseCaseError> {
        let context = self.bus.context("system:test".to_owned(), Uuid::nil());
        Eraser::new(self.bus.clone(), log).erase(context, VERA, Participant::Visitor(VERA)).await
    }

    async fn erase(&self) -> Erased {
        self.erase_on(self.log.clone()).await.unwrap()
    }
}

/// How many payloads are erased in a log that is whole.
async fn erased(database: &Database) -> u64 {
    verify_chain(database, |_| {}).await.unwrap().erased
}

async fn count(database: &Database, sql: &str) -> i64 {
    database.fetch_optional(sql, vec![]).await.unwrap().unwrap().int("number").unwrap()
}

async fn mentions(database: &Database) -> i64 {
    count(database, "SELECT COUNT(*) AS number FROM events WHERE payload LIKE '%Vera%'").await
}

/// Breaks off before a piece, or after its commit.
struct Breaking {
    log: Arc<SqlEventLog>,
    pieces: AtomicU32,
    after_commit: bool,
}

fn broken_off() -> AppendError {
    AppendError::Unavailable { source: "broken off".into() }
}

#[async_trait]
impl PersonalDataLog for Breaking {
    async fn read_texts(&self, stream: StreamId, after: Sequence, limit: usize) -> Result<Vec<StoredText>, ReadError> {
        self.log.read_texts(stream, after, limit).await
    }

    async fn append_erasure(&self, request: AppendRequest, texts: Vec<ErasedText>) -> Result<Receipt, AppendError> {
        let is_last = self.pieces.fetch_sub(1, Ordering::Relaxed) == 1;
        if is_last && !self.after_commit {
            return Err(broken_off());
        }
        let receipt = self.log.append_erasure(request, texts).await;
        if is_last { Err(broken_off()) } else { receipt }
    }

    async fn forget_answers(&self, ids: &BTreeSet<Uuid>) -> Result<u64, ReadError> {
        self.log.forget_answers(ids).await
    }

    async fn wipe(&self) -> Result<bool, ReadError> {
        self.log.wipe().await
    }
}

#[tokio::test]
async fn broken_off_anywhere_it_leaves_a_whole_log_and_is_done_by_the_next() {
    for fresh in fresh_databases().await {
        let node = Node::on(&fresh.database).await;
        node.talk().await;
        let mut done = 0;
        for (pieces, after_commit, more) in [(1, false, 0), (1, true, 250), (2, false, 250), (1, false, 0)] {
            let log = Breaking { log: node.log.clone(), pieces: AtomicU32::new(pieces), after_commit };
            let error = node.erase_on(Arc::new(log)).await.unwrap_err();
            assert!(matches!(error, UseCaseError::Append(AppendError::Unavailable { .. })), "{error:?}");
            done += more;
            assert_eq!(erased(&fresh.database).await, done);
        }
        // Also a node that knows nothing of it.
        let last = Node::on(&fresh.database).await.erase().await;
        assert_eq!(last.payloads, PAYLOADS - done);
        assert_eq!((erased(&fresh.database).await, mentions(&fresh.database).await), (PAYLOADS, 0));
        assert_eq!(node.erase().await.payloads, 0);
    }
}

/// Lets another erasure happen between two pages of the visitor's stream.
struct Overtaken {
    log: Arc<SqlEventLog>,
    by: tokio::sync::Mutex<Option<Node>>,
    done: AtomicU64,
}

#[async_trait]
impl PersonalDataLog for Overtaken {
    async fn read_texts(&self, stream: StreamId, after: Sequence, limit: usize) -> Result<Vec<StoredText>, ReadError> {
        if stream.kind == AggregateType::Visitor
            && after > 0
            && let Some(other) = self.by.lock().await.take()
        {
            self.done.store(other.erase().await.payloads, Ordering::Relaxed);
        }
        self.log.read_texts(stream, after, limit).await
    }

    async fn append_erasure(&self, request: AppendRequest, texts: Vec<ErasedText>) -> Result<Receipt, AppendError> {
        self.log.append_erasure(request, texts).await
    }

    async fn forget_answers(&self, ids: &BTreeSet<Uuid>) -> Result<u64, ReadError> {
        self.log.forget_answers(ids).await
    }

    async fn wipe(&self) -> Result<bool, ReadError> {
        self.log.wipe().await
    }
}

#[tokio::test]
async fn erasure_that_comes_between_two_pages_leaves_nothing_to_erase_again() {
    for fresh in fresh_databases().await {
        let (one, other) = (Node::on(&fresh.database).await, Node::on(&fresh.database).await);
        one.talk().await;
        let (by, done) = (tokio::sync::Mutex::new(Some(other)), AtomicU64::new(0));
        let log = Arc::new(Overtaken { log: one.log.clone(), by, done });
        let left = one.erase_on(log.clone()).await.unwrap();
        assert_eq!((log.done.load(Ordering::Relaxed), left.payloads), (PAYLOADS, 0));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn erasures_at_the_same_moment_share_the_work() {
    for fresh in fresh_databases().await {
        let (one, other) = (Node::on(&fresh.database).await, Node::on(&fresh.database).await);
        one.talk().await;
        let (first, second) = tokio::join!(one.erase(), other.erase());
        assert_eq!(first.payloads + second.payloads, PAYLOADS);
        assert_eq!((erased(&fresh.database).await, mentions(&fresh.database).await), (PAYLOADS, 0));
    }
}

#[tokio::test]
async fn what_was_read_before_is_not_read_again_from_memory() {
    for fresh in fresh_databases().await {
        let (one, other) = (Node::on(&fresh.database).await, Node::on(&fresh.database).await);
        one.talk().await;
        let end = Arc::clone(&other.log);
        let read = async || end.read_after(0, 10_000).await.unwrap();
        end.known_position().wait_for(|known| *known >= 604).await.unwrap();
        assert!(format!("{:?}", read().await).contains("12 bytes"), "the texts as they are");
        let position = one.erase().await.position.unwrap();
        end.known_position().wait_for(|known| *known >= position).await.unwrap();
        for log in [&one.log, &other.log] {
            let events = log.read_after(0, 10_000).await.unwrap();
            let of_texts = format!("{events:?}");
            assert!(!of_texts.contains("12 bytes") && of_texts.contains(&format!("{} bytes", ERASED.len())));
        }
    }
}

#[tokio::test]
async fn what_is_kept_beside_the_texts_goes_with_them() {
    for fresh in fresh_databases().await {
        let database = &fresh.database;
        let node = Node::on(database).await;
        node.talk().await;
        // As a version before this one has left it.
        let state = VersionedState { version: 2, state: json!({ "details": { "name": "Vera" } }) };
        node.log.save_snapshot(StreamId::of::<Visitor>(VERA), "Visitor/1", state).await.unwrap();
        for (id, named) in [(1, VERA.to_string()), (2, CHAT.to_string()), (3, Uuid::from_u128(77).to_string())] {
            let sql = format!(
                "INSERT INTO idempotent_responses VALUES ('{id:08}-0000-7000-8000-000000000000', X'00', 200, '{}', 1)",
                json!({ "visitor": [{ "id": named }] })
            );
            database.execute(&sql, vec![]).await.unwrap();
        }
        let done = node.erase().await;
        let eraser = Eraser::new(node.bus.clone(), node.log.clone());
        assert_eq!(eraser.clear(&done).await.unwrap(), (2, true));
        // Those of the long thread stay, which hold nothing of anybody.
        let snapshots =
            "SELECT COUNT(*) AS number FROM snapshots WHERE aggregate_type <> 'thread' OR state LIKE '%Vera%'";
        assert_eq!(count(database, snapshots).await, 0);
        let forgotten =
            format!("SELECT COUNT(*) AS number FROM command_log WHERE request_digest = X'{}'", "00".repeat(32));
        assert_eq!(count(database, &forgotten).await, 1);
        let salts = "SELECT COUNT(*) AS number FROM events WHERE payload LIKE '%[erased]%' AND salt IS NOT NULL";
        assert_eq!(count(database, salts).await, 0);
    }
}

#[tokio::test]
async fn payload_that_is_no_event_is_refused() {
    for fresh in fresh_databases().await {
        let node = Node::on(&fresh.database).await;
        node.talk().await;
        let stream = StreamId::of::<Visitor>(VERA);
        let texts = node.log.read_texts(stream, 0, 1).await.unwrap();
        let text = ErasedText { header: texts[0].event.header.clone(), payload: "{}".to_owned() };
        let mut request = crate::event_log::testing::append(&[(stream, 2, 1)]);
        request.streams[0].stream = stream;
        let refused = node.log.append_erasure(request, vec![text]).await.unwrap_err();
        assert!(matches!(refused, AppendError::Invalid { .. }), "{refused:?}");
        assert_eq!(erased(&fresh.database).await, 0);
    }
}
