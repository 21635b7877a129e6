//! Questions to a database that are answered together.

use std::future::Future;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

/// The most questions of a batch.
pub(crate) const MOST: usize = 256;

/// A batch that takes longer, perhaps on a dead connection, keeps nobody else waiting.
const OVERTAKEN_AFTER: Duration = Duration::from_millis(50);

/// Answers questions in batches. Those that come while a batch is under way make up the next one: a busy node asks the
/// database no more often than it can answer, and every answer is newer than its question.
#[derive(Clone, Debug)]
pub(crate) struct Batching<Q, A> {
    questions: mpsc::UnboundedSender<(Q, oneshot::Sender<A>)>,
}

impl<Q: Send + 'static, A: Send + 'static> Batching<Q, A> {
    /// Starts the task that answers; it ends with the last clone. `answer` gives one answer for each question, in order.
    pub(crate) fn start<F, R>(answer: F) -> Self
    where
        F: Fn(Vec<Q>) -> R + Send + 'static,
        R: Future<Output = Vec<A>> + Send + 'static,
    {
        let (questions, mut incoming) = mpsc::unbounded_channel::<(Q, oneshot::Sender<A>)>();
        tokio::spawn(async move {
            let mut batch = Vec::new();
            while incoming.recv_many(&mut batch, MOST).await > 0 {
                let (questions, askers): (Vec<_>, Vec<_>) =
                    batch.drain(..).filter(|(_, asker)| !asker.is_closed()).unzip();
                if askers.is_empty() {
                    continue;
                }
                let answers = answer(questions);
                // A task of its own: should it panic, the next batch is answered all the same.
                let answering = tokio::spawn(async move {
                    for (asker, answer) in askers.into_iter().zip(answers.await) {
                        // A caller that has gone away does not need to know.
                        drop(asker.send(answer));
                    }
                });
                drop(timeout(OVERTAKEN_AFTER, answering).await);
            }
        });
        Self { questions }
    }

    /// The answer; none when there is none, for a panic.
    pub(crate) async fn ask(&self, question: Q) -> Option<A> {
        let (asker, answer) = oneshot::channel();
        self.questions.send((question, asker)).ok()?;
        answer.await.ok()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use futures::future::join_all;
    use tokio::sync::Semaphore;
    use tokio::task::yield_now;

    use super::*;

    #[tokio::test]
    async fn what_comes_while_a_batch_is_under_way_is_the_next_batch() {
        let (batches, gate) = (Arc::new(Mutex::new(vec![])), Arc::new(Semaphore::new(0)));
        let (seen, closed) = (Arc::clone(&batches), Arc::clone(&gate));
        let doubling = Batching::start(move |questions: Vec<i32>| {
            let gate = Arc::clone(&closed);
            seen.lock().unwrap().push(questions.clone());
            async move {
                gate.acquire().await.unwrap().forget();
                questions.into_iter().map(|question| question * 2).collect()
            }
        });
        let first = tokio::spawn({
            let doubling = doubling.clone();
            async move { doubling.ask(1).await }
        });
        while batches.lock().unwrap().is_empty() {
            yield_now().await;
        }
        let (rest, ()) = tokio::join!(join_all((2..=4).map(|question| doubling.ask(question))), async {
            gate.add_permits(2);
        });
        assert_eq!((first.await.unwrap(), rest), (Some(2), vec![Some(4), Some(6), Some(8)]));
        assert_eq!(*batches.lock().unwrap(), [vec![1], vec![2, 3, 4]]);
    }
    #[tokio::test]
    async fn batch_that_hangs_or_panics_harms_nobody_else() {
        let asked = Batching::start(move |questions: Vec<&str>| async move {
            match questions[0] {
                "hang" => std::future::pending().await,
                "panic" => panic!("as asked"),
                _ => questions,
            }
        });
        let hanging = tokio::spawn({
            let asked = asked.clone();
            async move { asked.ask("hang").await }
        });
        yield_now().await;
        assert_eq!(asked.ask("panic").await, None);
        assert_eq!(asked.ask("fine").await, Some("fine"));
        assert!(!hanging.is_finished());
    }
}
