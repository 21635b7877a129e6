//! A setting that cannot be used stops the start before anything is made.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use harness::{DEADLINE, Process, ProcessBuilder};

/// What each setting must not be, and what is said of it.
const MALFORMED: [(&str, &str, &str); 58] = [
    ("DATABASE_URL", "postgres://host/name", "must begin with mysql:// or sqlite:"),
    ("DATABASE_URL", "mysql://", "must be mysql://USER:PASSWORD@HOST/NAME"),
    ("DATABASE_URL", "mysql://user:password@host", "must be mysql://USER:PASSWORD@HOST/NAME"),
    ("DATABASE_URL", "mysql://user:password@host:port/name", "must be mysql://USER:PASSWORD@HOST/NAME"),
    ("DATABASE_URL", "mysql://user:p@ss/w#rd@127.0.0.1/name", "%40 %2F"),
    ("DATABASE_URL", "mysql://user:password@127.0.0.1/name?tls=1", "the parameter tls is not known"),
    ("DATABASE_URL", "sqlite:", "must be sqlite:PATH"),
    ("DATABASE_URL", "sqlite::memory:", "must be sqlite:PATH"),
    ("DATABASE_URL", "sqlite:log.db?cache=shared", "must be sqlite:PATH"),
    ("REDIS_URL", "http://host", "must be redis://HOST:PORT"),
    ("REDIS_URL", "redis://host:port", "must be redis://HOST:PORT"),
    ("REDIS_URL", "rediss://host:port", "rediss://HOST:PORT for TLS"),
    ("DATA_DIR", "what?", "must be UTF-8 without question marks"),
    ("HOST", "no host", "must be an IP address of this machine, or a name that resolves to one"),
    ("HOST", "127.0.0.1:3000", "must be an IP address of this machine, or a name that resolves to one"),
    ("PORT", "70000", "70000 is not in 0..=65535"),
    ("PORT", "http", "invalid digit"),
    ("JWT_SECRET", "thirty-one bytes are not enough", "must have at least 32 bytes"),
    ("METRICS_TOKEN", "fifteen bytes..", "must have at least 16 bytes"),
    ("METRICS_TOKEN", "a token with an umlaut: ü", "visible ASCII characters"),
    ("ADMIN_EMAIL", "nobody", "must be an e-mail address"),
    ("ADMIN_PASSWORD", "7 chars", "must have 8 to 128 characters"),
    ("TRUSTED_PROXIES", "the proxy", "must be IP addresses and CIDR networks"),
    ("TRUSTED_PROXIES", "10.0.0.0/33", "must be IP addresses and CIDR networks"),
    ("PROXY_HEADER", "via", "[possible values: x-forwarded-for, forwarded, proxy-protocol]"),
    ("CORS_ORIGINS", "shop.example", "must be origins"),
    ("CORS_ORIGINS", "https://shop.example/path", "must be origins"),
    ("RATE_LIMITS", "maybe", "[possible values: on, off]"),
    ("LIMIT_NEW_CHATS", "30", "must be TIMES/SECONDS"),
    ("LIMIT_VISITOR_MESSAGES", "0/60", "must be TIMES/SECONDS"),
    ("LIMIT_AGENT_MESSAGES", "600/0", "must be TIMES/SECONDS"),
    ("LIMIT_LOG_INS", "60/minute", "must be TIMES/SECONDS"),
    ("LIMIT_FAILED_LOG_INS", "-5/900", "must be TIMES/SECONDS"),
    ("LIMIT_FAILED_LOG_INS_OF_ACCOUNT", "20/90000", "must be TIMES/SECONDS"),
    ("LIMIT_FAILED_LOG_INS_OF_ADDRESS", "1e3/900", "must be TIMES/SECONDS"),
    ("LIMIT_HEALTH_CHECKS", "2000000/60", "must be TIMES/SECONDS"),
    ("LIMIT_REQUESTS", "1200/60/1", "must be TIMES/SECONDS"),
    ("LIMIT_VISITORS_OF_ADDRESS", "none", "must be TIMES/SECONDS"),
    ("MAX_OPEN_CHATS_OF_ADDRESS", "0", "0 is not in 1..=100000"),
    ("CLOSE_ABANDONED_AFTER", "31536001", "31536001 is not in 0..=31536000"),
    ("MAX_CONNECTIONS", "63", "63 is not in 64..=1000000"),
    ("MAX_CONNECTIONS_OF_ADDRESS", "0", "0 is not in 1..=1000000"),
    ("IDLE_TIMEOUT", "0", "0 is not in 1..=3600"),
    ("IDLE_TIMEOUT", "3601", "3601 is not in 1..=3600"),
    ("SNEAK_PEEK", "maybe", "[possible values: off, on]"),
    ("OLD_SQLITE", "maybe", "[possible values: refuse, allow]"),
    ("DRAIN_DELAY", "301", "301 is not in 0..=300"),
    ("DRAIN_DELAY", "-1", "DRAIN_DELAY"),
    ("DRAIN_DELAY", "soon", "invalid digit"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://127.0.0.1:4318", "must begin with http://"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "127.0.0.1:4318", "must begin with http://"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://", "must be the URL of a collector"),
    ("LOG_FORMAT", "xml", "[possible values: text, json]"),
    ("RUST_LOG", "inof", "must be levels such as info"),
    ("RUST_LOG", "info,degub", "must be levels such as info"),
    ("RUST_LOG", "api=loud", "must be levels such as info"),
    ("RUST_LOG", "=", "must be levels such as info"),
    ("RUST_LOG", "6", "must be levels such as info"),
];

/// Settings that may come from a file.
const IN_FILES: [&str; 5] = ["DATABASE_URL", "REDIS_URL", "JWT_SECRET", "ADMIN_PASSWORD", "METRICS_TOKEN"];

fn program(home: &Path) -> ProcessBuilder {
    Process::builder().setting("DATA_DIR", home.join("data").display().to_string())
}

async fn assert_refused(program: ProcessBuilder, home: &Path, name: &str, message: &str) {
    let mut process = program.spawn();
    let status = process.wait_for_end(DEADLINE).await;
    let log = process.log();
    assert_eq!(status.code(), Some(2), "{name}: {log}");
    assert!(log.starts_with("error: ") && log.contains(name) && log.contains(message), "{name}, {message}: {log}");
    assert_eq!(fs::read_dir(home).unwrap().count(), 0, "{name}: something was made: {log}");
}

#[tokio::test]
async fn malformed_settings_stop_the_start_are_named_and_nothing_is_made() {
    let home = tempfile::tempdir().unwrap();
    for (name, value, message) in MALFORMED {
        assert_refused(program(home.path()).setting(name, value), home.path(), name, message).await;
        let flag = format!("--{}={value}", name.to_lowercase().replace('_', "-"));
        // The flag wins over what would do.
        let program = program(home.path()).argument("serve").argument(flag);
        assert_refused(program, home.path(), name, message).await;
    }
}

#[tokio::test]
async fn secrets_from_files_that_cannot_be_read_stop_the_start() {
    let home = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::NamedTempFile::new().unwrap();
    for name in IN_FILES {
        let file = format!("{name}_FILE");
        let missing = home.path().join("missing").display().to_string();
        assert_refused(program(home.path()).setting(&file, missing), home.path(), name, "cannot use").await;
        let twice = program(home.path()).setting(name, "given").setting(&file, elsewhere.path().display().to_string());
        assert_refused(twice, home.path(), name, "are both set").await;
    }
}

#[tokio::test]
async fn kept_secret_that_is_too_short_stops_the_start_before_another_is_made() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    for (file, name) in [("jwt_secret", "JWT_SECRET"), ("metrics_token", "METRICS_TOKEN")] {
        fs::create_dir(&data).unwrap();
        fs::write(data.join(file), "short").unwrap();
        let mut process = program(home.path()).spawn();
        assert_eq!(process.wait_for_end(DEADLINE).await.code(), Some(2), "{}", process.log());
        assert!(process.log().contains(name), "{}", process.log());
        assert_eq!(fs::read_dir(&data).unwrap().count(), 1, "nothing next to {file}");
        fs::remove_dir_all(&data).unwrap();
    }
}

