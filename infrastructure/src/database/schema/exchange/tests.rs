use std::sync::atomic::{AtomicUsize, Ordering};

use super::sqlite::{CHUNK, copy_of_index, copy_of_table, empty};
use super::*;
use crate::sql_args;
use crate::testing::fresh_databases;

async fn names_of_indexes(database: &Database) -> Vec<String> {
    let sql = "SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = 'conversations' AND sql IS NOT NULL \
               ORDER BY name";
    let rows = database.fetch_all(sql, vec![]).await.unwrap();
    rows.iter().map(|row| row.text("name").unwrap()).collect()
}

async fn tags(database: &Database) -> Vec<String> {
    let rows = database.fetch_all("SELECT name FROM tags ORDER BY id", vec![]).await.unwrap();
    rows.iter().map(|row| row.text("name").unwrap()).collect()
}

async fn insert_tag(database: &Database, name: &str, position: i64) {
    let sql = "INSERT INTO tags (id, name, color, deleted, version, created_position) VALUES (?, ?, NULL, 0, 1, ?)";
    database.execute(sql, sql_args![format!("{position:036}"), name, position]).await.unwrap();
}

async fn replace(copies: &TableCopies) {
    let mut tx = copies.database.begin_view().await.unwrap();
    copies.replace(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
    assert!(copies.remove(&copies.database).await.unwrap());
}

#[tokio::test]
async fn copies_take_the_place_of_the_tables_again_and_again() {
    for fresh in &fresh_databases().await {
        let database = &fresh.database;
        insert_tag(database, "live", 1).await;
        for round in 0..3 {
            let copies = TableCopies::of(database, ["tags", "conversations"]);
            assert!(copies.create(database).await.unwrap());
            let aside = database.with_tables(copies.names());
            let before = tags(database).await;
            let name = format!("rebuilt {round}");
            insert_tag(&aside, &name, 1).await;
            assert_eq!(tags(database).await, before, "the live table is left alone");
            assert_eq!(tags(&aside).await, std::slice::from_ref(&name));
            replace(&copies).await;
            assert_eq!(tags(database).await, [name]);
        }
        let twice = database.execute("INSERT INTO tags SELECT * FROM tags", vec![]).await.unwrap_err();
        assert_eq!(twice.class(), crate::database::ErrorClass::DuplicateKey, "keys are copied");
        let copies = TableCopies::of(database, ["tags", "conversations"]);
        assert_eq!(copies.left_over().await.unwrap(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn what_an_interrupted_run_has_left_is_removed() {
    for fresh in &fresh_databases().await {
        let database = &fresh.database;
        let copies = TableCopies::of(database, ["tags", "agents"]);
        assert!(copies.create(database).await.unwrap());
        insert_tag(&database.with_tables(copies.names()), "half", 1).await;
        database.execute("CREATE TABLE customers__old (id INTEGER)", vec![]).await.unwrap();
        assert!(copies.create(database).await.unwrap());
        assert!(tags(&database.with_tables(copies.names())).await.is_empty());
        assert_eq!(copies.left_over().await.unwrap().len(), 2);
        assert!(copies.remove(database).await.unwrap());
        assert_eq!(copies.left_over().await.unwrap(), Vec::<String>::new());
        database.execute("INSERT INTO customers__old VALUES (1)", vec![]).await.expect("it is another program's");
    }
}

/// Loses its right after some transactions.
struct Losing {
    database: Database,
    left: AtomicUsize,
}

#[async_trait]
impl Holder for Losing {
    async fn begin(&self) -> Result<Option<Transaction>, DatabaseError> {
        let took = |left: usize| left.checked_sub(1);
        if self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, took).is_err() {
            return Ok(None);
        }
        self.database.begin().await
    }
}

#[tokio::test]
async fn tables_of_another_holder_are_left_alone_from_the_moment_that_the_right_is_lost() {
    for fresh in &fresh_databases().await {
        let database = &fresh.database;
        let copies = TableCopies::of(database, ["tags", "conversations"]);
        assert!(copies.create(database).await.unwrap());
        insert_tag(&database.with_tables(copies.names()), "another's", 1).await;
        let losing = |left| Losing { database: database.clone(), left: AtomicUsize::new(left) };
        assert!(!copies.create(&losing(0)).await.unwrap() && !copies.remove(&losing(0)).await.unwrap());
        assert_eq!(tags(&database.with_tables(copies.names())).await, ["another's"]);
        if database.dialect() == Dialect::Sqlite {
            // One table goes before the right is lost, in its own transaction.
            assert!(!copies.remove(&losing(1)).await.unwrap());
            assert!(!copies.left_over().await.unwrap().is_empty());
        }
    }
}

#[tokio::test]
async fn table_is_emptied_but_for_the_last_few_rows_whatever_its_key_is() {
    let fresh = crate::testing::fresh_sqlite().await;
    let database = &fresh.database;
    let rows = CHUNK * 2 + 7;
    let mut tx = database.begin_view().await.unwrap();
    // Three words, so that the first column of the key says little.
    let words = (0..rows).map(|at| sql_args![format!("word {}", at % 3), at]).collect();
    tx.insert_many("search_words", &["word", "created_position"], words).await.unwrap();
    let chats = (0..rows).map(|at| sql_args![format!("{at:036}"), at]).collect();
    tx.insert_many("search_chats", &["id", "created_position"], chats).await.unwrap();
    tx.commit().await.unwrap();
    let last = format!("created_position >= {}", CHUNK * 2);
    for (table, last) in [("search_words", "word = 'word 2'"), ("search_chats", last.as_str())] {
        assert!(empty(database, table, database).await.unwrap());
        let sql = format!("SELECT COUNT(*) AS n, SUM(CASE WHEN {last} THEN 1 ELSE 0 END) AS last FROM {table}");
        let row = database.fetch_optional(&sql, vec![]).await.unwrap().unwrap();
        assert_eq!((row.int("n").unwrap(), row.int("last").unwrap()), (7, 7), "{table}");
    }
}

#[tokio::test]
async fn indexes_get_the_names_of_the_schema_back_before_its_next_step() {
    let fresh = crate::testing::fresh_sqlite().await;
    let database = &fresh.database;
    let before = names_of_indexes(database).await;
    let copies = TableCopies::of(database, ["conversations"]);
    assert!(copies.create(database).await.unwrap());
    replace(&copies).await;
    let rebuilt: Vec<_> = before.iter().map(|name| format!("{name}__rebuilt")).collect();
    assert_eq!(names_of_indexes(database).await, rebuilt);
    database.execute("UPDATE schema_migrations SET version = -4 WHERE version = 4", vec![]).await.unwrap();
    database.migrate().await.unwrap();
    assert_eq!(names_of_indexes(database).await, before);
}

#[tokio::test]
async fn keys_are_found_in_their_order() {
    for fresh in fresh_databases().await {
        assert_eq!(fresh.database.primary_key("tags").await.unwrap(), ["id"]);
        assert_eq!(fresh.database.primary_key("conversation_tags").await.unwrap(), ["tag_id", "created_position"]);
    }
}

#[test]
fn definitions_are_read_with_and_without_quotes() {
    assert_eq!(copy_of_table("CREATE TABLE tags (id TEXT)", "tags"), "CREATE TABLE tags__rebuild (id TEXT)");
    assert_eq!(copy_of_table("CREATE TABLE \"tags\" (id TEXT)", "tags"), "CREATE TABLE tags__rebuild (id TEXT)");
    assert_eq!(
        copy_of_table("CREATE VIRTUAL TABLE words USING fts5(text)", "words"),
        "CREATE VIRTUAL TABLE words__rebuild USING fts5(text)"
    );
    assert_eq!(
        copy_of_index("CREATE UNIQUE INDEX i ON \"tags\" (name, id)", "i", "tags__rebuild"),
        "CREATE UNIQUE INDEX i__rebuilt ON tags__rebuild (name, id)"
    );
    assert_eq!(copy_of_index("CREATE INDEX i__rebuilt ON t (a)", "i__rebuilt", "u"), "CREATE INDEX i ON u (a)");
}
