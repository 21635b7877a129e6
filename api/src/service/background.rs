use std::future::pending;
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

    /// Starts work that comes to its end as a task that does not: nothing but a panic ends it.
    pub fn lasting(work: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
        tokio::spawn(async {
            work.await;
            pending().await
        })
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

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn work_that_is_done_has_not_ended_and_a_panic_has() {
        let (done, is_done) = oneshot::channel();
        let work = BackgroundTasks::lasting(async { done.send(()).unwrap() });
        let panicking = BackgroundTasks::lasting(async { panic!("as asked") });
        let tasks = BackgroundTasks::new(vec![("work", work), ("panic", panicking)]);
        is_done.await.unwrap();
        while tasks.ended().next().is_none() {
            tokio::task::yield_now().await;
        }
        assert_eq!(tasks.ended().collect::<Vec<_>>(), ["panic"]);
    }
}
