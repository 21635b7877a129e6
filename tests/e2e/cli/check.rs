//! What `check` finds, and what it leaves alone.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Output;

use harness::{Server, TestDatabase, each_database, run_on};
use infrastructure::database::{Database, DatabaseOptions};
use serde_json::Value;

fn check(database: &TestDatabase, words: &[&str], settings: &[(&str, &str)]) -> (Option<i32>, Value) {
    let output = run_on(database, &[&["check", "--json"], words].concat(), settings);
    (output.status.code(), serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}")))
}

fn about<'a>(told: &'a Value, subject: &str) -> &'a Value {
    let findings = told["findings"].as_array().unwrap();
    findings.iter().find(|finding| finding["subject"] == subject).unwrap_or_else(|| panic!("{subject}: {told}"))
}

fn plain(database: &TestDatabase, words: &[&str]) -> String {
    let Output { stdout, .. } = run_on(database, words, &[]);
    String::from_utf8(stdout).unwrap()
}

each_database!(everything_is_fine_beside_a_running_server);
async fn everything_is_fine_beside_a_running_server(database: TestDatabase) {
    let server = Server::start(&database).await;
    server.visitor("Hello").await;
    let (code, told) = check(&database, &["--integrity"], &[]);
    assert_eq!((code, &told["status"]), (Some(0), &Value::from("ok")), "{told:#}");
    for subject in
        ["settings", "data folder", "disk of the data folder", "database", "schema", "log", "read models", "Redis"]
    {
        assert_eq!(about(&told, subject)["status"], "ok", "{told:#}");
    }
    let text = plain(&database, &["check"]);
    assert!(text.ends_with("checks: 0 failed, 0 warnings\n"), "{text}");
}

each_database!(nothing_is_made_where_nothing_is);
async fn nothing_is_made_where_nothing_is(database: TestDatabase) {
    let (code, told) = check(&database, &[], &[]);
    assert_eq!(code, Some(0), "{told:#}");
    assert_eq!(fs::read_dir(database.folder()).unwrap().count(), 0);
    let nowhere = database.folder().join("nowhere/at/all");
    let (code, told) = check(&database, &[], &[("DATA_DIR", nowhere.to_str().unwrap())]);
    assert_eq!(code, Some(0), "{told:#}");
    assert!(about(&told, "data folder")["found"].as_str().unwrap().contains("first start creates it"));
    assert_eq!(fs::read_dir(database.folder()).unwrap().count(), 0);
}

each_database!(what_is_wrong_is_named_with_what_to_do);
async fn what_is_wrong_is_named_with_what_to_do(database: TestDatabase) {
    Server::start(&database).await.stop().await;
    let (code, told) = check(&database, &[], &[("CORS_ORIGINS", "nonsense")]);
    assert_eq!((code, &about(&told, "settings")["status"]), (Some(1), &Value::from("failed")));
    assert!(about(&told, "settings")["found"].as_str().unwrap().starts_with("CORS_ORIGINS"));

    let secret = database.folder().join("jwt_secret");
    fs::write(&secret, "a secret that everybody on this machine reads").unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o644)).unwrap();
    let (code, told) = check(&database, &[], &[]);
    assert_eq!(code, Some(1));
    assert!(about(&told, "secrets")["advice"].as_str().unwrap().starts_with("chmod 600"));
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();

    let settings = [("DATABASE_URL", "mysql://a:b@127.0.0.1:1/x"), ("REDIS_URL", "redis://127.0.0.1:1")];
    let (code, told) = check(&database, &[], &settings);
    assert_eq!(code, Some(1));
    for subject in ["database", "Redis"] {
        assert_eq!(about(&told, subject)["status"], "failed", "each is looked at: {told:#}");
        assert!(about(&told, subject)["advice"].is_string());
    }
    let text = run_on(&database, &["check"], &settings);
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(text.contains("FAILED   database: ") && text.contains("\n         -> "), "{text}");
}

