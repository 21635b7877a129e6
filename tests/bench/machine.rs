//! What the program takes of the machine, and how busy that is otherwise.

use std::fs;
use std::time::{Duration, Instant};

use application::ports::Clock as _;
use harness::{DatabaseKind, Process, ProcessBuilder, TestDatabase};
use infrastructure::system::SystemClock;
use sqlx::{Connection as _, MySqlConnection, Row as _};

use crate::connection::{Connection, request};

/// How many times a start is measured.
const STARTS: usize = 7;

/// Start-up and memory.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub struct Footprint {
    /// From the start of the process to the first 200 of `/readyz`, the median of several, in milliseconds.
    pub ready_ms: f64,
    /// Resident memory two seconds later, in MiB.
    pub idle_mib: f64,
}

/// Starts the program several times; it is left as it was found.
pub async fn footprint(program: &ProcessBuilder) -> Footprint {
    let mut times = vec![];
    let mut idle_mib = 0.0;
    for start in 1..=STARTS {
        let begin = Instant::now();
        let mut process = program.clone().spawn();
        until_ready(&process).await;
        times.push(begin.elapsed().as_secs_f64() * 1_000.0);
        if start == STARTS {
            SystemClock.sleep(Duration::from_secs(2)).await;
            idle_mib = memory_mib(&process, "VmRSS:");
        }
        process.terminate().await;
    }
    times.sort_by(f64::total_cmp);
    Footprint { ready_ms: times[STARTS / 2], idle_mib }
}

async fn until_ready(process: &Process) {
    let address = process.base().trim_start_matches("http://");
    let look = request("GET", "/readyz", None, "");
    loop {
        if let Ok(mut connection) = Connection::open(address).await
            && connection.send(&look).await.is_ok_and(|answer| answer.status == 200)
        {
            return;
        }
        SystemClock.sleep(Duration::from_millis(1)).await;
    }
}

/// A figure of `/proc/PID/status`: `VmRSS:` is what it takes now, `VmHWM:` the most it ever took.
pub fn memory_mib(process: &Process, figure: &str) -> f64 {
    let status = fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(figure)).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<f64>().ok()).unwrap_or(f64::NAN) / 1_024.0
}

/// How many processes wanted to run in the last minute, on how many cores.
pub fn busyness() -> String {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    format!("load {} on {cores} cores", load.split_whitespace().next().unwrap_or("unknown"))
}

/// What a commit means on this database.
pub async fn durability(database: &TestDatabase) -> String {
    if database.kind() == DatabaseKind::Sqlite {
        return "SQLite, WAL, log synchronous=FULL (fsync at each commit), read models synchronous=NORMAL".to_owned();
    }
    const SETTINGS: &str = "SELECT CONCAT(VERSION(), \
                            ', innodb_flush_log_at_trx_commit=', @@innodb_flush_log_at_trx_commit, \
                            ', log_bin=', @@log_bin, ', sync_binlog=', @@sync_binlog) AS settings";
    let mut connection = MySqlConnection::connect(database.url()).await.expect("the server answers");
    let row = sqlx::query(SETTINGS).fetch_one(&mut connection).await.expect("the server tells its settings");
    let settings: Vec<u8> = row.try_get_unchecked("settings").expect("a text");
    String::from_utf8_lossy(&settings).into_owned()
}
