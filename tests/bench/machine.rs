//! What the program takes of the machine, and how busy that is otherwise.

use std::fs;
use std::time::{Duration, Instant};

use application::ports::Clock as _;
use harness::{DatabaseKind, Process, ProcessBuilder};
use infrastructure::system::SystemClock;
use sqlx::{Connection as _, MySqlConnection, Row as _};

use crate::connection::{Connection, request};
use crate::driver::median;

/// How many times a start is measured.
const STARTS: usize = 7;

/// Start-up and memory.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub struct Footprint {
    /// From the start of the process to the first 200 of `/readyz`, the median of several, in milliseconds.
    pub ready_ms: f64,
    /// Resident memory two seconds later, in megabytes.
    pub idle_mb: f64,
}

/// Starts the program several times; it is left as it was found.
pub async fn footprint(program: &ProcessBuilder) -> Footprint {
    let mut times = vec![];
    let mut idle_mb = 0.0;
    for start in 1..=STARTS {
        let begin = Instant::now();
        let mut process = program.clone().spawn();
        until_ready(&process).await;
        times.push(begin.elapsed().as_secs_f64() * 1_000.0);
        if start == STARTS {
            SystemClock.sleep(Duration::from_secs(2)).await;
            idle_mb = memory_mb(&process, "VmRSS:");
        }
        process.terminate().await;
    }
    Footprint { ready_ms: median(times), idle_mb }
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

/// A figure of `/proc/PID/status` in megabytes: `VmRSS:` is what it takes now, `VmHWM:` the most it ever took.
pub fn memory_mb(process: &Process, figure: &str) -> f64 {
    let status = fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(figure)).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<f64>().ok()).unwrap_or(f64::NAN) * 1_024.0 / 1e6
}

/// How many ticks of the kernel's clock a second has in `/proc`, `USER_HZ`.
const TICKS: f64 = 100.0;

/// How many cores were at work, on average over some time.
#[derive(Clone, Copy, Debug, Default, serde::Serialize)]
pub struct Cores {
    /// For this process, which makes the load.
    pub load: f64,
    /// For the program that is measured, if it is another process.
    pub program: f64,
    /// For everything on the machine: the rest is a database server, and the kernel's own work.
    pub all: f64,
}

/// For how long cores have worked until now, in seconds.
pub struct Work {
    at: Instant,
    load: f64,
    program: f64,
    all: f64,
}

impl Work {
    /// With that of a program, if it is another process than this one.
    pub fn now(program: Option<&Process>) -> Self {
        let program = program.map_or(0.0, |program| of_process(&program.id().to_string()));
        Self { at: Instant::now(), load: of_process("self"), program, all: of_all() }
    }

    /// From then on, of the same program.
    pub fn since(&self, program: Option<&Process>) -> Cores {
        let now = Self::now(program);
        let seconds = now.at.duration_since(self.at).as_secs_f64();
        Cores {
            load: (now.load - self.load) / seconds,
            program: (now.program - self.program) / seconds,
            all: (now.all - self.all) / seconds,
        }
    }
}

/// `utime` and `stime` of proc(5), the twelfth and thirteenth field after the name, which may hold anything.
fn of_process(process: &str) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    fields.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / TICKS
}

/// Everything but idling, waiting for a disk, and other machines on the same host (`idle`, `iowait`, `steal` of proc(5)).
fn of_all() -> f64 {
    let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
    let ticks: Vec<f64> = stat.split_whitespace().skip(1).take(7).filter_map(|ticks| ticks.parse().ok()).collect();
    ticks.iter().enumerate().filter(|(field, _)| !(3..=4).contains(field)).map(|(_, ticks)| ticks).sum::<f64>() / TICKS
}

/// How many processes wanted to run in the last minute, on how many cores.
pub fn busyness() -> String {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    format!("load {} on {cores} cores", load.split_whitespace().next().unwrap_or("unknown"))
}

/// Processor, cores and memory.
pub fn description() -> String {
    let field = |file: &str, name: &str| {
        let text = fs::read_to_string(file).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        line.split_once(':').map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
    };
    let kib = field("/proc/meminfo", "MemTotal").trim_end_matches(" kB").parse::<f64>().unwrap_or(f64::NAN);
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    format!("{}, {cores} cores, {:.0} GiB", field("/proc/cpuinfo", "model name"), kib / 1_024.0 / 1_024.0)
}

/// What a commit means on this database.
pub async fn durability(kind: DatabaseKind, url: &str) -> String {
    if kind == DatabaseKind::Sqlite {
        return "SQLite, WAL, log synchronous=FULL (fsync at each commit), read models synchronous=NORMAL".to_owned();
    }
    const SETTINGS: &str = "SELECT CONCAT(VERSION(), \
                            ', innodb_flush_log_at_trx_commit=', @@innodb_flush_log_at_trx_commit, \
                            ', log_bin=', @@log_bin, ', sync_binlog=', @@sync_binlog, \
                            ', buffer pool ', @@innodb_buffer_pool_size DIV 1048576, ' MiB') AS settings";
    let mut connection = MySqlConnection::connect(url).await.expect("the server answers");
    let row = sqlx::query(SETTINGS).fetch_one(&mut connection).await.expect("the server reports its settings");
    let settings: Vec<u8> = row.try_get_unchecked("settings").expect("a text");
    String::from_utf8_lossy(&settings).into_owned()
}
