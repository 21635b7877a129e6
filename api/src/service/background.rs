use std::sync::Arc;

use tokio::task::JoinHandle;

/// Tasks that never end by themselves. Clones share the tasks.
#[derive(Clone, Debug, Default)]
pub struct BackgroundTasks(Arc<Vec<(&'static str, JoinHandle<()>)>>);

impl BackgroundTasks {
    /// Watches named tasks.
    #[must_use]
    pub fn new(tasks: Vec<(&'static str, JoinHandle<()>)>) -> Self {
        Self(Arc::new(tasks))
    }

    /// The names of the tasks that have ended nevertheless, by a panic, which is in the log.
    pub fn ended(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().filter(|(_, task)| task.is_finished()).map(|(name, _)| *name)
    }

    /// Stops all tasks.
    pub fn stop(&self) {
        for (_, task) in self.0.iter() {
            task.abort();
        }
    }
}