/// The settings of the table in the documentation.
fn documented() -> Vec<String> {
    let readme =
        fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/operating/configuration.md")).unwrap();
    let table = readme.split("| setting | default | meaning |").nth(1).unwrap();
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    let names = rows.flat_map(|row| row.split('|').nth(1).unwrap().split('`').skip(1).step_by(2));
    names.map(str::to_owned).collect()
}

#[test]
fn empty_variables_are_unset() {
    let home = tempfile::tempdir().unwrap();
    let check = |empty: &[String]| {
        let mut command = std::process::Command::new(harness::program());
        command.args(["check", "--json"]).env_clear().current_dir(home.path());
        let output = command.envs(empty.iter().map(|name| (name, ""))).output().unwrap();
        let told: serde_json::Value =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{empty:?}: {output:?}"));
        assert_eq!(told["findings"][0]["status"], "ok", "{empty:?}: {told:#}");
        told
    };
    let all = documented();
    assert!(all.len() >= 17, "{all:?}");
    let by_default = check(&[]);
    assert_eq!(check(&all), by_default, "all at once");
    for name in all {
        check(&[name]);
    }
}

#[tokio::test]
async fn secrets_are_the_same_from_every_place_and_with_every_end_of_line() {
    const SECRET: &str = "0123456789abcdef0123456789abcdef";
    for written in [format!("{SECRET}\n"), format!("{SECRET}\r\n"), format!("\u{feff}{SECRET}\n")] {
        let home = tempfile::tempdir().unwrap();
        let data = home.path().join("data");
        fs::create_dir(&data).unwrap();
        fs::write(data.join("metrics_token"), &written).unwrap();
        let elsewhere = home.path().join("token");
        fs::write(&elsewhere, &written).unwrap();
        let settings =
            [None, Some(("METRICS_TOKEN_FILE", elsewhere.display().to_string())), Some(("METRICS_TOKEN", written))];
        for setting in settings {
            let mut program = program(home.path());
            if let Some((name, value)) = &setting {
                program = program.setting(name, value.as_str());
            }
            let process = program.start().await;
            process.client().with_token(SECRET).get("/metrics").await.expect(200);
            drop(process);
        }
    }
}

