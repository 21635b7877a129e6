use std::sync::Arc;

use tokio::task::JoinHandle;

/// Tasks that never end by themselves. Clones are the same tasks.
#[derive(Clone, Debug, Default)]
pub struct BackgroundTasks(Arc<Vec<(&'static str, JoinHandle<()>)>>);

impl BackgroundTasks {
    /// Keeps an eye on these, each with its name.
    #[must_use]
    pub fn new(tasks: Vec<(&'static str, JoinHandle<()>)>) -> Self {
        Self(Arc::new(tasks))
    }

    /// The names of those that have ended all the same: by a panic, which is in the program's log.
    pub fn ended(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().filter(|(_, task)| task.is_finished()).map(|(name, _)| *name)
    }

    /// Ends them all.
    pub fn stop(&self) {
        for (_, task) in self.0.iter() {
            task.abort();
        }
    }
}
