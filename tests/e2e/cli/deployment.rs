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
    assert!(process.log().lines().all(|line| line.starts_with('{')), "every line is JSON: {}", process.log());
    assert_eq!(instruction("STOPSIGNAL"), "SIGTERM");
    assert!(process.terminate().await.success());
    assert!(!is_healthy());
}

#[test]
fn container_has_one_user_and_no_features_of_tests() {
    let (user, run) = (instruction("USER"), instruction("RUN"));
    let (uid, gid) = user.split_once(':').unwrap();
    assert!(run.contains(&format!("groupadd --gid {gid} ")), "{run}");
    assert!(run.contains(&format!("--uid {uid} --gid {gid} ")) && !run.contains("--system"), "{run}");
    // Cargo unites the features of all packages that it builds at once: those of the tests, too.
    assert!(file("Dockerfile").contains("cargo build --release --locked --package api --bin livechatlog"));
    assert!(file("compose.yaml").contains("tmpfs: [/tmp]"));
}

#[test]
fn unit_starts_what_there_is() {
    let unit = file("docs/deploy/livechatlog.service");
    let value = |key: &str| unit.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('=')).unwrap().to_owned();
    assert_eq!(value("ExecStart"), "/usr/local/bin/livechatlog serve");
    assert!(value("Environment").contains("DATA_DIR=/var/lib/livechatlog"));
    assert_eq!(value("StateDirectory"), "livechatlog");
    assert_eq!(value("StartLimitIntervalSec"), "0", "a database that comes late is waited for");
    let hardened = ["ProtectClock", "ProtectKernelLogs", "ProtectHostname", "RestrictRealtime"];
    assert!(hardened.iter().all(|key| value(key) == "yes"));
}

/// The lines below a key of a service in a compose file, such as `environment`, with what stands before and after the colon.
fn of_service<'a>(text: &'a str, service: &str, key: &str) -> Vec<(&'a str, &'a str)> {
    let depth = |line: &str| line.len() - line.trim_start().len();
    let below = |lines: Vec<&'a str>, key: String, at: usize| -> Vec<&'a str> {
        let inside = lines.into_iter().skip_while(|line| depth(line) != at || line.trim() != key).skip(1);
        inside.take_while(|line| depth(line) > at).collect()
    };
    let lines = text.lines().filter(|line| !line.trim().is_empty() && !line.trim().starts_with('#')).collect();
    let services = below(lines, "services:".to_owned(), 0);
    let found = below(below(services, format!("{service}:"), 2), format!("{key}:"), 4);
    found.into_iter().map(|line| line.trim().split_once(": ").unwrap()).collect()
}

/// What compose makes of a value when all that it asks for is set.
fn interpolated(value: &str) -> String {
    let mut rest = value.trim_matches('"');
    let mut whole = String::new();
    while let Some((before, after)) = rest.split_once("${") {
        let (asked, end) = after.split_once('}').unwrap();
        assert!(asked.contains(":?"), "{asked}: compose says which one is missing");
        whole = whole + before + "a-value-of-at-least-thirty-two-bytes";
        rest = end;
    }
    whole + rest
}

#[tokio::test]
async fn compose_files_give_settings_that_the_program_takes() {
    assert!(of_service(&file("compose.yaml"), "livechatlog", "environment").is_empty(), "the image has its settings");
    for name in ["compose.yaml", "docs/deploy/compose.mysql.yaml"] {
        let text = file(name);
        assert!(text.contains("\nservices:\n  livechatlog:\n") && !text.contains('\t'), "{name}");
    }
    let text = file("docs/deploy/compose.mysql.yaml");
    let settings = of_service(&text, "livechatlog", "environment");
    let names: Vec<_> = settings.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["DATABASE_URL", "REDIS_URL", "JWT_SECRET"]);
    let readme = file("docs/operating/configuration.md");
    let home = tempfile::tempdir().unwrap();
    let mut command = Command::new(harness::program());
    command.args(["check", "--json"]).env_clear().env("DATA_DIR", home.path());
    for (name, value) in settings {
        assert!(readme.contains(&format!("| `{name}` *")), "{name} is a setting");
        // Nothing is there; it is the settings that are looked at.
        let value = interpolated(value).replace("@mysql/", "@127.0.0.1:1/").replace("//redis", "//127.0.0.1:1");
        command.env(name, value);
    }
    let output = command.output().unwrap();
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    assert_eq!(
        (&told["findings"][0]["subject"], &told["findings"][0]["status"]),
        (&"settings".into(), &"ok".into()),
        "{told:#}"
    );
    let services: Vec<_> = text
        .lines()
        .filter_map(|line| line.strip_prefix("  ")?.strip_suffix(':'))
        .filter(|name| !name.starts_with(' '))
        .collect();
    for service in ["livechatlog", "mysql", "redis"] {
        assert!(services.contains(&service), "{services:?}");
    }
    let database = of_service(&text, "mysql", "environment");
    let value = |name: &str| database.iter().find(|(key, _)| *key == name).unwrap().1;
    let url = file("docs/deploy/compose.mysql.yaml")
        .lines()
        .find_map(|line| line.trim().strip_prefix("DATABASE_URL: ").map(str::to_owned))
        .unwrap();
    assert!(
        url.contains(&format!("//{}:", value("MYSQL_USER")))
            && url.trim_matches('"').ends_with(&format!("/{}", value("MYSQL_DATABASE")))
    );
}
