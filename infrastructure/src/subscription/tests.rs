use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use application::ports::{
    AppendError, AppendRequest, AsOf, CommandRecord, EventLog, Freshness, Growth, LogHead, ReadError, Receipt,
    SeenStream, Sequence, StreamEvent, StreamId, VersionedState,
};
use domain::ids::CommandId;
use domain::tag::TagEvent;
use tokio::sync::watch;
use tokio::time::timeout;

use super::*;
use crate::database::{DatabaseOptions, Dialect};
use crate::event_log::testing::{append, start, stream};
use crate::sql_args;
use crate::system::{RandomIds, SystemClock};
use crate::testing::{Fresh, fresh_databases};

const SOON: Duration = Duration::from_secs(8);

/// Notes the positions of the events that matter; deletions do, restorations do not.
#[derive(Default)]
struct Notes {
    patience: Duration,
    poison: Option<Position>,
    panics: bool,
    /// Whether its first batch fails, which says nothing of the events.
    fails_once: AtomicBool,
    pages: Mutex<Vec<usize>>,
    loads: AtomicUsize,
    /// How many notes there are, as it counts them.
    count: AtomicI64,
    /// The tables that are rebuilt, and mended by that, while the turn that stops comes to its end.
    rebuilt_when_released: Option<Database>,
    is_mended: AtomicBool,
}

#[async_trait]
impl Subscriber for Notes {
    fn name(&self) -> &'static str {
        "notes"
    }

    fn version(&self) -> i64 {
        1
    }

    fn patience(&self) -> Duration {
        self.patience
    }

    fn handles(&self, event: &AnyEvent) -> bool {
        matches!(event, AnyEvent::Tag(TagEvent::TagDeleted { .. }))
    }

    async fn released(&self) {
        let Some(database) = &self.rebuilt_when_released else { return };
        if !self.is_mended.swap(true, Ordering::SeqCst) {
            run(database, "UPDATE checkpoints SET generation = generation + 1 WHERE name = 'notes'").await;
        }
    }

    async fn load(&self, database: &Database) -> Result<(), HandleError> {
        let row = database.fetch_optional("SELECT COUNT(*) AS n FROM notes", vec![]).await?.unwrap();
        self.count.store(row.int("n").unwrap(), Ordering::SeqCst);
        self.loads.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    async fn handle(&self, events: &[Arc<LogEvent>], tx: &mut Transaction) -> Result<(), HandleError> {
        assert!(!self.panics, "as asked");
        self.pages.lock().unwrap().push(events.len());
        self.count.fetch_add(i64::try_from(events.len()).unwrap(), Ordering::SeqCst);
        if self.fails_once.swap(false, Ordering::SeqCst) {
            tx.enqueue("INSERT INTO nowhere (id) VALUES (1)", vec![]).await?;
        }
        let rows = events.iter().map(|event| sql_args![event.header.position]).collect();
        tx.insert_many("notes", &["position"], rows).await?;
        match events.iter().find(|event| Some(event.header.position) == self.poison) {
            Some(event) if !self.is_mended.load(Ordering::SeqCst) => {
                Err(HandleError::Poison { position: event.header.position, source: "bad".into() })
            }
            Some(_) | None => Ok(()),
        }
    }
}

struct Node {
    log: Arc<dyn EventLog>,
    subscriptions: Subscriptions,
}

async fn node(database: &Database) -> Node {
    let log: Arc<dyn EventLog> = Arc::new(start(database).await);
    let subscriptions =
        Subscriptions::new(database.clone(), Arc::clone(&log), Arc::new(SystemClock), Arc::new(RandomIds));
    Node { log, subscriptions }
}

impl Node {
    async fn append(&self, id: u128, version: i64, count: usize) -> Position {
        self.log.append(append(&[(stream(id), version, count)])).await.unwrap().last_position
    }

    async fn append_unhandled(&self, id: u128, version: i64, count: usize) -> Position {
        let mut request: AppendRequest = append(&[(stream(id), version, count)]);
        for event in &mut request.streams[0].events {
            event.event_type = "TagRestored".into();
            event.payload = event.payload.replace("TagDeleted", "TagRestored");
        }
        self.log.append(request).await.unwrap().last_position
    }
}

async fn databases() -> Vec<Fresh> {
    let all = fresh_databases().await;
    for fresh in &all {
        fresh.database.execute("CREATE TABLE notes (position BIGINT NOT NULL PRIMARY KEY)", vec![]).await.unwrap();
    }
    all
}

