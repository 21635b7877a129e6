use std::time::Duration;

use super::*;
use crate::sql_args;
use crate::testing::{fresh_databases, fresh_sqlite};

async fn with_table(database: &Database) {
    let create = match database.dialect() {
        Dialect::Mysql => {
            "CREATE TABLE t (id BIGINT PRIMARY KEY, a TEXT, b BLOB, c TEXT COLLATE utf8mb4_bin) DEFAULT CHARSET=utf8mb4"
        }
        Dialect::Sqlite => "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b BLOB, c TEXT)",
    };
    database.execute(create, vec![]).await.unwrap();
}

#[tokio::test]
async fn values_come_back_as_they_went_in() {
    for fresh in fresh_databases().await {
        let database = fresh.database;
        with_table(&database).await;
        let insert = "INSERT INTO t (id, a, b, c) VALUES (?, ?, ?, ?)";
        database.execute(insert, sql_args![-7_i64, "Grüße 🦀", vec![0_u8, 255], "x"]).await.unwrap();
        database.execute(insert, sql_args![8_i64, None::<String>, None::<Vec<u8>>, ""]).await.unwrap();

        let row = database.fetch_optional("SELECT * FROM t WHERE id = ?", sql_args![-7_i64]).await.unwrap().unwrap();
        assert_eq!(row.int("id").unwrap(), -7);
        assert_eq!(row.text("a").unwrap(), "Grüße 🦀");
        assert_eq!(row.bytes("b").unwrap(), [0, 255]);
        assert_eq!(row.text("c").unwrap(), "x");

        let row = database.fetch_optional("SELECT * FROM t WHERE id = 8", vec![]).await.unwrap().unwrap();
        assert_eq!(row.opt_text("a").unwrap(), None);
        assert_eq!(row.opt_bytes("b").unwrap(), None);
        assert!(matches!(row.text("a"), Err(RowError::Null { .. })));
        assert!(matches!(row.text("nothing"), Err(RowError::Missing { .. })));
        assert!(matches!(row.int("c"), Err(RowError::Type { .. })));
        assert!(matches!(row.text("id"), Err(RowError::Type { .. })));
    }
}

#[tokio::test]
async fn expressions_are_integers_and_text() {
    for fresh in fresh_databases().await {
        let database = fresh.database;
        with_table(&database).await;
        database.execute("INSERT INTO t (id, a) VALUES (2, 'x'), (3, 'y')", vec![]).await.unwrap();
        let sql = "SELECT COUNT(*) AS n, SUM(id) AS s, MAX(id) > 2 AS big, MIN(a) || '!' AS joined FROM t";
        let row = database.fetch_optional(sql, vec![]).await.unwrap().unwrap();
        assert_eq!((row.int("n").unwrap(), row.int("s").unwrap()), (2, 5));
        assert!(row.bool("big").unwrap());
        assert_eq!(row.text("joined").unwrap(), "x!");
    }
}

#[tokio::test]
async fn dropped_transaction_leaves_nothing_and_does_not_block() {
    for fresh in fresh_databases().await {
        let database = fresh.database;
        with_table(&database).await;
        let mut dropped = database.begin_view().await.unwrap();
        dropped.execute("INSERT INTO t (id) VALUES (1)", vec![]).await.unwrap();
        drop(dropped);
        let mut kept = database.begin_view().await.unwrap();
        let rows = (0..100).map(|id| sql_args![i64::from(id), "a"]).collect();
        kept.insert_many("t", &["id", "a"], rows).await.unwrap();
        assert_eq!(kept.fetch_all("SELECT id FROM t", vec![]).await.unwrap().len(), 100);
        kept.commit().await.unwrap();
        assert_eq!(database.fetch_all("SELECT id FROM t", vec![]).await.unwrap().len(), 100);
    }
}

