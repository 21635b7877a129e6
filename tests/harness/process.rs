//! The real program, as a process.

use std::collections::BTreeMap;
use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use reqwest::Method;
use tempfile::TempDir;

use crate::{Client, DEADLINE, TestDatabase, eventually};

/// How to start the program. A clone starts it again on the same data.
#[derive(Clone, Debug, Default)]
pub struct ProcessBuilder {
    settings: BTreeMap<String, String>,
    arguments: Vec<String>,
}

impl ProcessBuilder {
    /// A setting, as an environment variable. Nothing else is taken over from the environment of the test.
    #[must_use]
    pub fn setting(mut self, name: &str, value: impl Into<String>) -> Self {
        self.settings.insert(name.to_owned(), value.into());
        self
    }

    /// A word of the command line, such as `serve`.
    #[must_use]
    pub fn argument(mut self, argument: impl Into<String>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Starts it and waits until `GET /readyz` answers 200.
    ///
    /// # Panics
    /// When the program is missing, or ends, or is not ready within [`DEADLINE`].
    pub async fn start(self) -> Process {
        let mut process = self.spawn();
        process.wait_until_ready().await;
        process
    }

    /// Starts it and does not wait, for commands that end by themselves and starts that are to fail.
    ///
    /// # Panics
    /// When the program is missing.
    #[must_use]
    pub fn spawn(mut self) -> Process {
        let folder = tempfile::Builder::new().prefix("livechatlog-").tempdir().expect("a temporary folder can be made");
        let log = folder.path().join("output.log");
        let output = File::create(&log).expect("a file in a new temporary folder can be made");
        // Tests do in a second what people do in an hour.
        self.settings.entry("RATE_LIMITS".to_owned()).or_insert_with(|| "off".to_owned());
        self.settings.entry("HOST".to_owned()).or_insert_with(|| "127.0.0.1".to_owned());
        self.settings.entry("DATA_DIR".to_owned()).or_insert_with(|| folder.path().join("data").display().to_string());
        let port = self.settings.entry("PORT".to_owned()).or_insert_with(|| free_port().to_string()).clone();
        let child = self.command(folder.path(), output).spawn().unwrap_or_else(|error| panic!("no start: {error}"));
        let client = Client::new(format!("http://127.0.0.1:{port}"));
        Process { child, client, log, _folder: folder }
    }

    fn command(&self, folder: &Path, output: File) -> Command {
        let errors = output.try_clone().expect("an open file can be shared");
        let mut command = Command::new(program());
        command.args(&self.arguments).env_clear().current_dir(folder);
        for name in ["PATH", "HOME", "TMPDIR", "RUST_BACKTRACE", "LLVM_PROFILE_FILE"] {
            command.envs(std::env::var(name).map(|value| (name, value)));
        }
        command.envs(&self.settings).stdin(Stdio::null()).stdout(output).stderr(errors);
        command
    }
}

/// A running program; it is killed when this is dropped. When the test has failed, the end of its log is printed then.
#[derive(Debug)]
pub struct Process {
    child: Child,
    client: Client,
    log: PathBuf,
    _folder: TempDir,
}

impl Process {
    /// The program with its defaults and a data folder of its own.
    #[must_use]
    pub fn builder() -> ProcessBuilder {
        ProcessBuilder::default()
    }

    /// The program on a database.
    #[must_use]
    pub fn on(database: &TestDatabase) -> ProcessBuilder {
        let folder = database.folder().display().to_string();
        Self::builder().setting("DATABASE_URL", database.url()).setting("DATA_DIR", folder)
    }

    /// A client for it, without a token.
    #[must_use]
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// Its URL, such as `http://127.0.0.1:20123`.
    #[must_use]
    pub fn base(&self) -> &str {
        self.client.base()
    }

    /// The number of the process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it has written so far, to either output.
    ///
    /// # Panics
    /// When the file cannot be read.
    #[must_use]
    pub fn log(&self) -> String {
        let bytes = std::fs::read(&self.log).expect("the log of the process can be read");
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn end_of_log(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(200)..].join("\n")
    }

    /// How it ended, if it has.
    ///
    /// # Panics
    /// When the system does not say.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a child can be waited for")
    }

