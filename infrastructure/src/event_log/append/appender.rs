//! The one task of a process that writes to the log.

use std::sync::Arc;
use std::time::Duration;

use application::ports::{AppendError, LogHead, WakeUps};
use futures::future::join;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::batch::{AppendQueue, Pending};
use super::commit::{Committer, Outcome};
use super::plan::Plan;
use super::refusal::{explain, unavailable};
use super::request::{Prepared, PreparedEvent};
use super::versions::KnownVersions;
use crate::database::{Database, DatabaseError};
use crate::event_log::history::{Committed, History, LogHint};
use crate::event_log::stored::StoredEvent;

/// The database was restored or replaced under a running node.
#[derive(Debug, thiserror::Error)]
#[error("the event log was replaced by another one")]
struct Forked;

/// Commits whatever has queued while the last batch was committed. It ends after the last sender is gone.
pub(crate) struct Appender {
    pub(crate) database: Database,
    pub(crate) committer: Committer,
    pub(crate) queue: AppendQueue,
    pub(crate) known: KnownVersions,
    pub(crate) committed: mpsc::Sender<Committed>,
    pub(crate) hint: LogHint,
    pub(crate) wake_ups: Arc<dyn WakeUps>,
    pub(crate) history: History,
}

/// A committed group whose callers have no answer yet.
struct Done {
    group: Vec<Pending>,
    plan: Plan,
}

impl Appender {
    pub(crate) async fn run(mut self) {
        let mut done = None;
        loop {
            let mut batch = self.queue.next_full_batch();
            if batch.is_none() {
                self.answer(done.take()).await;
                batch = self.queue.next_batch().await;
            }
            let Some(batch) = batch else { return };
            let group = self.without_stale(batch.requests);
            if group.is_empty() {
                self.answer(done.take()).await;
                tokio::task::yield_now().await;
            } else {
                done = self.write(group, done).await;
            }
        }
    }

    /// Removes the requests without a waiting caller, and those that are known to be outdated: they would make the whole
    /// batch fail.
    fn without_stale(&self, requests: Vec<Pending>) -> Vec<Pending> {
        let wanted = requests.into_iter().filter(|pending| !pending.answer.is_closed());
        let (outdated, group): (Vec<_>, Vec<_>) = wanted.partition(|pending| self.known.outdate(&pending.request));
        for pending in outdated {
            self.refuse(pending, None);
        }
        group
    }

    /// Commits a group, by halves if the database refuses it as a whole, and meanwhile answers the group before. Returns
    /// the group that still has to be answered.
    async fn write(&mut self, group: Vec<Pending>, mut done: Option<Done>) -> Option<Done> {
        let mut groups = vec![group];
        while let Some(group) = groups.pop() {
            if self.committed.capacity() == 0 {
                // Waiting for the tailer must not delay the answers to a finished commit.
                self.answer(done.take()).await;
            }
            let begun = Instant::now();
            let committing = async {
                let outcome = self.committer.commit(&group, &mut self.known).await;
                (outcome, begun.elapsed())
            };
            let answering = answer(done.take(), &self.committed, &*self.wake_ups);
            // In this order, the database has work before the answers are sent.
            let ((outcome, duration), ()) = join(committing, answering).await;
            match outcome {
                Outcome::Committed(plan) => {
                    measure_commit(duration, &group);
                    group.iter().for_each(|pending| self.known.remember(&pending.request));
                    done = Some(Done { group, plan });
                }
                Outcome::Unavailable(error) => self.unavailable(group, error),
                Outcome::Forked(head) => self.forked(group, &head),
                Outcome::Refused(error) => match <[Pending; 1]>::try_from(group) {
                    Ok([pending]) => self.refuse(pending, Some(error)),
                    Err(mut group) => {
                        let second = group.split_off(group.len() / 2);
                        groups.extend([second, group]);
                    }
                },
            }
        }
        done
    }

    async fn answer(&self, done: Option<Done>) {
        answer(done, &self.committed, &*self.wake_ups).await;
    }

    /// This node can append nothing any more: it has to be restarted on the log as it is now.
    fn forked(&mut self, group: Vec<Pending>, head: &LogHead) {
        tracing::error!(position = head.position, epoch = %head.epoch, "the event log was replaced by another one");
        self.history.fork();
        self.known.forget();
        self.hint.look();
        for pending in group {
            drop(pending.answer.send(Err(AppendError::Unavailable { source: Box::new(Forked) })));
        }
    }

    fn unavailable(&mut self, group: Vec<Pending>, error: DatabaseError) {
        tracing::warn!(error = &error as &dyn std::error::Error, requests = group.len(), "event log is unavailable");
        // The database may come back with another history,
        self.known.forget();
        // or with commits that it has not confirmed.
        self.hint.look();
        let error = Arc::new(error);
        metrics::counter!("livechatlog_append_refusals_total", "reason" => "unavailable").increment(group.len() as u64);
        for pending in group {
            drop(pending.answer.send(Err(unavailable(&error))));
        }
    }

    /// Answers from a task of its own, so that the appender goes on.
    fn refuse(&self, pending: Pending, cause: Option<DatabaseError>) {
        let database = self.database.clone();
        tokio::spawn(async move {
            let reason = explain(&database, &pending.request, cause).await;
            metrics::counter!("livechatlog_append_refusals_total", "reason" => name(&reason)).increment(1);
            drop(pending.answer.send(Err(reason)));
        });
    }
}

async fn answer(done: Option<Done>, committed: &mpsc::Sender<Committed>, wake_ups: &dyn WakeUps) {
    let Some(Done { group, plan }) = done else { return };
    let mut events = Vec::with_capacity(plan.hashes.len());
    let mut numbered = (plan.first.0..).zip(plan.hashes);
    for (pending, receipt) in group.into_iter().zip(plan.receipts) {
        metrics::histogram!("livechatlog_append_seconds").record(pending.since.elapsed());
        let Prepared { events: appended, .. } = pending.request;
        let recorded_at = receipt.recorded_at;
        // A caller that has gone away needs no answer.
        drop(pending.answer.send(Ok(receipt)));
        for (event, (position, chain_hash)) in appended.into_iter().zip(&mut numbered) {
            let PreparedEvent { mut header, payload, .. } = event;
            header.position = position;
            header.chain_hash = chain_hash;
            header.recorded_at = recorded_at;
            events.push(StoredEvent { header, payload });
        }
    }
    wake_ups.announce(plan.after.position);
    // The tailer ends only together with the log.
    drop(committed.send(events).await);
}

fn measure_commit(duration: Duration, group: &[Pending]) {
    let events: usize = group.iter().map(|pending| pending.request.events.len()).sum();
    metrics::histogram!("livechatlog_commit_seconds").record(duration);
    metrics::histogram!("livechatlog_commit_events").record(u32::try_from(events).unwrap_or(u32::MAX));
}

/// The reasons by which refused appends are counted.
pub const REFUSAL_REASONS: [&str; 4] = ["conflict", "repeated", "invalid", "unavailable"];

const fn name(error: &AppendError) -> &'static str {
    match error {
        AppendError::Conflict { .. } => "conflict",
        AppendError::Repeated { .. } => "repeated",
        AppendError::Invalid { .. } => "invalid",
        AppendError::Unavailable { .. } => "unavailable",
    }
}