#[tokio::test]
async fn enqueued_statements_are_seen_by_the_next_query_and_kept_by_the_commit() {
    for fresh in fresh_databases().await {
        let database = fresh.database;
        with_table(&database).await;
        let mut tx = database.begin_batched_view().await.unwrap();
        let hostile = "it's; DROP TABLE t; -- \\ ? \0 🦀";
        tx.insert_many("t", &["id", "a", "b"], vec![sql_args![-1_i64, hostile, vec![0_u8, 255]]]).await.unwrap();
        assert!(tx.expect(1, "UPDATE t SET c = ? WHERE id = ?", sql_args!["?", -1_i64]).await.unwrap());
        assert!(tx.expect(0, "UPDATE t SET c = ? WHERE id = ?", sql_args!["?", 7_i64]).await.unwrap());
        let rows = tx.fetch_all("SELECT * FROM t WHERE a = ?", sql_args![hostile]).await.unwrap();
        assert_eq!((rows.len(), rows[0].int("id").unwrap(), rows[0].text("c").unwrap()), (1, -1, "?".to_owned()));
        assert_eq!(rows[0].bytes("b").unwrap(), [0, 255]);
        assert!(tx.fetch_all("SELECT * FROM t WHERE id = 7", vec![]).await.unwrap().is_empty());
        assert_eq!(tx.execute("UPDATE t SET c = NULL WHERE id = -1", vec![]).await.unwrap(), 1);
        tx.enqueue("INSERT INTO t (id, a) VALUES (?, ?)", sql_args![2_i64, None::<String>]).await.unwrap();
        tx.commit().await.unwrap();
        let rows = database.fetch_all("SELECT id, a, c FROM t ORDER BY id", vec![]).await.unwrap();
        assert_eq!(rows.iter().map(|row| row.int("id").unwrap()).collect::<Vec<_>>(), [-1, 2]);
        assert_eq!((rows[0].text("a").unwrap().as_str(), rows[0].opt_text("c").unwrap()), (hostile, None));
        assert_eq!(rows[1].opt_text("a").unwrap(), None);
    }
}

#[tokio::test]
async fn statement_that_misses_its_rows_undoes_the_batch() {
    for fresh in fresh_databases().await {
        let database = fresh.database;
        with_table(&database).await;
        database.execute("INSERT INTO t (id) VALUES (1), (2)", vec![]).await.unwrap();
        for (expected, committed) in [(1, false), (2, true), (3, false)] {
            let mut tx = database.begin_batched_view().await.unwrap();
            tx.enqueue("INSERT INTO t (id) VALUES (?)", sql_args![9_i64]).await.unwrap();
            // Rows that stay the same count.
            assert!(tx.expect(expected, "UPDATE t SET a = NULL WHERE id < 9", vec![]).await.unwrap());
            tx.enqueue("DELETE FROM t WHERE id = 9", vec![]).await.unwrap();
            tx.enqueue("UPDATE t SET c = 'x' WHERE id = 1", vec![]).await.unwrap();
            let outcome = tx.commit().await;
            assert!(
                outcome.as_ref().map_or_else(|error| error.class() == ErrorClass::Other, |()| committed),
                "{outcome:?}"
            );
            let rows = database.fetch_all("SELECT c FROM t ORDER BY id", vec![]).await.unwrap();
            assert_eq!((rows.len(), rows[0].opt_text("c").unwrap().is_some()), (2, committed), "{expected}");
            database.execute("UPDATE t SET c = NULL", vec![]).await.unwrap();
        }
        let mut single = database.begin_view().await.unwrap();
        assert!(!single.expect(1, "UPDATE t SET a = NULL", vec![]).await.unwrap());
        assert!(single.expect(2, "UPDATE t SET a = NULL", vec![]).await.unwrap());
    }
}

#[tokio::test]
async fn batch_that_was_begun_and_dropped_leaves_nothing_and_does_not_block() {
    for fresh in fresh_databases().await {
        let database = fresh.database;
        with_table(&database).await;
        for sent in [false, true] {
            let mut dropped = database.begin_batched_view().await.unwrap();
            dropped.enqueue("INSERT INTO t (id) VALUES (1)", vec![]).await.unwrap();
            if sent {
                assert_eq!(dropped.fetch_all("SELECT id FROM t", vec![]).await.unwrap().len(), 1);
            }
            drop(dropped);
            database.execute("INSERT INTO t (id) VALUES (2)", vec![]).await.unwrap();
            assert_eq!(database.execute("DELETE FROM t", vec![]).await.unwrap(), 1);
        }
    }
}

