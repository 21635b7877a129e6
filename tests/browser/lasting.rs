//! A server that starts again at the same address, on the same data.

use harness::{ADMIN_EMAIL, PASSWORD, Process, ProcessBuilder, free_port};
use tempfile::TempDir;

/// The server and its data.
pub struct Lasting {
    builder: ProcessBuilder,
    /// The program that runs now, or has been killed.
    pub process: Process,
    _data: TempDir,
}

impl Lasting {
    /// Starts on an empty store.
    pub async fn start() -> Self {
        let data = tempfile::tempdir().unwrap();
        let builder = Process::builder()
            .setting("ADMIN_EMAIL", ADMIN_EMAIL)
            .setting("ADMIN_PASSWORD", PASSWORD)
            .setting("PORT", free_port().to_string())
            .setting("DATA_DIR", data.path().display().to_string());
        let process = builder.clone().start().await;
        Self { builder, process, _data: data }
    }

    /// Ends the program as a loss of power would.
    pub fn kill(&mut self) {
        self.process.kill9();
    }

    /// Starts it again.
    pub async fn restart(&mut self) {
        self.process = self.builder.clone().start().await;
    }
}