    /// Waits until `GET /readyz` answers 200.
    ///
    /// # Panics
    /// When it ends before or is not ready within [`DEADLINE`].
    pub async fn wait_until_ready(&mut self) {
        let client = self.client.clone();
        let outcome = eventually(DEADLINE, "the program is ready or has ended", async || {
            if let Some(status) = self.ended() {
                return Ok(Some(status));
            }
            match client.try_request(Method::GET, "/readyz", None).await {
                Ok(reply) if reply.status == 200 => Ok(None),
                Ok(reply) => Err(format!("{} {}", reply.status, reply.body)),
                Err(error) => Err(format!("{error:?}")),
            }
        });
        if let Some(status) = outcome.await {
            panic!("the program ended before it was ready, with {status}");
        }
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// When it does not end within the deadline.
    pub async fn wait_for_end(&mut self, deadline: Duration) -> ExitStatus {
        eventually(deadline, "the program has ended", async || self.ended().ok_or("it still runs")).await
    }

    /// Ends it at once, as a loss of power would (`kill -9`), and waits for its end.
    ///
    /// # Panics
    /// When the system refuses.
    pub fn kill9(&mut self) {
        self.child.kill().expect("a child can be killed");
        self.child.wait().expect("a child can be waited for");
    }

    /// Asks it to end (`SIGTERM`) and waits for it.
    ///
    /// # Panics
    /// When it does not end within [`DEADLINE`].
    pub async fn terminate(&mut self) -> ExitStatus {
        self.signal("TERM");
        self.wait_for_end(DEADLINE).await
    }

    /// Sends a signal by its name, such as `STOP`, `CONT` or `TERM`.
    ///
    /// # Panics
    /// When it cannot be sent.
    pub fn signal(&self, name: &str) {
        // The shell's own `kill`: minimal systems have no other.
        let status = Command::new("sh").args(["-c", "kill -s \"$0\" \"$1\"", name, &self.id().to_string()]).status();
        assert!(status.is_ok_and(|status| status.success()), "SIG{name} could not be sent to {}", self.id());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- end of the log of the program on {} ---\n{}\n---", self.base(), self.end_of_log());
        }
    }
}

/// Runs a command of the program on a database to its end, with these settings in addition, and nothing else from the
/// environment of the test. A server may be running on the same database.
///
/// # Panics
/// When the program is missing.
#[must_use]
pub fn run_on(database: &TestDatabase, words: &[&str], settings: &[(&str, &str)]) -> Output {
    let mut command = Command::new(program());
    command.args(words).env_clear().env("DATABASE_URL", database.url()).env("DATA_DIR", database.folder());
    command.envs(settings.iter().copied()).output().unwrap_or_else(|error| panic!("no start: {error}"))
}

/// The program that was built along with the test: `target/debug/livechatlog` for `target/debug/deps/e2e-…`.
///
/// # Panics
/// When it was not built.
#[must_use]
pub fn program() -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its own executable");
    let folder = test.parent().and_then(Path::parent).expect("a test executable lies in target/PROFILE/deps");
    let program = folder.join(format!("livechatlog{}", std::env::consts::EXE_SUFFIX));
    assert!(
        program.is_file(),
        "{} is missing: build it first, with `cargo build --bin livechatlog` or by running tests/run",
        program.display()
    );
    program
}

/// A port that is free, below the range from which the system takes ports for outgoing connections.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn free_port() -> u16 {
    const FIRST: u16 = 20_000;
    const COUNT: u16 = 12_000;
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Several test programs may run at once; each starts somewhere else.
    let start = u16::try_from(std::process::id() * 101 % u32::from(COUNT)).unwrap_or(0);
    (0..COUNT)
        .map(|_| FIRST + (start + NEXT.fetch_add(1, Ordering::Relaxed) % COUNT) % COUNT)
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("a free port below 32000")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_ports_differ_and_can_be_bound() {
        let ports: Vec<u16> = (0..50).map(|_| free_port()).collect();
        let distinct: std::collections::BTreeSet<&u16> = ports.iter().collect();
        assert_eq!(distinct.len(), 50);
        assert!(ports.iter().all(|port| (20_000..32_000).contains(port)));
        assert!(TcpListener::bind(("127.0.0.1", ports[0])).is_ok());
    }
}