#[tokio::test]
async fn large_batch_is_sent_before_the_commit() {
    for fresh in fresh_databases().await {
        let database = fresh.database;
        with_table(&database).await;
        let mut tx = database.begin_batched_view().await.unwrap();
        let text = "ü".repeat(16_000);
        let rows = (0..300).map(|id| sql_args![i64::from(id), text.as_str()]).collect();
        tx.insert_many("t", &["id", "a"], rows).await.unwrap();
        tx.commit().await.unwrap();
        let row = database.fetch_optional("SELECT COUNT(*) AS n, MIN(a) AS a FROM t", vec![]).await.unwrap().unwrap();
        assert_eq!((row.int("n").unwrap(), row.text("a").unwrap()), (300, text));
    }
}

#[tokio::test]
async fn key_that_exists_is_told_apart() {
    for fresh in fresh_databases().await {
        let database = fresh.database;
        with_table(&database).await;
        database.execute("INSERT INTO t (id) VALUES (1)", vec![]).await.unwrap();
        let again = database.execute("INSERT INTO t (id) VALUES (1)", vec![]).await.unwrap_err();
        assert_eq!(again.class(), ErrorClass::DuplicateKey);
        let check = database.execute("UPDATE log_head SET position = -1 WHERE id = 1", vec![]).await.unwrap_err();
        assert!(matches!(check, DatabaseError::Check(_)), "{check:?}");
    }
}

#[tokio::test]
async fn update_counts_rows_found_even_when_they_stay_the_same() {
    for fresh in fresh_databases().await {
        let sql = "UPDATE log_head SET position = 0 WHERE id = ?";
        assert_eq!(fresh.database.execute(sql, sql_args![1_i64]).await.unwrap(), 1);
        assert_eq!(fresh.database.execute(sql, sql_args![2_i64]).await.unwrap(), 0);
    }
}

#[tokio::test]
async fn exhausted_writers_give_an_error_instead_of_waiting_for_ever() {
    let fresh = fresh_sqlite().await;
    let options = DatabaseOptions { pool_size: 1, acquire_timeout: Duration::from_millis(50) };
    let mut addresses = vec![fresh.url.clone()];
    addresses.extend(std::env::var("TEST_MYSQL_URL"));
    for url in addresses {
        let database = Database::connect(&url, options).await.unwrap();
        let _held = database.begin_view().await.unwrap();
        assert!(matches!(database.begin_view().await, Err(DatabaseError::Exhausted)));
    }
}

#[tokio::test]
async fn database_tells_the_time_in_microseconds() {
    for fresh in fresh_databases().await {
        let sql = format!("SELECT {} AS now", fresh.database.now_micros());
        let row = fresh.database.fetch_optional(&sql, vec![]).await.unwrap().unwrap();
        let real = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_micros();
        let told = u128::try_from(row.int("now").unwrap()).unwrap();
        assert!(real.abs_diff(told) < 2_000_000, "{real} {told}");
    }
}

#[tokio::test]
async fn migrating_twice_changes_nothing_and_keeps_the_epoch() {
    for fresh in fresh_databases().await {
        let sql = "SELECT epoch FROM log_head";
        let before = fresh.database.fetch_optional(sql, vec![]).await.unwrap().unwrap().uuid("epoch").unwrap();
        fresh.database.migrate().await.unwrap();
        let after = fresh.database.fetch_optional(sql, vec![]).await.unwrap().unwrap().uuid("epoch").unwrap();
        assert_eq!(before, after);
        assert!(!before.is_nil());
    }
}

#[tokio::test]
async fn migrating_at_the_same_time_is_done_once() {
    for fresh in fresh_databases().await {
        fresh.database.execute("DELETE FROM log_head", vec![]).await.unwrap();
        let results = futures::future::join_all((0..4).map(|_| fresh.database.migrate())).await;
        assert!(results.iter().all(Result::is_ok), "{results:?}");
    }
}

#[tokio::test]
async fn newer_schema_and_changed_file_are_refused() {
    for fresh in fresh_databases().await {
        let database = fresh.database;
        database.execute("UPDATE schema_migrations SET digest = 'x' WHERE version = 2", vec![]).await.unwrap();
        assert!(matches!(database.migrate().await, Err(MigrateError::Changed { name: "0002_runtime" })));
        let newer = "INSERT INTO schema_migrations (version, name, digest, applied_us) VALUES (99, 'x', 'x', 0)";
        database.execute(newer, vec![]).await.unwrap();
        assert!(matches!(database.migrate().await, Err(MigrateError::Newer { found: 99, .. })));
    }
}
