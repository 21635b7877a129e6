//! Holds an assignment's append fast in its middle, by means of the database alone.

use std::time::Duration;

use application::ports::Clock as _;
use harness::{DEADLINE, DatabaseKind, TestDatabase, eventually};
use infrastructure::database::Database;
use infrastructure::system::SystemClock;
use rusqlite::Connection as SqliteConnection;
use sqlx::{Connection as _, Executor as _, MySqlConnection, Row as _};

/// What is to become of an append whose program has died.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The database rolls it back.
    Lost,
    /// The database finishes it, though no client waits for the answer any more.
    Finished,
}

/// A trigger that does not come to an end.
pub struct Trap {
    connection: Connection,
    outcome: Outcome,
}

enum Connection {
    Sqlite(SqliteConnection),
    MySql(MySqlConnection),
}

/// Counts for minutes.
const SQLITE: &str = "
    CREATE VIEW ages AS WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 10000000000)
        SELECT COUNT(*) AS n FROM c;
    CREATE TRIGGER trap BEFORE INSERT ON events WHEN NEW.event_type = 'AgentAssigned'
        BEGIN SELECT n FROM ages; END";

const ASLEEP: &str = "SELECT CAST(id AS SIGNED) AS id FROM information_schema.processlist \
                      WHERE db = DATABASE() AND state = 'User sleep'";

impl Trap {
    /// Lays it. The next assignment gets caught.
    pub async fn set(database: &TestDatabase, outcome: Outcome) -> Self {
        let connection = match database.kind() {
            DatabaseKind::Sqlite => {
                let file = Database::file(database.url()).expect("a file");
                let connection = SqliteConnection::open(file).expect("the file opens");
                connection.busy_timeout(DEADLINE).expect("a setting");
                connection.execute_batch(SQLITE).expect("a trigger can be made");
                connection.busy_timeout(Duration::ZERO).expect("a setting");
                Connection::Sqlite(connection)
            }
            DatabaseKind::MySql => {
                let mut connection = MySqlConnection::connect(database.url()).await.expect("the server answers");
                let seconds = if outcome == Outcome::Lost { 60 } else { 2 };
                let trigger = format!(
                    "CREATE TRIGGER trap BEFORE INSERT ON events FOR EACH ROW \
                     IF NEW.event_type = 'AgentAssigned' THEN DO SLEEP({seconds}); END IF"
                );
                connection.execute(sqlx::raw_sql(&trigger)).await.expect("a trigger can be made");
                Connection::MySql(connection)
            }
        };
        Self { connection, outcome }
    }

    /// Waits until an append is caught.
    pub async fn wait_until_sprung(&mut self) {
        match &mut self.connection {
            Connection::Sqlite(connection) => {
                // Other writers keep the file for moments; what keeps it this long is caught.
                let mut refusals = 0;
                while refusals < 30 {
                    refusals = if is_free(connection) { 0 } else { refusals + 1 };
                    SystemClock.sleep(Duration::from_millis(10)).await;
                }
            }
            Connection::MySql(connection) => {
                eventually(DEADLINE, "an append sleeps", async || {
                    asleep(connection).await.first().map(drop).ok_or("none does")
                })
                .await;
            }
        }
    }

    /// Takes it away after the program has died, and brings the outcome about.
    pub async fn remove(self) {
        match self.connection {
            Connection::Sqlite(connection) => {
                connection.busy_timeout(Duration::from_secs(20)).expect("a setting");
                connection.execute_batch("DROP TRIGGER trap; DROP VIEW ages").expect("the trigger can be dropped");
            }
            Connection::MySql(mut connection) => {
                if self.outcome == Outcome::Lost {
                    for id in asleep(&mut connection).await {
                        let kill = format!("KILL {id}");
                        connection.execute(sqlx::raw_sql(&kill)).await.expect("a session can be killed");
                    }
                }
                // Waits for the end of the append.
                let script = "BEGIN; SELECT position FROM log_head WHERE id = 1 FOR UPDATE; COMMIT; DROP TRIGGER trap";
                connection.execute(sqlx::raw_sql(script)).await.expect("the trigger can be dropped");
            }
        }
    }
}

fn is_free(connection: &SqliteConnection) -> bool {
    connection.execute_batch("BEGIN IMMEDIATE; ROLLBACK").is_ok()
}

/// The sessions of this database in which an append sleeps.
async fn asleep(connection: &mut MySqlConnection) -> Vec<i64> {
    let rows = sqlx::query(ASLEEP).fetch_all(connection).await.expect("the server lists its sessions");
    rows.iter().map(|row| row.try_get(0).expect("a number")).collect()
}
