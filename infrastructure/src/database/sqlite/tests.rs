use std::os::unix::fs::PermissionsExt as _;
use std::pin::pin;
use std::task::Poll;

use futures::future::join_all;
use futures::poll;

use super::*;
use crate::database::ErrorClass;

fn url(folder: &tempfile::TempDir) -> String {
    format!("sqlite:{}", folder.path().join("log.db").display())
}

async fn open(folder: &tempfile::TempDir) -> Sqlite {
    Sqlite::open(&url(folder), DatabaseOptions::default()).await.unwrap()
}

async fn with_table(folder: &tempfile::TempDir) -> Sqlite {
    let sqlite = open(folder).await;
    sqlite.execute("CREATE TABLE t (x INTEGER PRIMARY KEY CHECK (x > 0))", vec![]).await.unwrap();
    sqlite
}

/// One in which another caller has the right to write.
async fn in_use(folder: &tempfile::TempDir) -> (Sqlite, SqliteSession) {
    let sqlite = with_table(folder).await;
    let mut writing = sqlite.session();
    writing.lock().await.unwrap();
    (sqlite, writing)
}

fn insert(x: i64) -> Statement {
    Statement::constant("INSERT INTO t VALUES (?)", vec![x.into()])
}

async fn transact(sqlite: &Sqlite, statements: Vec<Statement>, profile: Profile) -> Result<(), DatabaseError> {
    sqlite.writer.transact(statements.into(), profile).await.map(drop)
}

async fn rows(sqlite: &Sqlite) -> Vec<i64> {
    let rows = sqlite.fetch_all("SELECT x FROM t ORDER BY x", vec![]).await.unwrap();
    rows.iter().map(|row| row.int("x").unwrap()).collect()
}

#[tokio::test]
async fn mode_of_the_address_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let open = async |mode| Sqlite::open(&format!("{}?mode={mode}", url(&folder)), DatabaseOptions::default()).await;
    assert!(open("rw").await.is_err() && open("ro").await.is_err(), "there is no file");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    open("rwc").await.unwrap().execute("CREATE TABLE t (x INTEGER)", vec![]).await.unwrap();
    open("rw").await.unwrap().execute("INSERT INTO t VALUES (1)", vec![]).await.unwrap();
    let read_only = open("ro").await.unwrap();
    assert_eq!(read_only.fetch_all("SELECT x FROM t", vec![]).await.unwrap().len(), 1);
    assert!(read_only.execute("INSERT INTO t VALUES (2)", vec![]).await.is_err());
    assert!(transact(&read_only, vec![insert(2)], Profile::View).await.is_err());
    transact(&open("rw").await.unwrap(), vec![insert(2)], Profile::View).await.unwrap();
}

