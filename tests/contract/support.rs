//! Nodes, requests, and the table as it is.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use application::InstallationKey;
use application::command_bus::CommandBus;
use application::ports::{
    AppendRequest, EventLog as _, Ids as _, NewEvent, Position, Repeatable, Sequence, StreamAppend, StreamId,
};
use domain::aggregate::AggregateType;
use domain::event::{Upcasters, upcasters};
use domain::ids::{CommandId, EventId};
use harness::{DatabaseKind, TestClock, TestDatabase};
use infrastructure::database::{Database, DatabaseOptions};
use infrastructure::event_log::{LogHint, LogPorts, SqlEventLog, verify_chain};
use infrastructure::sql_args;
use infrastructure::system::{RandomIds, SystemClock};
use infrastructure::wake_ups::NoWakeUps;
use tokio::time::timeout;
use uuid::Uuid;

/// Long enough for anything that is not broken.
pub const SOON: Duration = Duration::from_secs(10);

/// A connected program, as far as the log goes.
pub struct Node {
    pub database: Database,
    pub log: Arc<SqlEventLog>,
    pub clock: TestClock,
}

impl Node {
    pub async fn start(database: &TestDatabase) -> Self {
        Self::at(database.url()).await
    }

    pub async fn at(url: &str) -> Self {
        Self::upcasting(url, upcasters()).await
    }

    pub async fn upcasting(url: &str, upcasters: &'static Upcasters) -> Self {
        let database = Database::connect(url, DatabaseOptions::default()).await.unwrap();
        database.migrate().await.unwrap();
        Self::over(database, upcasters).await
    }

    async fn over(database: Database, upcasters: &'static Upcasters) -> Self {
        let clock = TestClock::new();
        let ports = LogPorts {
            clock: Arc::new(clock.clone()),
            ids: Arc::new(RandomIds),
            wake_ups: Arc::new(NoWakeUps),
            upcasters,
            hint: LogHint::default(),
            snapshot_key: InstallationKey::new("snapshots", b"a secret of tests"),
        };
        let log = Arc::new(SqlEventLog::start(database.clone(), ports).await.unwrap());
        Self { database, log, clock }
    }

    /// Another log over the same connections. It has seen nothing, and on SQLite it hears of nothing either: it reads
    /// everything from the database.
    pub async fn newcomer(&self) -> Self {
        Self::over(self.database.clone(), upcasters()).await
    }

    /// A command bus with an empty cache.
    pub fn bus(&self) -> CommandBus {
        CommandBus::new(self.log.clone(), Arc::new(self.clock.clone()), Arc::new(RandomIds))
    }

    /// Appends events that mean nothing to a stream.
    pub async fn append(&self, id: u128, version: Sequence, count: usize) -> Position {
        self.log.append(request(&[(stream(id), version, count)])).await.unwrap().last_position
    }

    pub async fn wait_until_known(&self, position: Position) {
        let mut known = self.log.known_position();
        timeout(SOON, known.wait_for(|known| *known >= position)).await.expect("position becomes known").unwrap();
    }

    /// Makes sure that the log is whole and that it ends here.
    #[track_caller]
    pub fn ends_at(&self, position: Position) -> impl Future<Output = ()> {
        let caller = std::panic::Location::caller();
        async move {
            match verify_chain(&self.database, |_| {}).await {
                Ok(log) => assert_eq!(log.position, position, "{caller}"),
                Err(error) => panic!("{error}, at {caller}"),
            }
        }
    }
}

/// The nodes that may write at once: two on a server, one on a file.
pub async fn all_nodes(database: &TestDatabase) -> Vec<Node> {
    let mut nodes = vec![Node::start(database).await];
    if database.kind() == DatabaseKind::MySql {
        nodes.push(Node::start(database).await);
    }
    nodes
}

pub async fn pause(millis: u64) {
    use application::ports::Clock as _;
    SystemClock.sleep(Duration::from_millis(millis)).await;
}

/// The stream of a tag.
pub fn stream(id: u128) -> StreamId {
    StreamId { kind: AggregateType::Tag, id: Uuid::from_u128(id) }
}

/// An event of a tag that means nothing.
pub fn event() -> NewEvent {
    with_payload(r#"{"type":"TagDeleted","at":"2024-01-02T03:04:05.000006Z"}"#)
}

pub fn with_payload(payload: &str) -> NewEvent {
    let event_id = EventId::new(RandomIds.new_uuid());
    NewEvent { event_id, event_type: "TagDeleted".into(), event_version: "1.0".into(), payload: payload.into() }
}

/// Events that mean nothing for streams, each with its expected version and number of events.
pub fn request(streams: &[(StreamId, Sequence, usize)]) -> AppendRequest {
    let append = |(stream, expected_version, count): &(StreamId, Sequence, usize)| StreamAppend {
        stream: *stream,
        expected_version: *expected_version,
        events: (0..*count).map(|_| event()).collect(),
    };
    of_streams(streams.iter().map(append).collect())
}

pub fn of_streams(streams: Vec<StreamAppend>) -> AppendRequest {
    AppendRequest {
        command_id: CommandId::new(RandomIds.new_uuid()),
        repeatable: None,
        actor: "system:test".into(),
        correlation_id: Uuid::from_u128(5),
        causation_id: None,
        streams,
        observed: vec![],
    }
}

/// The same request as one that may come again.
pub fn repeatable(request: AppendRequest, digest: u8) -> AppendRequest {
    AppendRequest { repeatable: Some(Repeatable { request_digest: [digest; 32] }), ..request }
}

pub fn event_ids(request: &AppendRequest) -> Vec<EventId> {
    request.streams.iter().flat_map(|stream| &stream.events).map(|event| event.event_id).collect()
}

/// The ids of all events, in the order of their positions.
pub async fn stored_ids(database: &Database) -> Vec<EventId> {
    let rows = database.fetch_all("SELECT event_id FROM events ORDER BY position", sql_args![]).await.unwrap();
    rows.iter().map(|row| EventId::new(row.uuid("event_id").unwrap())).collect()
}

/// Makes sure that each of these is stored, and nothing twice.
pub fn each_once(stored: &[EventId], acknowledged: &[EventId]) -> Result<(), String> {
    let distinct: HashSet<_> = stored.iter().collect();
    let lost = acknowledged.iter().filter(|id| !distinct.contains(id)).count();
    match stored.len() - distinct.len() {
        0 if lost == 0 => Ok(()),
        twice => Err(format!("{lost} acknowledged events are lost, {twice} are there twice")),
    }
}
