//! The contenders. All write the same events: a message of a chat, about 300 bytes of JSON.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use application::ports::{AppendRequest, EventLog as _, Ids as _, NewEvent, StreamAppend, StreamId};
use async_trait::async_trait;
use cqrs_es::persist::{PersistedEventRepository as _, SerializedEvent};
use domain::aggregate::AggregateType;
use domain::ids::{CommandId, EventId};
use domain::thread::Thread;
use harness::TestDatabase;
use infrastructure::database::{Database, DatabaseOptions};
use infrastructure::event_log::{LogPorts, SqlEventLog};
use infrastructure::system::{RandomIds, SystemClock};
use mysql_es::MysqlEventRepository;
use serde_json::{Value, json};
use sqlx::mysql::{MySqlPool, MySqlPoolOptions};
use sqlx::{Connection as _, MySql, MySqlConnection, QueryBuilder};
use uuid::Uuid;

use super::round::{Contender, Writer};

/// The connections of the pool that mysql-es makes itself.
pub const PUBLISHED_POOL: usize = 10;

/// The rows of one plain insert.
const ROWS: usize = 1_000;

/// Connections of the server that are for all others.
const SPARE: usize = 50;

/// More plain inserts at once only wait for each other.
const RAW_CONNECTIONS: usize = 16;

const EVENT: &str = "MessageSent";
const VERSION: &str = "1.0";

fn payload() -> Value {
    json!({
        "type": EVENT,
        "messageId": RandomIds.new_uuid(),
        "sender": { "type": "visitor", "id": RandomIds.new_uuid() },
        "text": "Where is my parcel? I have been waiting for it since Monday, and nobody could tell me when it comes.",
        "at": "2026-01-02T03:04:05.000006Z",
    })
}

/// The log of the program.
pub struct OurLog {
    database: Database,
    log: Arc<SqlEventLog>,
}

impl OurLog {
    pub async fn open(database: &TestDatabase) -> Self {
        let database = Database::connect(database.url(), DatabaseOptions::default()).await.expect("a database");
        database.migrate().await.expect("a schema");
        let ports = LogPorts::alone(Arc::new(SystemClock), Arc::new(RandomIds));
        let log = SqlEventLog::start(database.clone(), ports).await.expect("the log opens");
        Self { database, log: Arc::new(log) }
    }

    pub async fn close(self) {
        drop(self.log);
        self.database.close().await;
    }
}

impl Contender for OurLog {
    type Writer = OurWriter;

    fn writer(&self) -> OurWriter {
        let stream = StreamId { kind: AggregateType::Thread, id: RandomIds.new_uuid() };
        OurWriter { log: Arc::clone(&self.log), stream, version: 0 }
    }
}

pub struct OurWriter {
    log: Arc<SqlEventLog>,
    stream: StreamId,
    version: i64,
}

#[async_trait]
impl Writer for OurWriter {
    async fn write(&mut self) -> u64 {
        let event = NewEvent {
            event_id: EventId::new(RandomIds.new_uuid()),
            event_type: EVENT.into(),
            event_version: VERSION.into(),
            payload: payload().to_string(),
        };
        let append = StreamAppend { stream: self.stream, expected_version: self.version, events: vec![event] };
        let request = AppendRequest {
            command_id: CommandId::new(RandomIds.new_uuid()),
            repeatable: None,
            actor: "system:bench".into(),
            correlation_id: Uuid::nil(),
            causation_id: None,
            streams: vec![append],
            observed: vec![],
        };
        self.log.append(request).await.expect("the log takes it");
        self.version += 1;
        1
    }
}

/// mysql-es as published, on the table that it comes with: nothing but what it does to persist an event.
pub struct MysqlEs {
    pool: MySqlPool,
    repository: Arc<MysqlEventRepository>,
}

impl MysqlEs {
    /// From mysql-es 0.5, `db/init.sql`; only the place of the CHECK is one that MariaDB takes too.
    const TABLE: &str = "CREATE TABLE IF NOT EXISTS events (
        aggregate_type varchar(255) NOT NULL,
        aggregate_id varchar(255) NOT NULL,
        sequence bigint NOT NULL CHECK (sequence >= 0),
        event_type text NOT NULL,
        event_version text NOT NULL,
        payload json NOT NULL,
        metadata json NOT NULL,
        CONSTRAINT events_pk PRIMARY KEY (aggregate_type, aggregate_id, sequence))";

    /// With this number of connections, all of which are made now.
    pub async fn at(url: &str, connections: usize) -> Self {
        let pool = open_pool(url, connections).await;
        sqlx::query(Self::TABLE).execute(&pool).await.expect("a table");
        Self { repository: Arc::new(MysqlEventRepository::new(pool.clone())), pool }
    }

    pub async fn close(self) {
        self.pool.close().await;
    }
}