#[tokio::test]
async fn with_json_every_line_of_a_server_is_json() {
    let lines = |log: String| -> Vec<serde_json::Value> {
        log.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"))).collect()
    };
    let json = || Process::builder().setting("LOG_FORMAT", "json");
    let mut running = json().start().await;
    assert!(running.terminate().await.success());
    let said = lines(running.log());
    let message = |text: &str| said.iter().any(|line| line["fields"]["message"].as_str().unwrap().starts_with(text));
    assert!(message("LiveChatLog listens on http://") && message("First admin: "), "{said:?}");
    for (name, value) in
        [("TRUSTED_PROXIES", "x"), ("PORT", "x"), ("HOST", "no host"), ("JWT_SECRET_FILE", "/none"), ("RUST_LOG", "=")]
    {
        let mut failing = json().setting(name, value).spawn();
        assert_eq!(failing.wait_for_end(DEADLINE).await.code(), Some(2), "{name}");
        let said = lines(failing.log());
        let name = name.trim_end_matches("_FILE");
        assert!(said[0]["level"] == "ERROR" && said[0]["fields"].to_string().contains(name), "{name}: {said:?}");
    }
}

#[test]
fn every_setting_of_the_readme_is_tried() {
    let tried: BTreeSet<String> = MALFORMED.iter().map(|(name, ..)| (*name).to_owned()).collect();
    assert_eq!(documented().into_iter().collect::<BTreeSet<_>>(), tried);
}

#[tokio::test]
async fn ipv6_address_is_listened_on_with_and_without_brackets() {
    if std::net::TcpListener::bind("[::1]:0").is_err() {
        harness::left_out_without("listening on ::1", "IPv6");
        return;
    }
    let home = tempfile::tempdir().unwrap();
    for host in ["::1", "[::1]"] {
        let mut process = program(home.path()).setting("HOST", host).setting("PORT", "0").spawn();
        harness::eventually(DEADLINE, "it listens", async || {
            let log = process.log();
            if log.contains("listens on http://[::1]:") { Ok(()) } else { Err(log) }
        })
        .await;
        assert!(process.terminate().await.success());
    }
}