#[tokio::test]
async fn new_file_is_for_its_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let _database = with_table(&folder).await;
    for name in ["log.db", "log.db-wal", "log.db-shm"] {
        let mode = std::fs::metadata(folder.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[test]
fn linked_sqlite_loses_no_commits() {
    let linked = SqliteVersion::linked();
    assert!(!linked.is_unsafe(), "SQLite {linked} has the WAL-reset bug");
    assert_eq!(linked.to_string(), rusqlite::version());
    assert!(SqliteVersion { number: 3_051_002 }.is_unsafe() && !SqliteVersion::FIRST_SAFE.is_unsafe());
}

#[tokio::test]
async fn transaction_that_fails_changes_nothing_and_blocks_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let sqlite = with_table(&folder).await;
    transact(&sqlite, vec![insert(1)], Profile::Log).await.unwrap();
    let fails = [
        (vec![insert(2), insert(1)], ErrorClass::DuplicateKey),
        (vec![insert(2), insert(-1)], ErrorClass::Other),
        (vec![insert(2), Statement::plain("DELETE FROM t WHERE x = 7").expecting(1)], ErrorClass::Other),
        (vec![insert(2), Statement::plain("SELECT x FROM t").expecting(1)], ErrorClass::Other),
        (vec![insert(2), Statement::plain("INSERT INTO nowhere VALUES (1)")], ErrorClass::Other),
        (vec![insert(2), Statement::plain("INSERT INTO t VALUES (?)")], ErrorClass::Other),
        (vec![insert(2), Statement::plain("BEGIN")], ErrorClass::Other),
    ];
    for (statements, class) in fails {
        let error = transact(&sqlite, statements, Profile::View).await.unwrap_err();
        assert_eq!(error.class(), class, "{error:?}");
        assert_eq!(sqlite.execute("INSERT INTO t VALUES (9)", vec![]).await.unwrap(), 1);
        transact(&sqlite, vec![Statement::plain("DELETE FROM t WHERE x = 9").expecting(1)], Profile::Log)
            .await
            .unwrap();
        assert_eq!(rows(&sqlite).await, [1]);
    }
    let check = transact(&sqlite, vec![insert(-1)], Profile::Log).await.unwrap_err();
    assert!(matches!(check, DatabaseError::Check(_)), "{check:?}");
}

#[tokio::test]
async fn transaction_waits_for_its_turn_and_does_not_run_when_it_was_given_up_before() {
    let folder = tempfile::tempdir().unwrap();
    let (sqlite, mut writing) = in_use(&folder).await;
    let waiting = |x| Box::pin(transact(&sqlite, vec![insert(x)], Profile::Log));
    let mut second = {
        let mut given_up = waiting(1);
        assert_eq!(poll!(&mut given_up).map(drop), Poll::Pending);
        let mut second = waiting(2);
        assert_eq!(poll!(&mut second).map(drop), Poll::Pending);
        second
    };
    let mut last = waiting(5);
    assert_eq!(poll!(&mut last).map(drop), Poll::Pending);
    writing.run("BEGIN IMMEDIATE; INSERT INTO t VALUES (4); COMMIT").await.unwrap();
    assert_eq!(rows(&sqlite).await, [4]);
    drop(writing);
    (&mut second).await.unwrap();
    last.await.unwrap();
    assert_eq!(rows(&sqlite).await, [2, 4, 5]);
}

#[tokio::test]
async fn dropped_transaction_is_rolled_back_before_the_next_one() {
    let folder = tempfile::tempdir().unwrap();
    let sqlite = with_table(&folder).await;
    let mut dropped = sqlite.transaction();
    assert_eq!(dropped.execute("INSERT INTO t VALUES (1)", vec![]).await.unwrap(), 1);
    drop(dropped);
    transact(&sqlite, vec![insert(2)], Profile::View).await.unwrap();
    assert_eq!(rows(&sqlite).await, [2]);
}

#[tokio::test]
async fn dropped_session_is_rolled_back_before_the_next_transaction() {
    let folder = tempfile::tempdir().unwrap();
    let sqlite = with_table(&folder).await;
    let mut session = sqlite.session();
    session.run("BEGIN IMMEDIATE; INSERT INTO t VALUES (1)").await.unwrap();
    drop(session);
    transact(&sqlite, vec![insert(2)], Profile::View).await.unwrap();
    assert_eq!(rows(&sqlite).await, [2]);
}

#[tokio::test]
async fn callers_give_up_when_another_one_writes_for_too_long() {
    let folder = tempfile::tempdir().unwrap();
    drop(with_table(&folder).await);
    let options = DatabaseOptions { acquire_timeout: Duration::from_millis(20), ..DatabaseOptions::default() };
    let sqlite = Sqlite::open(&url(&folder), options).await.unwrap();
    let mut writing = sqlite.session();
    writing.lock().await.unwrap();
    let refused = transact(&sqlite, vec![insert(1)], Profile::Log).await.unwrap_err();
    assert!(matches!(refused, DatabaseError::Exhausted), "{refused:?}");
    let refused = sqlite.session().lock().await.unwrap_err();
    assert!(matches!(refused, DatabaseError::Exhausted), "{refused:?}");
    drop(writing);
    transact(&sqlite, vec![insert(2)], Profile::Log).await.unwrap();
    assert_eq!(rows(&sqlite).await, [2]);
}

#[tokio::test]
async fn transactions_run_in_the_order_of_their_callers() {
    let folder = tempfile::tempdir().unwrap();
    let (sqlite, writing) = in_use(&folder).await;
    let order = Statement::plain("INSERT INTO t SELECT 10 * MAX(x) + 1 FROM t");
    let mut all = vec![insert(1)];
    all.extend((0..5).map(|_| order.clone()));
    let mut waiting = join_all(all.into_iter().map(|statement| transact(&sqlite, vec![statement], Profile::View)));
    assert!(poll!(&mut waiting).is_pending());
    drop(writing);
    assert!(waiting.await.iter().all(Result::is_ok));
    assert_eq!(rows(&sqlite).await, [1, 11, 111, 1_111, 11_111, 111_111]);
}

#[tokio::test]
async fn log_is_flushed_with_each_commit_and_views_are_not() {
    const SEEN: &str = "INSERT INTO t SELECT synchronous FROM pragma_synchronous";
    let folder = tempfile::tempdir().unwrap();
    let sqlite = with_table(&folder).await;
    // FULL is 2, NORMAL 1.
    for _ in 0..2 {
        sqlite.session().commit(&vec![Statement::plain(SEEN)].into()).await.unwrap();
        assert_eq!(rows(&sqlite).await, [2]);
        let mut view = sqlite.transaction();
        view.enqueue(Statement::plain(SEEN)).await.unwrap();
        view.commit().await.unwrap();
        assert_eq!(rows(&sqlite).await, [1, 2]);
        sqlite.execute("DELETE FROM t", vec![]).await.unwrap();
        let mut session = sqlite.session();
        session.run(&format!("BEGIN IMMEDIATE; {SEEN}; COMMIT")).await.unwrap();
        drop(session);
        assert_eq!(rows(&sqlite).await, [2]);
        sqlite.execute("DELETE FROM t", vec![]).await.unwrap();
    }
}

#[tokio::test]
async fn deleted_data_is_gone_from_the_file() {
    const SEEN: &str = "INSERT INTO t SELECT secure_delete FROM pragma_secure_delete";
    let folder = tempfile::tempdir().unwrap();
    let sqlite = with_table(&folder).await;
    transact(&sqlite, vec![Statement::plain(SEEN)], Profile::View).await.unwrap();
    assert_eq!(rows(&sqlite).await, [1]);
}

#[tokio::test]
async fn snapshot_stays_the_same_and_leaves_no_transaction_behind() {
    let folder = tempfile::tempdir().unwrap();
    let sqlite = with_table(&folder).await;
    sqlite.execute("CREATE TABLE log_head (position INTEGER)", vec![]).await.unwrap();
    let mut snapshot = sqlite.snapshot().await.unwrap();
    transact(&sqlite, vec![insert(1)], Profile::Log).await.unwrap();
    assert!(snapshot.fetch_all("SELECT x FROM t", vec![]).await.unwrap().is_empty());
    assert!(!sqlite.empty_wal().await.unwrap(), "the snapshot reads what was before");
    drop(snapshot);
    assert!(sqlite.empty_wal().await.unwrap());
    assert_eq!(rows(&sqlite).await, [1]);
}

#[tokio::test]
async fn query_that_nobody_waits_for_is_interrupted() {
    const ENDLESS: &str = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT COUNT(*) FROM c";
    let folder = tempfile::tempdir().unwrap();
    let sqlite = with_table(&folder).await;
    for _ in 0..8 {
        let given_up = tokio::time::timeout(Duration::from_millis(20), sqlite.fetch_all(ENDLESS, vec![])).await;
        assert!(given_up.is_err());
    }
    let mut answer = pin!(sqlite.fetch_all("SELECT 1 AS one", vec![]));
    assert_eq!((&mut answer).await.unwrap().len(), 1);
}

#[tokio::test]
async fn exchanged_file_takes_and_gives_nothing() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let moved = with_table(&other).await;
    assert!(moved.empty_wal().await.unwrap());
    moved.close().await;
    let sqlite = with_table(&folder).await;
    transact(&sqlite, vec![insert(1)], Profile::Log).await.unwrap();
    assert_eq!(rows(&sqlite).await, [1]);
    let at = |folder: &tempfile::TempDir| folder.path().join("log.db");
    let begun = sqlite.writer.turn(Profile::Log).await.unwrap();
    begun.script("BEGIN IMMEDIATE; INSERT INTO t VALUES (2)".to_owned()).await.unwrap();
    std::fs::rename(at(&folder), folder.path().join("moved")).unwrap();
    std::fs::rename(at(&other), at(&folder)).unwrap();
    for name in ["log.db-wal", "log.db-shm"] {
        std::fs::remove_file(folder.path().join(name)).unwrap();
    }
    let late = begun.script("COMMIT".to_owned()).await;
    assert!(matches!(late, Err(DatabaseError::Exchanged)), "{:?}", late.err());
    drop(begun);
    let reads = sqlite.fetch_all("SELECT x FROM t", vec![]).await;
    let writes = [
        transact(&sqlite, vec![insert(3)], Profile::Log).await,
        sqlite.execute("INSERT INTO t VALUES (4)", vec![]).await.map(drop),
        sqlite.session().run("INSERT INTO t VALUES (5)").await.map(drop),
        sqlite.snapshot().await.map(drop),
        sqlite.empty_wal().await.map(drop),
        reads.map(drop),
    ];
    for outcome in writes {
        assert_eq!(outcome.as_ref().map_err(DatabaseError::class), Err(ErrorClass::Unavailable), "{outcome:?}");
    }
    assert!(sqlite.was_exchanged());
    sqlite.close().await;
    drop(sqlite);
    assert!(rows(&open(&folder).await).await.is_empty(), "the other file is as it was");
}

#[tokio::test]
async fn closed_database_answers_with_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let sqlite = with_table(&folder).await;
    sqlite.close().await;
    assert!(matches!(sqlite.fetch_all("SELECT 1", vec![]).await, Err(DatabaseError::Closed)));
}