async fn notes(database: &Database) -> Vec<Position> {
    let rows = database.fetch_all("SELECT position FROM notes ORDER BY position", vec![]).await.unwrap();
    rows.iter().map(|row| row.int("position").unwrap()).collect()
}

async fn stored(database: &Database) -> Position {
    Checkpoint::find(database, "notes", 1).await.unwrap().unwrap().position
}

async fn stopped(handle: &RunnerHandle) -> StopReason {
    let mut statuses = handle.statuses();
    let waiting = statuses.wait_for(RunnerStatus::has_ended);
    match timeout(SOON, waiting).await.expect("it stops").unwrap().clone() {
        RunnerStatus::Stopped(reason) => reason,
        other => panic!("{other:?}"),
    }
}

async fn is(handle: &RunnerHandle, status: RunnerStatus) {
    timeout(SOON, handle.statuses().wait_for(|now| *now == status)).await.expect("status changes").unwrap();
}

/// Counts how often the log is read on.
struct Counting {
    log: Arc<dyn EventLog>,
    reads: AtomicUsize,
}

#[async_trait]
impl EventLog for Counting {
    async fn append(&self, request: AppendRequest) -> Result<Receipt, AppendError> {
        self.log.append(request).await
    }

    async fn find_command(&self, command_id: CommandId) -> Result<Option<CommandRecord>, ReadError> {
        self.log.find_command(command_id).await
    }

    async fn read_after(&self, after: Position, limit: usize) -> Result<Vec<Arc<LogEvent>>, ReadError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        self.log.read_after(after, limit).await
    }

    async fn read_stream(&self, stream: StreamId, after: Sequence) -> Result<Vec<StreamEvent>, ReadError> {
        self.log.read_stream(stream, after).await
    }

    async fn find_snapshot(&self, stream: StreamId, fingerprint: &str) -> Result<Option<VersionedState>, ReadError> {
        self.log.find_snapshot(stream, fingerprint).await
    }

    async fn save_snapshot(&self, stream: StreamId, fingerprint: &str, state: VersionedState) -> Result<(), ReadError> {
        self.log.save_snapshot(stream, fingerprint, state).await
    }

    async fn find_grown(&self, seen: &[SeenStream], as_of: Option<AsOf>) -> Result<Growth, ReadError> {
        self.log.find_grown(seen, as_of).await
    }

    async fn head(&self) -> Result<LogHead, ReadError> {
        self.log.head().await
    }

    fn has_broken_down(&self) -> bool {
        self.log.has_broken_down()
    }

    fn nothing_read(&self) -> Freshness {
        self.log.nothing_read()
    }

    fn known_position(&self) -> watch::Receiver<Position> {
        self.log.known_position()
    }
}

#[tokio::test]
async fn log_is_read_on_only_where_it_is_known_to_go_on() {
    for fresh in databases().await {
        let node_ = node(&fresh.database).await;
        let counting = Arc::new(Counting { log: Arc::clone(&node_.log), reads: AtomicUsize::new(0) });
        let (clock, ids) = (Arc::new(SystemClock), Arc::new(RandomIds));
        let subscriptions = Subscriptions::new(fresh.database.clone(), Arc::clone(&counting) as _, clock, ids);
        let handle = subscriptions.start(Arc::new(Notes::default()));
        for version in 0..3 {
            let last = node_.append(1, version, 1).await;
            assert!(handle.wait_for(last, SOON).await);
        }
        // One more where a second has passed.
        let reads = counting.reads.load(Ordering::SeqCst);
        assert!((3..=4).contains(&reads), "{reads}");
        handle.shut_down().await;
    }
}

#[tokio::test]
async fn idle_projector_stops_when_the_log_is_replaced_by_another_one() {
    for fresh in databases().await {
        let node_ = node(&fresh.database).await;
        let handle = node_.subscriptions.start(Arc::new(Notes::default()));
        let last = node_.append(1, 0, 3).await;
        assert!(handle.wait_for(last, SOON).await);
        let epoch = sql_args![uuid::Uuid::from_u128(7)];
        fresh.database.execute("UPDATE log_head SET epoch = ? WHERE id = 1", epoch).await.unwrap();
        assert_eq!(stopped(&handle).await, StopReason::HistoryForked { position: last + 1 });
    }
}