async fn open_pool(url: &str, wanted: usize) -> MySqlPool {
    let most: i64 = {
        let mut connection = MySqlConnection::connect(url).await.expect("the server answers");
        let most = sqlx::query_scalar("SELECT CAST(@@max_connections AS SIGNED)").fetch_one(&mut connection).await;
        most.expect("the server reports its settings")
    };
    let connections = wanted.min(usize::try_from(most).unwrap_or(0).saturating_sub(SPARE));
    if connections < wanted {
        eprintln!("  {connections} connections instead of {wanted}: the server's max_connections is {most}");
    }
    let options = MySqlPoolOptions::new().max_connections(u32::try_from(connections).unwrap_or(u32::MAX));
    let pool = options.connect(url).await.expect("the server answers");
    let opened = futures::future::join_all((0..connections).map(|_| pool.acquire())).await;
    assert!(opened.iter().all(Result::is_ok), "the server does not take {connections} connections");
    pool
}

impl Contender for MysqlEs {
    type Writer = MysqlEsWriter;

    fn writer(&self) -> MysqlEsWriter {
        let repository = Arc::clone(&self.repository);
        MysqlEsWriter { repository, aggregate_id: RandomIds.new_uuid().to_string(), sequence: 0 }
    }
}

pub struct MysqlEsWriter {
    repository: Arc<MysqlEventRepository>,
    aggregate_id: String,
    sequence: usize,
}

#[async_trait]
impl Writer for MysqlEsWriter {
    async fn write(&mut self) -> u64 {
        self.sequence += 1;
        let event = SerializedEvent {
            aggregate_id: self.aggregate_id.clone(),
            sequence: self.sequence,
            aggregate_type: "thread".to_owned(),
            event_type: EVENT.to_owned(),
            event_version: VERSION.to_owned(),
            payload: payload(),
            metadata: json!({}),
        };
        self.repository.persist::<Thread>(&[event], None).await.expect("mysql-es takes it");
        1
    }
}

/// What the server can take at most: rows of our table, a thousand in a statement, each statement a commit.
pub struct RawInserts {
    pool: MySqlPool,
    connections: usize,
    streams: usize,
    position: Arc<AtomicI64>,
}

impl RawInserts {
    const INSERT: &str = "INSERT INTO events (position, aggregate_type, aggregate_id, sequence, event_type, event_version, \
                          payload, metadata, event_id, command_id, causation_id, correlation_id, actor, recorded_us, \
                          salt, payload_digest, chain_hash) ";

    /// Into as many streams as there would be writers.
    pub async fn open(database: &TestDatabase, writers: usize) -> Self {
        let fresh = Database::connect(database.url(), DatabaseOptions::default()).await.expect("a database");
        fresh.migrate().await.expect("a schema");
        fresh.close().await;
        let connections = writers.min(RAW_CONNECTIONS);
        let pool = open_pool(database.url(), connections).await;
        Self { pool, connections, streams: writers.div_ceil(connections), position: Arc::default() }
    }

    pub const fn connections(&self) -> usize {
        self.connections
    }

    pub async fn close(self) {
        self.pool.close().await;
    }
}

impl Contender for RawInserts {
    type Writer = RawWriter;

    fn writer(&self) -> RawWriter {
        let streams = (0..self.streams).map(|_| (RandomIds.new_uuid().to_string(), 0)).collect();
        RawWriter { pool: self.pool.clone(), streams, position: Arc::clone(&self.position) }
    }
}

pub struct RawWriter {
    pool: MySqlPool,
    /// Each with its last sequence.
    streams: Vec<(String, i64)>,
    position: Arc<AtomicI64>,
}

#[async_trait]
impl Writer for RawWriter {
    async fn write(&mut self) -> u64 {
        let after = self.position.fetch_add(ROWS as i64, Ordering::Relaxed);
        let mut insert = QueryBuilder::<MySql>::new(RawInserts::INSERT);
        insert.push_values(0..ROWS, |mut row, n| {
            let count = self.streams.len();
            let (stream, sequence) = &mut self.streams[n % count];
            *sequence += 1;
            row.push_bind(after + 1 + n as i64).push_bind("thread").push_bind(stream.clone()).push_bind(*sequence);
            row.push_bind(EVENT).push_bind(VERSION).push_bind(payload().to_string()).push_bind("{}");
            row.push_bind(RandomIds.new_uuid().to_string()).push_bind(RandomIds.new_uuid().to_string());
            row.push_bind(None::<String>).push_bind(Uuid::nil().to_string()).push_bind("system:bench");
            row.push_bind(1_767_323_045_000_006_i64).push_bind(vec![7_u8; 16]);
            row.push_bind(vec![1_u8; 32]).push_bind(vec![2_u8; 32]);
        });
        insert.build().execute(&self.pool).await.expect("the server takes it");
        ROWS as u64
    }
}
