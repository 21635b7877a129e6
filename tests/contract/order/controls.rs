//! Logs that do not keep the promise, and how the checker finds them.

use application::ports::{Ids as _, Position};
use async_trait::async_trait;
use harness::{DatabaseKind, TestDatabase, each_database};
use infrastructure::database::{Database, Dialect, Session};
use infrastructure::sql_args;
use infrastructure::system::RandomIds;
use uuid::Uuid;

use super::checker::{LogUnderTest, Seen, Violation};
use super::interleaving::{HalfAppend, Interleaved, own_connection, second_overtakes_first};

/// How a log comes by its positions.
#[derive(Clone, Copy, Debug)]
enum Positions {
    /// From the locked head, which is kept locked until the events are committed: as it should be.
    LockedUntilCommit,
    /// From the counter of the database.
    AutoIncrement,
    /// From the head, read without locking it.
    PlainSelect,
    /// From the locked head, which is committed before the events.
    EarlyUnlock,
}

/// A log of one event an append, each in a stream of its own.
struct ControlLog {
    url: String,
    database: Database,
    positions: Positions,
}

impl ControlLog {
    async fn create(database: &TestDatabase, positions: Positions) -> Self {
        let url = database.url().to_owned();
        let database = own_connection(&url).await;
        let counter = match database.dialect() {
            Dialect::Mysql => "BIGINT NOT NULL PRIMARY KEY AUTO_INCREMENT",
            Dialect::Sqlite => "INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT",
        };
        // The real table's primary key would refuse a position that is taken: that is a second line of defence.
        let position = if matches!(positions, Positions::AutoIncrement) { counter } else { "BIGINT NOT NULL" };
        for sql in [
            &format!("CREATE TABLE control_events (position {position}, id CHAR(36) NOT NULL)"),
            "CREATE TABLE control_head (position BIGINT NOT NULL)",
            "INSERT INTO control_head (position) VALUES (0)",
        ] {
            database.execute(sql, sql_args![]).await.unwrap();
        }
        Self { url, database, positions }
    }
}

#[async_trait]
impl LogUnderTest for ControlLog {
    async fn visible_after(&self, position: Position) -> Vec<Seen> {
        let sql = "SELECT position, id FROM control_events WHERE position > ? ORDER BY position";
        let rows = self.database.fetch_all(sql, sql_args![position]).await.unwrap();
        let ids = rows.iter().map(|row| (row.int("position").unwrap(), row.uuid("id").unwrap()));
        ids.map(|(position, id)| Seen { position, stream: id, sequence: 1, recorded_us: 0, event_id: id }).collect()
    }
}

#[async_trait]
impl Interleaved for ControlLog {
    async fn begin(&self) -> HalfAppend {
        let (url, positions) = (self.url.clone(), self.positions);
        let first = async move {
            // SQLite lets a process wait for another one's transaction, as MySQL does.
            let mut session = own_connection(&url).await.log_session().await.unwrap();
            let insert = take_position(&mut session, positions).await;
            (session, insert)
        };
        HalfAppend::of(first, async |(mut session, rest): (Session, String)| {
            session.run(&rest).await.unwrap();
            session.close().await;
        })
        .await
    }
}

/// Takes the next position, and returns what remains to be done.
async fn take_position(session: &mut Session, positions: Positions) -> String {
    let begin = session.dialect().begin();
    let id = RandomIds.new_uuid();
    let count = "UPDATE control_head SET position = position + 1";
    match positions {
        Positions::LockedUntilCommit => {
            session.run(&format!("{begin}; {count}")).await.unwrap();
            let position = head(session).await;
            session.run(&insert(position, id)).await.unwrap();
            "COMMIT".to_owned()
        }
        Positions::AutoIncrement => {
            session.run(&format!("{begin}; INSERT INTO control_events (id) VALUES ('{id}')")).await.unwrap();
            "COMMIT".to_owned()
        }
        Positions::PlainSelect => {
            let position = head(session).await + 1;
            let insert = insert(position, id);
            format!("{begin}; UPDATE control_head SET position = {position}; {insert}; COMMIT")
        }
        Positions::EarlyUnlock => {
            session.run(&format!("{begin}; {count}")).await.unwrap();
            let position = head(session).await;
            session.run("COMMIT").await.unwrap();
            insert(position, id)
        }
    }
}

async fn head(session: &mut Session) -> Position {
    session.query("SELECT position FROM control_head").await.unwrap()[0].int("position").unwrap()
}

fn insert(position: Position, id: Uuid) -> String {
    format!("INSERT INTO control_events (position, id) VALUES ({position}, '{id}')")
}

async fn verdict(database: &TestDatabase, positions: Positions) -> Result<Position, Violation> {
    let log = ControlLog::create(database, positions).await;
    Ok(second_overtakes_first(&log).await?.position())
}

each_database!(lock_that_is_held_until_commit_keeps_the_promise);
async fn lock_that_is_held_until_commit_keeps_the_promise(database: TestDatabase) {
    assert_eq!(verdict(&database, Positions::LockedUntilCommit).await, Ok(2));
}

each_database!(auto_increment_breaks_the_promise_where_there_are_several_writers);
async fn auto_increment_breaks_the_promise_where_there_are_several_writers(database: TestDatabase) {
    let verdict = verdict(&database, Positions::AutoIncrement).await;
    match database.kind() {
        DatabaseKind::MySql => assert_eq!(verdict, Err(Violation::Hole { missing: 1, visible: 2 })),
        // It has one writer at a time: the next gets a number only after the last has committed.
        DatabaseKind::Sqlite => assert_eq!(verdict, Ok(2)),
    }
}

each_database!(head_that_is_read_without_a_lock_breaks_the_promise);
async fn head_that_is_read_without_a_lock_breaks_the_promise(database: TestDatabase) {
    // On SQLite it takes a read outside of the writing transaction: inside, see below.
    // Both take the same position. A reader that has seen one of them there does not look for the other.
    assert_eq!(verdict(&database, Positions::PlainSelect).await, Err(Violation::Duplicate { position: 1 }));
}

each_database!(lock_that_is_released_before_the_commit_breaks_the_promise);
async fn lock_that_is_released_before_the_commit_breaks_the_promise(database: TestDatabase) {
    let hole = Violation::Hole { missing: 1, visible: 2 };
    assert_eq!(verdict(&database, Positions::EarlyUnlock).await, Err(hole));
}

#[tokio::test]
async fn sqlite_refuses_to_write_after_a_read_that_is_outdated() {
    let database = TestDatabase::sqlite();
    let log = ControlLog::create(&database, Positions::PlainSelect).await;
    let mut first = own_connection(&log.url).await.log_session().await.unwrap();
    first.run("BEGIN").await.unwrap();
    assert_eq!(head(&mut first).await, 0);
    log.database.execute("UPDATE control_head SET position = 1", sql_args![]).await.unwrap();
    let refused = first.run("UPDATE control_head SET position = 1").await.unwrap_err();
    assert_eq!(refused.class(), infrastructure::database::ErrorClass::Retryable);
}
