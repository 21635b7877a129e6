//! The log as it leaves the house: exported and proved by the commands.

use std::path::Path;
use std::process::{Command, Output};

use harness::{Server, TestDatabase, each_database, left_out_without, program, run_on};
use infrastructure::database::{Database, DatabaseOptions};
use serde_json::{Value, json};

fn run(database: &TestDatabase, words: &[&str]) -> Output {
    run_on(database, words, &[])
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn verdict(database: &TestDatabase, words: &[&str]) -> (Option<i32>, Value) {
    let output = run(database, words);
    (output.status.code(), serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}")))
}

fn export(database: &TestDatabase, file: &Path, words: &[&str]) -> Output {
    run(database, &[&["audit", "export", "--output", file.to_str().unwrap()], words].concat())
}

pub async fn server_with_a_chat(database: &TestDatabase) -> Server {
    let server = Server::start(database).await;
    let chat = server.visitor("Grüße, \"quoted\", and a, comma").await;
    for content in ["And a second line\nwith a break", "The last one"] {
        let path = format!("/v1/threads/{}/events", chat.thread_id);
        chat.client.post(&path, &json!({ "content": content })).await.expect(201);
    }
    server
}

/// What somebody sees who types this.
fn on_a_terminal(database: &TestDatabase, words: &str) -> Option<String> {
    let mut command = Command::new("script");
    command.args(["-q", "-e", "-c", &format!("'{}' {words}", program().display()), "/dev/null"]).env_clear();
    let settings = [("DATABASE_URL", database.url()), ("TERM", "xterm"), ("PATH", "/usr/bin:/bin")];
    let seen = command.envs(settings).env("DATA_DIR", database.folder()).output();
    let seen = seen.inspect_err(|_| left_out_without("progress on a terminal", "the command `script`")).ok()?;
    assert!(seen.status.success(), "{words}: {seen:?}");
    Some(text(&seen.stdout))
}

each_database!(log_is_exported_and_proved_beside_a_running_server);
async fn log_is_exported_and_proved_beside_a_running_server(database: TestDatabase) {
    let server = server_with_a_chat(&database).await;
    let head = server.app().log.head().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (code, whole) = verdict(&database, &["audit", "verify", "--json"]);
    assert_eq!((code, &whole["position"]), (Some(0), &json!(head.position)));
    assert_eq!(whole["hash"], hex::encode(head.chain_hash));
    let key = text(&run(&database, &["audit", "key"]).stdout);
    for format in ["ndjson", "csv"] {
        let file = folder.path().join(format);
        let output = export(&database, &file, &["--format", format]);
        assert!(output.status.success() && output.stdout.is_empty(), "{output:?}");
        let file = file.to_str().unwrap();
        let (code, proved) =
            verdict(&database, &["audit", "verify", "--json", "--file", file, "--public-key", key.trim()]);
        assert_eq!((code, &proved["events"], &proved["hash"]), (Some(0), &json!(head.position), &whole["hash"]));
        assert_eq!(proved["signedBy"], key.trim());
        let other = "a".repeat(64);
        let (code, refused) =
            verdict(&database, &["audit", "verify", "--json", "--file", file, "--public-key", &other]);
        assert_eq!((code, &refused["whole"]), (Some(1), &json!(false)));
    }
    let again = export(&database, &folder.path().join("csv"), &[]);
    assert_eq!(again.status.code(), Some(1), "nothing is overwritten");
    let to_output = run(&database, &["audit", "export", "--from", &head.position.to_string()]);
    assert_eq!(text(&to_output.stdout).lines().count(), 3);
}

each_database!(tampering_is_found_in_the_database_and_in_the_file);
async fn tampering_is_found_in_the_database_and_in_the_file(database: TestDatabase) {
    let server = server_with_a_chat(&database).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("export");
    assert!(export(&database, &file, &[]).status.success());
    let lines: Vec<String> = std::fs::read_to_string(&file).unwrap().lines().map(str::to_owned).collect();
    let message = lines.iter().position(|line| line.contains("second line")).unwrap();
    let place = format!("position {}:", message);
    let broken = |lines: &[String]| {
        let changed = folder.path().join("changed");
        std::fs::write(&changed, lines.join("\n") + "\n").unwrap();
        let (code, told) = verdict(&database, &["audit", "verify", "--json", "--file", changed.to_str().unwrap()]);
        assert_eq!((code, &told["whole"]), (Some(1), &json!(false)));
        told["reason"].as_str().unwrap().to_owned()
    };
    let mut changed = lines.clone();
    changed[message] = changed[message].replacen("second", "sekond", 1);
    assert!(broken(&changed).contains(&place), "a byte");
    let mut swapped = lines.clone();
    swapped.swap(message - 1, message);
    assert!(broken(&swapped).contains(&format!("position {}:", message - 1)), "two rows");
    let mut dropped = lines.clone();
    dropped.remove(message);
    assert!(broken(&dropped).contains(&place), "a row less");
    let mut appended = lines.clone();
    appended.push(lines[message].clone());
    assert!(broken(&appended).contains("follows the signed head"), "a row more");

    let position = i64::try_from(message).unwrap();
    let change =
        format!("UPDATE events SET payload = REPLACE(payload, 'second', 'sekond') WHERE position = {position}");
    let store = Database::connect(database.url(), DatabaseOptions::default()).await.unwrap();
    store.execute(&change, vec![]).await.unwrap();
    drop(server);
    let (code, told) = verdict(&database, &["audit", "verify", "--json"]);
    assert_eq!(code, Some(1));
    assert!(told["reason"].as_str().unwrap().contains(&place), "{told}");
    let refused = export(&database, &folder.path().join("broken"), &[]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused.stderr).contains(&place), "{refused:?}");
}

each_database!(long_work_is_shown_on_a_terminal);
async fn long_work_is_shown_on_a_terminal(database: TestDatabase) {
    let server = server_with_a_chat(&database).await;
    server.stop().await;
    let folder = tempfile::tempdir().unwrap();
    let (export, backup) = (folder.path().join("export"), folder.path().join("backup"));
    let (export, backup) = (export.to_str().unwrap(), backup.to_str().unwrap());
    for (words, shown) in [
        (format!("audit export --output {export}"), "exporting"),
        ("audit verify".to_owned(), "verifying"),
        (format!("audit verify --file {export}"), "verifying"),
        (format!("backup {backup}"), "backing up"),
        (format!("restore --check {backup}"), "checking"),
        ("replay".to_owned(), "replaying"),
        ("replay --verify".to_owned(), "replaying"),
    ] {
        let Some(seen) = on_a_terminal(&database, &words) else { return };
        assert!(seen.contains(shown) && seen.contains(" events  "), "{words}: {seen:?}");
        if shown == "verifying" {
            let quiet = run(&database, &words.split(' ').collect::<Vec<_>>());
            assert!(
                quiet.status.success() && !text(&quiet.stderr).contains(shown),
                "lines are for what takes long: {quiet:?}"
            );
        }
    }
    let Some(seen) = on_a_terminal(&database, "audit export") else { return };
    assert!(!seen.contains("exporting"), "the export itself is on the terminal");
}

each_database!(commands_change_nothing_about_a_database);
async fn commands_change_nothing_about_a_database(database: TestDatabase) {
    for words in [["audit", "verify"], ["audit", "export"], ["migrate", "--check"]] {
        let output = run(&database, &words);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
    }
    let output = run(&database, &["migrate"]);
    assert!(output.status.success(), "{output:?}");
    assert!(run(&database, &["migrate", "--check"]).status.success());
    assert!(run(&database, &["audit", "verify"]).status.success());
}
