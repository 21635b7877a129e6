//! What ends a server, and what must not.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use harness::{Client, DEADLINE, Process, eventually, program};

fn send(signal: &str, id: u32) {
    assert!(Command::new("kill").args(["-s", signal, &id.to_string()]).status().unwrap().success());
}

#[tokio::test]
async fn signals_that_mean_read_your_files_change_nothing() {
    let mut process = Process::builder().start().await;
    for signal in ["HUP", "USR1", "USR2", "PIPE", "ALRM", "IO", "WINCH", "URG", "CHLD", "CONT"] {
        for _ in 0..3 {
            send(signal, process.id());
            process.client().get("/livez").await.expect(200);
        }
        assert_eq!(process.ended(), None, "{signal}");
    }
    send("TERM", process.id());
    assert!(process.wait_for_end(DEADLINE).await.success(), "{}", process.log());
}

#[tokio::test]
async fn signals_that_ask_for_an_end_are_followed() {
    for signal in ["TERM", "INT", "QUIT"] {
        let mut process = Process::builder().start().await;
        send(signal, process.id());
        assert!(process.wait_for_end(DEADLINE).await.success(), "{signal}: {}", process.log());
    }
}

/// systemd takes an end by some signals for a clean one, and gives up a service that ends on purpose.
#[test]
fn unit_starts_the_service_again_unless_its_settings_are_wrong() {
    let unit = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/deploy/livechatlog.service"));
    for line in ["Restart=always", "RestartPreventExitStatus=2"] {
        assert!(unit.lines().any(|found| found == line), "{line}");
    }
}

/// The program with a standard error that nobody reads.
fn start_unread(folder: &std::path::Path) -> (Child, Client) {
    let mut child = Command::new(program())
        .env_clear()
        .envs([("PORT", "0"), ("RATE_LIMITS", "off"), ("RUST_LOG", "trace,sqlx=off")])
        .env("DATA_DIR", folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let base = line.trim().rsplit(' ').next().unwrap().to_owned();
    (child, Client::new(base))
}

#[tokio::test]
async fn log_that_nobody_reads_stops_neither_requests_nor_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let (mut child, client) = start_unread(&folder.path().join("data"));
    // Far more than a pipe and the queue hold.
    for _ in 0..3_000 {
        client.get("/v1/auth/me").await.expect(401);
    }
    client.get("/livez").await.expect(200);
    send("TERM", child.id());
    let ended = eventually(DEADLINE, "the program has ended", async || child.try_wait().unwrap().ok_or("it runs"));
    assert!(ended.await.success());
}
