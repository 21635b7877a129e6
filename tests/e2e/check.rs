//! What `check` finds, and what it leaves alone.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Output;

use harness::{Server, TestDatabase, on_each_database, run_on};
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

on_each_database! {
    async fn everything_is_fine_beside_a_running_server(database: TestDatabase) {
        let server = Server::start(&database).await;
        server.visitor("Hello").await;
        let (code, told) = check(&database, &["--integrity"], &[]);
        assert_eq!((code, &told["status"]), (Some(0), &Value::from("ok")), "{told:#}");
        for subject in ["settings", "data folder", "disk of the data folder", "database", "schema", "log", "read models", "Redis"] {
            assert_eq!(about(&told, subject)["status"], "ok", "{told:#}");
        }
        let text = plain(&database, &["check"]);
        assert!(text.ends_with("things looked at: 0 failed, 0 warnings\n"), "{text}");
    }

    async fn nothing_is_made_where_nothing_is(database: TestDatabase) {
        let (code, told) = check(&database, &[], &[]);
        assert_eq!(code, Some(0), "{told:#}");
        assert_eq!(fs::read_dir(database.folder()).unwrap().count(), 0);
        let (code, told) = check(&database, &[], &[("DATA_DIR", "/nowhere/at/all")]);
        assert_eq!(code, Some(0), "{told:#}");
        assert!(about(&told, "data folder")["found"].as_str().unwrap().contains("first start makes it"));
    }

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