#[tokio::test]
async fn everything_that_matters_is_projected_once_across_restarts() {
    for fresh in databases().await {
        let node_ = node(&fresh.database).await;
        node_.append(1, 0, 700).await;
        let handle = node_.subscriptions.start(Arc::new(Notes::default()));
        assert!(handle.wait_for(700, SOON).await);
        let last = node_.append(1, 700, 50).await;
        assert!(handle.wait_for(last, SOON).await);
        handle.shut_down().await;
        assert_eq!(handle.status(), RunnerStatus::ShutDown);

        let last = node_.append(2, 0, 5).await;
        let handle = node(&fresh.database).await.subscriptions.start(Arc::new(Notes::default()));
        assert!(handle.wait_for(last, SOON).await);
        assert_eq!(notes(&fresh.database).await, (1..=755).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn events_gather_until_somebody_waits_for_them() {
    for fresh in databases().await {
        let node = node(&fresh.database).await;
        let projector = Arc::new(Notes { patience: SOON * 100, ..Notes::default() });
        let handle = node.subscriptions.start(Arc::clone(&projector) as Arc<dyn Subscriber>);
        is(&handle, RunnerStatus::Running).await;
        let mut last = 0;
        for id in 1..=20 {
            last = node.append(id, 0, 1).await;
        }
        assert!(handle.wait_for(last, SOON).await, "it does not let anybody wait");
        let pages = projector.pages.lock().unwrap().clone();
        assert!(pages.iter().sum::<usize>() == 20 && pages.len() < 5, "{pages:?}");
        node.append(30, 0, 1).await;
        timeout(SOON, handle.shut_down()).await.expect("it does not wait when it is to end");
    }
}

#[tokio::test]
async fn events_that_gather_are_projected_without_anybody_waiting() {
    for fresh in databases().await {
        let node = node(&fresh.database).await;
        let patience = Duration::from_millis(50);
        let handle = node.subscriptions.start(Arc::new(Notes { patience, ..Notes::default() }));
        is(&handle, RunnerStatus::Running).await;
        let first = node.append(1, 0, 1).await;
        let last = node.append(2, 0, 1).await;
        assert!(first < last);
        let mut positions = handle.positions();
        timeout(SOON, positions.wait_for(|reached| *reached >= last)).await.expect("they are projected").unwrap();
        assert_eq!(notes(&fresh.database).await, [first, last]);
    }
}

#[tokio::test]
async fn events_that_do_not_matter_advance_in_memory_and_are_stored_when_idle() {
    for fresh in databases().await {
        let node = node(&fresh.database).await;
        let handle = node.subscriptions.start(Arc::new(Notes::default()));
        let handled = node.append(1, 0, 3).await;
        assert!(handle.wait_for(handled, SOON).await);
        let last = node.append_unhandled(2, 0, 20).await;
        assert!(handle.wait_for(last, SOON).await);
        assert_eq!(stored(&fresh.database).await, handled);
        handle.shut_down().await;
        assert_eq!(stored(&fresh.database).await, last);
    }
}

#[tokio::test]
async fn position_that_is_not_reached_is_not_waited_for_any_longer_than_asked() {
    for fresh in databases().await {
        let node = node(&fresh.database).await;
        let handle = node.subscriptions.start(Arc::new(Notes::default()));
        assert!(!handle.wait_for(1, Duration::from_millis(50)).await);
    }
}

#[tokio::test]
async fn poison_stops_the_projector_after_everything_before_it() {
    for fresh in databases().await {
        let node = node(&fresh.database).await;
        node.append(1, 0, 20).await;
        let handle = node.subscriptions.start(Arc::new(Notes { poison: Some(13), ..Notes::default() }));
        assert_eq!(stopped(&handle).await, StopReason::Poison { position: 13, cause: "bad".into() });
        assert_eq!(notes(&fresh.database).await, (1..=12).collect::<Vec<_>>());
        assert_eq!(stored(&fresh.database).await, 12);
        assert!(!handle.wait_for(20, SOON).await, "it will never get there");
        node.append(2, 0, 1).await;
    }
}

#[tokio::test]
async fn subscriber_goes_on_that_was_rebuilt_while_its_turn_came_to_its_end() {
    for fresh in databases().await {
        let node = node(&fresh.database).await;
        node.append(1, 0, 3).await;
        let rebuilt_when_released = Some(fresh.database.clone());
        let notes = Notes { poison: Some(2), rebuilt_when_released, ..Notes::default() };
        let handle = node.subscriptions.start(Arc::new(notes));
        assert!(matches!(stopped(&handle).await, StopReason::Poison { position: 2, .. }));
        is(&handle, RunnerStatus::Running).await;
        assert!(handle.wait_for(3, SOON).await, "its tables were mended");
    }
}

#[tokio::test]
async fn panic_of_a_projector_is_seen() {
    for fresh in databases().await {
        let node = node(&fresh.database).await;
        let handle = node.subscriptions.start(Arc::new(Notes { panics: true, ..Notes::default() }));
        assert_ne!(handle.status(), RunnerStatus::Stopped(StopReason::Panicked));
        node.append(1, 0, 1).await;
        assert!(!handle.wait_for(1, SOON).await, "it will never get there");
        let mut statuses = handle.statuses();
        drop(timeout(SOON, async { while statuses.changed().await.is_ok() {} }).await);
        assert_eq!(handle.status(), RunnerStatus::Stopped(StopReason::Panicked));
        timeout(SOON, handle.shut_down()).await.unwrap();
    }
}

#[tokio::test]
async fn statement_that_can_never_work_is_poison() {
    for fresh in databases().await {
        let node = node(&fresh.database).await;
        fresh.database.execute("INSERT INTO notes (position) VALUES (2)", vec![]).await.unwrap();
        node.append(1, 0, 3).await;
        let handle = node.subscriptions.start(Arc::new(Notes::default()));
        assert!(matches!(stopped(&handle).await, StopReason::Poison { position: 2, .. }));
        assert_eq!(notes(&fresh.database).await, [1, 2]);
    }
}

#[tokio::test]
async fn batch_that_fails_is_projected_once_from_what_the_tables_hold() {
    for fresh in databases().await {
        let node = node(&fresh.database).await;
        let projector = Arc::new(Notes { fails_once: true.into(), ..Notes::default() });
        let last = node.append(1, 0, 3).await;
        let handle = node.subscriptions.start(Arc::clone(&projector) as Arc<dyn Subscriber>);
        assert!(handle.wait_for(last, SOON).await);
        assert_eq!(notes(&fresh.database).await, [1, 2, 3]);
        assert_eq!(projector.count.load(Ordering::SeqCst), 3, "nothing of the first attempt is left in memory");
        assert_eq!(*projector.pages.lock().unwrap(), [3, 3]);
    }
}

#[tokio::test]
async fn checkpoint_that_cannot_be_moved_for_now_is_no_poison() {
    for fresh in databases().await {
        let node = node(&fresh.database).await;
        let handle = node.subscriptions.start(Arc::new(Notes::default()));
        is(&handle, RunnerStatus::Running).await;
        // With an error that says nothing of whether it passes.
        let refuse = match fresh.database.dialect() {
            Dialect::Sqlite => "BEGIN SELECT RAISE(ABORT, 'refused'); END",
            Dialect::Mysql => "FOR EACH ROW SIGNAL SQLSTATE '45000'",
        };
        run(&fresh.database, &format!("CREATE TRIGGER refusal BEFORE UPDATE ON checkpoints {refuse}")).await;
        let last = node.append(1, 0, 3).await;
        assert!(!handle.wait_for(last, Duration::from_millis(300)).await);
        assert!(!handle.status().has_ended(), "{:?}", handle.status());
        run(&fresh.database, "DROP TRIGGER refusal").await;
        assert!(handle.wait_for(last, SOON).await);
        assert_eq!(notes(&fresh.database).await, [1, 2, 3]);
    }
}

/// MySQL prepares no such statement.
async fn run(database: &Database, script: &str) {
    let mut session = database.log_session().await.unwrap();
    session.run(script).await.unwrap();
    session.close().await;
}

#[tokio::test]
async fn event_that_cannot_be_read_stops_the_projector_after_everything_before_it() {
    for fresh in databases().await {
        node(&fresh.database).await.append(1, 0, 5).await;
        fresh.database.execute("UPDATE events SET payload = '{}' WHERE position = 4", vec![]).await.unwrap();
        let handle = node(&fresh.database).await.subscriptions.start(Arc::new(Notes::default()));
        assert!(matches!(stopped(&handle).await, StopReason::Poison { position: 4, .. }));
        assert_eq!(notes(&fresh.database).await, [1, 2, 3]);
    }
}

#[tokio::test]
async fn unreadable_events_at_the_edges_of_a_page_stop_the_projector_and_hide_nothing() {
    /// As many as a subscriber reads at once.
    const PAGE: Position = 500;
    // The first one of all, the last of a page, the first of the next, and a page of nothing else.
    for (first, last) in [(1, 1), (PAGE, PAGE), (PAGE + 1, PAGE + 1), (PAGE + 1, 2 * PAGE)] {
        for fresh in databases().await {
            let writer = node(&fresh.database).await;
            for id in 1..=5 {
                writer.append(id, 0, 220).await;
            }
            let change = format!("UPDATE events SET payload = '{{}}' WHERE position BETWEEN {first} AND {last}");
            fresh.database.execute(&change, vec![]).await.unwrap();
            let node = node(&fresh.database).await;
            let handle = node.subscriptions.start(Arc::new(Notes::default()));
            let StopReason::Poison { position, cause } = stopped(&handle).await else { panic!("another reason") };
            assert_eq!(position, first);
            assert!(cause.contains("TagDeleted"), "the type of the event: {cause}");
            assert_eq!(notes(&fresh.database).await, (1..first).collect::<Vec<_>>());
            // Whoever reads on after them gets the rest: positions are counted, not events that were understood.
            assert!(node.log.read_after(first - 1, 1).await.is_err());
            let rest = node.log.read_after(last, 10).await.unwrap();
            assert_eq!(rest.iter().map(|event| event.header.position).next(), Some(last + 1));
        }
    }
}

#[tokio::test]
async fn another_history_stops_the_projector() {
    let changes = [
        "UPDATE checkpoints SET epoch = '00000000-0000-0000-0000-000000000009'".to_owned(),
        format!("UPDATE checkpoints SET chain_hash = X'{}'", "11".repeat(32)),
        "UPDATE checkpoints SET position = 4".to_owned(),
    ];
    for change in changes {
        for fresh in databases().await {
            let node = node(&fresh.database).await;
            let handle = node.subscriptions.start(Arc::new(Notes::default()));
            let last = node.append(1, 0, 3).await;
            assert!(handle.wait_for(last, SOON).await);
            handle.shut_down().await;
            fresh.database.execute(&change, vec![]).await.unwrap();
            let handle = node.subscriptions.start(Arc::new(Notes::default()));
            assert!(matches!(stopped(&handle).await, StopReason::ForeignCheckpoint { .. }), "{change}");
        }
    }
}

#[tokio::test]
async fn two_nodes_project_once_and_both_can_wait() {
    for fresh in databases().await {
        if fresh.database.dialect() == Dialect::Sqlite {
            continue;
        }
        let other = Database::connect(&fresh.url, DatabaseOptions::default()).await.unwrap();
        let nodes = [node(&fresh.database).await, node(&other).await];
        let first = nodes[0].subscriptions.start(Arc::new(Notes::default()));
        is(&first, RunnerStatus::Running).await;
        let second = nodes[1].subscriptions.start(Arc::new(Notes::default()));
        let last = nodes[1].append(1, 0, 10).await;
        assert!(first.wait_for(last, SOON).await && second.wait_for(last, SOON).await);
        let last = nodes[0].append_unhandled(2, 0, 10).await;
        assert!(second.wait_for(last, Duration::from_millis(700)).await, "events that do not matter are passed over");
        assert_eq!(second.status(), RunnerStatus::Following);

        first.shut_down().await;
        is(&second, RunnerStatus::Running).await;
        let last = nodes[0].append(3, 0, 10).await;
        assert!(second.wait_for(last, SOON).await);
        assert_eq!(notes(&fresh.database).await.len(), 20);
    }
}

#[tokio::test]
async fn node_that_lost_its_lease_unknowingly_is_fenced_off() {
    for fresh in databases().await {
        let node = node(&fresh.database).await;
        let projector = Arc::new(Notes::default());
        let handle = node.subscriptions.start(Arc::clone(&projector) as Arc<dyn Subscriber>);
        let last = node.append(1, 0, 3).await;
        assert!(handle.wait_for(last, SOON).await);
        // Somebody else projects the next event while this node believes that it leads.
        let other = start(&fresh.database).await;
        let mut tx = fresh.database.begin_view().await.unwrap();
        let appending = tokio::spawn(async move { other.append(append(&[(stream(2), 0, 1)])).await });
        if fresh.database.dialect() == Dialect::Sqlite {
            // There the append waits for this transaction, and nobody else can be ahead.
            drop(tx);
            appending.await.unwrap().unwrap();
            continue;
        }
        tx.fetch_all("SELECT position FROM checkpoints FOR UPDATE", vec![]).await.unwrap();
        appending.await.unwrap().unwrap();
        let row = tx.fetch_optional("SELECT chain_hash FROM events WHERE position = 4", vec![]).await.unwrap().unwrap();
        let moved = "UPDATE checkpoints SET position = 4, chain_hash = ?";
        tx.execute(moved, sql_args![row.hash("chain_hash").unwrap()]).await.unwrap();
        tx.execute("INSERT INTO notes (position) VALUES (4)", vec![]).await.unwrap();
        tx.commit().await.unwrap();

        let last = node.append(3, 0, 1).await;
        assert!(handle.wait_for(last, SOON).await);
        assert_eq!(handle.status(), RunnerStatus::Running);
        assert_eq!(notes(&fresh.database).await, [1, 2, 3, 4, 5]);
        let loads = projector.loads.load(Ordering::SeqCst);
        assert_eq!(loads, 2, "when each of its turns begins: a fenced-off runner takes nothing over");
    }
}

#[tokio::test]
async fn pages_are_read_at_once() {
    for fresh in databases().await {
        let node = node(&fresh.database).await;
        node.append(1, 0, 600).await;
        let notes = Arc::new(Notes::default());
        let handle = node.subscriptions.start(Arc::clone(&notes) as Arc<dyn Subscriber>);
        assert!(handle.wait_for(600, SOON).await);
        assert_eq!(*notes.pages.lock().unwrap(), [500, 100]);
    }
}

/// Sets the log and the checkpoint back to an earlier position, as putting an older dump in their place does.
async fn set_back(database: &Database, position: Position) {
    let find = "SELECT chain_hash FROM events WHERE position = ?";
    let row = database.fetch_optional(find, sql_args![position]).await.unwrap().unwrap();
    let place = sql_args![position, row.hash("chain_hash").unwrap()];
    database.execute("UPDATE log_head SET position = ?, chain_hash = ?", place.clone()).await.unwrap();
    database.execute("UPDATE checkpoints SET position = ?, chain_hash = ?", place).await.unwrap();
    for table in ["events", "notes"] {
        database.execute(&format!("DELETE FROM {table} WHERE position > ?"), sql_args![position]).await.unwrap();
    }
}

#[tokio::test]
async fn ending_node_stores_no_checkpoint_of_events_that_the_log_has_lost() {
    for fresh in databases().await {
        let node = node(&fresh.database).await;
        let handle = node.subscriptions.start(Arc::new(Notes::default()));
        let handled = node.append(1, 0, 3).await;
        assert!(handle.wait_for(handled, SOON).await);
        // These do not matter, so that the stored checkpoint stays behind them.
        let last = node.append_unhandled(2, 0, 10).await;
        assert!(handle.wait_for(last, SOON).await);
        set_back(&fresh.database, handled).await;
        handle.shut_down().await;
        assert_eq!(stored(&fresh.database).await, handled);
    }
}

#[tokio::test]
async fn nothing_runs_a_subscriber_during_a_pause_and_a_node_goes_on_afterwards() {
    for fresh in databases().await {
        let node = node(&fresh.database).await;
        let handle = node.subscriptions.start(Arc::new(Notes::default()));
        assert!(handle.wait_for(node.append(1, 0, 3).await, SOON).await);
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let pause = Pause::begin(&fresh.database, ("notes", 1), "another process", &clock).await.unwrap().unwrap();
        is(&handle, RunnerStatus::Following).await;
        let last = node.append(2, 0, 3).await;
        assert!(!handle.wait_for(last, Duration::from_millis(1_500)).await);
        assert_eq!(notes(&fresh.database).await, [1, 2, 3]);
        let second = Pause::begin(&fresh.database, ("notes", 1), "a third process", &clock).await.unwrap();
        assert!(second.is_none(), "one pause at a time");
        pause.end().await;
        assert!(handle.wait_for(last, SOON).await);
        assert_eq!(notes(&fresh.database).await, [1, 2, 3, 4, 5, 6]);
    }
}

#[tokio::test]
async fn pause_of_a_killed_process_runs_out() {
    for fresh in databases().await {
        let node = node(&fresh.database).await;
        let handle = node.subscriptions.start(Arc::new(Notes::default()));
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let pause = Pause::begin(&fresh.database, ("notes", 1), "another process", &clock).await.unwrap().unwrap();
        drop(pause);
        let last = node.append(1, 0, 3).await;
        assert!(handle.wait_for(last, SOON).await);
    }
}