#[test]
fn folder_that_cannot_be_made_is_told() {
    let database = TestDatabase::sqlite();
    let inside = |name: &str| database.folder().join(name);
    std::os::unix::fs::symlink(inside("nothing"), inside("link")).unwrap();
    fs::write(inside("file"), "").unwrap();
    fs::create_dir(inside("closed")).unwrap();
    fs::set_permissions(inside("closed"), fs::Permissions::from_mode(0o555)).unwrap();
    let mut hopeless = vec![inside("link"), inside("link/data"), inside("file/data")];
    if fs::create_dir(inside("closed/probe")).is_err() {
        // Nothing is closed to root.
        hopeless.push(inside("closed/data/of/mine"));
    }
    hopeless.extend(read_only_folder().map(|folder| folder.join("data")));
    for folder in hopeless {
        let (code, told) = check(&database, &[], &[("DATA_DIR", folder.to_str().unwrap()), ("DATABASE_URL", "")]);
        assert_eq!(
            (code, &about(&told, "data folder")["status"]),
            (Some(1), &Value::from("failed")),
            "{folder:?}: {told:#}"
        );
        assert!(about(&told, "data folder")["advice"].is_string(), "{told:#}");
        let refused = run_on(&database, &["migrate"], &[("DATA_DIR", folder.to_str().unwrap()), ("DATABASE_URL", "")]);
        assert_eq!(refused.status.code(), Some(2), "the check is right: {refused:?}");
    }
    let url = format!("sqlite:{}", inside("missing/log.db").display());
    let (code, told) = check(&database, &[], &[("DATABASE_URL", &url)]);
    assert_eq!(
        (code, &about(&told, "folder of the database")["status"]),
        (Some(1), &Value::from("failed")),
        "{told:#}"
    );
}

/// Where nobody can write, not even root; not every machine has such a place.
fn read_only_folder() -> Option<PathBuf> {
    let mounts = fs::read_to_string("/proc/mounts").ok()?;
    let read_only =
        |line: &&str| line.split(' ').nth(3).is_some_and(|options| options.split(',').any(|option| option == "ro"));
    let folders = mounts.lines().filter(read_only).filter_map(|line| line.split(' ').nth(1)).map(PathBuf::from);
    { folders }.find(|folder| folder.is_dir())
}

#[tokio::test]
async fn damaged_file_is_named_with_its_table_and_what_to_do() {
    let database = TestDatabase::sqlite();
    let server = Server::start(&database).await;
    server.visitor("Hello").await;
    server.stop().await;
    let file = database.folder().join("livechatlog.db");
    let root = root_page(&database, "thread_events").await;
    let mut bytes = fs::read(&file).unwrap();
    let size = usize::from(u16::from_be_bytes([bytes[16], bytes[17]]));
    bytes[(root - 1) * size..root * size].fill(0xa5);
    fs::write(&file, bytes).unwrap();
    let (code, told) = check(&database, &["--integrity"], &[]);
    let finding = about(&told, "database file");
    let (found, advice) = (finding["found"].as_str().unwrap(), finding["advice"].as_str().unwrap());
    assert_eq!((code, &finding["status"]), (Some(1), &Value::from("failed")), "{told:#}");
    let begins = format!("{} is damaged: thread_events; SQLite says: ", file.display());
    assert!(found.starts_with(&begins), "{told:#}");
    for words in ["restore", "audit verify", "backup"] {
        assert!(advice.contains(words), "{told:#}");
    }
    // The advice is good: the log is whole.
    assert!(run_on(&database, &["audit", "verify"], &[]).status.success());
    let backup = database.folder().join("backup");
    assert!(run_on(&database, &["backup", backup.to_str().unwrap()], &[]).status.success());
}

/// Where a table begins in the file of a database that nobody has open.
async fn root_page(database: &TestDatabase, table: &str) -> usize {
    let store = Database::connect(database.url(), DatabaseOptions::default()).await.unwrap();
    let sql = format!("SELECT rootpage FROM sqlite_schema WHERE name = '{table}'");
    let row = store.fetch_optional(&sql, vec![]).await.unwrap().unwrap();
    assert!(store.wipe().await.unwrap(), "all is in the file");
    store.close().await;
    usize::try_from(row.int("rootpage").unwrap()).unwrap()
}

#[test]
fn shells_complete_every_command() {
    let database = TestDatabase::sqlite();
    for shell in ["bash", "zsh", "fish"] {
        let script = plain(&database, &["completions", shell]);
        for word in ["backup", "restore", "check", "completions", "replay", "integrity"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
    let unknown = run_on(&database, &["completions", "cmd"], &[]);
    assert_eq!(unknown.status.code(), Some(2));
    assert_eq!(fs::read_dir(database.folder()).unwrap().count(), 0);
}
