use std::future::Future;

use tokio::task::AbortHandle;

/// The two tasks of a channel, one that publishes and one that listens. They end when this is dropped.
#[derive(Debug)]
pub(super) struct Tasks(pub(super) [AbortHandle; 2]);

impl Tasks {
    /// Starts them, within a Tokio runtime.
    pub(super) fn spawn(
        publishing: impl Future<Output = ()> + Send + 'static,
        listening: impl Future<Output = ()> + Send + 'static,
    ) -> Self {
        Self([tokio::spawn(publishing).abort_handle(), tokio::spawn(listening).abort_handle()])
    }
}

impl Drop for Tasks {
    fn drop(&mut self) {
        for task in &self.0 {
            task.abort();
        }
    }
}
