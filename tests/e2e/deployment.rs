//! What the container file and the systemd unit say is true of the program.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use harness::{Process, free_port};

fn file(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)).unwrap()
}

/// The instructions of the last stage, with continued lines joined.
fn last_stage() -> Vec<(String, String)> {
    let text = file("Dockerfile").replace("\\\n", " ");
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let words =
        lines.map(|line| line.split_once(' ').unwrap()).map(|(word, rest)| (word.to_owned(), rest.trim().to_owned()));
    let all: Vec<_> = words.collect();
    let stage = all.iter().rposition(|(word, _)| word == "FROM").unwrap();
    all[stage..].to_vec()
}

fn instruction(name: &str) -> String {
    let found = last_stage().into_iter().find(|(word, _)| word == name);
    found.unwrap_or_else(|| panic!("no {name}")).1
}

fn words(json: &str) -> Vec<String> {
    serde_json::from_str(json).unwrap()
}

#[tokio::test]
async fn container_starts_is_healthy_and_stops() {
    let mut environment: BTreeMap<String, String> = instruction("ENV")
        .split(' ')
        .filter_map(|pair| pair.split_once('='))
        .map(|(k, v)| (k.into(), v.into()))
        .collect();
    assert_eq!(environment["PORT"], instruction("EXPOSE"));
    assert_eq!(environment["DATA_DIR"], instruction("VOLUME"));
    assert_ne!(instruction("USER").split(':').next(), Some("0"));
    let folder = tempfile::tempdir().unwrap();
    let port = free_port().to_string();
    environment.insert("PORT".into(), port.clone());
    environment.insert("DATA_DIR".into(), folder.path().display().to_string());
    assert_eq!(words(&instruction("ENTRYPOINT")), ["livechatlog"]);
    let mut builder = Process::builder();
    for word in words(&instruction("CMD")) {
        builder = builder.argument(word);
    }
    for (name, value) in &environment {
        builder = builder.setting(name, value.as_str());
    }
    let health = instruction("HEALTHCHECK");
    let health = words(health.split_once("CMD ").unwrap().1);
    let is_healthy = || {
        let check = Command::new(&health[0]).args(&health[1..]).env("PORT", &port).output().unwrap();
        check.status.success()
    };
    assert!(!is_healthy(), "nothing listens yet");
    let mut process = builder.start().await;
    assert!(is_healthy());
    assert!(process.log().lines().any(|line| line.starts_with('{')), "logs are JSON");
    assert_eq!(instruction("STOPSIGNAL"), "SIGTERM");
    assert!(process.terminate().await.success());
    assert!(!is_healthy());
}

#[test]
fn unit_starts_what_there_is() {
    let unit = file("docs/livechatlog.service");
    let value = |key: &str| unit.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('=')).unwrap().to_owned();
    assert_eq!(value("ExecStart"), "/usr/local/bin/livechatlog serve");
    assert!(value("Environment").contains("DATA_DIR=/var/lib/livechatlog"));
    assert_eq!(value("StateDirectory"), "livechatlog");
}
