//! Looks for texts in every column of every table, and in files.

use std::path::Path;
use std::process::Command;

use harness::{DatabaseKind, TestDatabase};
use infrastructure::database::{Database, DatabaseOptions};
use infrastructure::sql_args;

async fn names(store: &Database, sql: &str) -> Vec<String> {
    let rows = store.fetch_all(sql, vec![]).await.unwrap();
    rows.iter().map(|row| row.text("name").unwrap()).collect()
}

/// `table.column: text` for each column that holds one of the texts anywhere.
pub async fn found_in(database: &TestDatabase, texts: &[&str]) -> Vec<String> {
    let store = Database::connect(database.url(), DatabaseOptions::default()).await.unwrap();
    let (tables, columns, holds) = match database.kind() {
        DatabaseKind::Sqlite => (
            "SELECT name FROM sqlite_master WHERE type = 'table'",
            "SELECT name FROM pragma_table_info('{}')",
            "instr(CAST({} AS BLOB), CAST(? AS BLOB)) > 0",
        ),
        DatabaseKind::MySql => (
            "SELECT CAST(table_name AS CHAR) AS name FROM information_schema.tables WHERE table_schema = DATABASE()",
            "SELECT CAST(column_name AS CHAR) AS name FROM information_schema.columns
             WHERE table_schema = DATABASE() AND table_name = '{}'",
            "LOCATE(CAST(? AS BINARY), CAST({} AS BINARY)) > 0",
        ),
    };
    let mut found = vec![];
    let tables = names(&store, tables).await;
    assert!(tables.len() > 20, "{tables:?}");
    for table in tables {
        for column in names(&store, &columns.replace("{}", &table)).await {
            for text in texts {
                let condition = holds.replace("{}", &column);
                let sql = format!("SELECT COUNT(*) AS number FROM {table} WHERE {condition}");
                let row = store.fetch_optional(&sql, sql_args![*text]).await.unwrap().unwrap();
                if row.int("number").unwrap() > 0 {
                    found.push(format!("{table}.{column}: {text}"));
                }
            }
        }
    }
    store.close().await;
    found
}

/// `file: text` for each file of a folder that holds one of the texts anywhere, in use or not.
pub fn found_in_files(folder: &Path, texts: &[&str]) -> Vec<String> {
    let mut found = vec![];
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        // Closing a file here would take SQLite's locks of this process off it, which has it open as well.
        let bytes = Command::new("cat").arg(&path).output().unwrap().stdout;
        for text in texts {
            if bytes.windows(text.len()).any(|window| window == text.as_bytes()) {
                found.push(format!("{}: {text}", path.display()));
            }
        }
    }
    found
}
