//! Commits a group of requests, or finds out why it cannot be done.

use std::sync::Arc;
use std::time::Duration;

use application::ports::{Clock, Epoch, Ids, LogHead, Position};
use tokio::time::{Instant, timeout};

use super::batch::Pending;
use super::script::Plan;
use super::versions::KnownVersions;
use crate::database::{Database, DatabaseError, Dialect, ErrorClass, Session};
use crate::event_log::head;

/// How long a group is tried while the database does not work.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long one try may take; given up in its middle, it is not known what became of it.
const ATTEMPT: Duration = Duration::from_millis(2_900);

/// The pauses between tries, before jitter.
const FIRST_PAUSE: Duration = Duration::from_millis(4);
const LONGEST_PAUSE: Duration = Duration::from_millis(250);

/// For so many groups the head is locked first after another node has appended: guessing it would mostly fail.
const CONTENDED_GROUPS: u32 = 64;

/// What became of a group.
pub(crate) enum Outcome {
    /// All of it is in the log.
    Committed(Plan),
    /// The database refused it, and the head was right: the fault is in the group.
    Refused(DatabaseError),
    /// The database did not work for too long. A commit may have happened all the same.
    Unavailable(DatabaseError),
    /// The database holds another history than the one that this node has written to.
    Forked(LogHead),
}

enum Step {
    Done(Outcome),
    /// Another node has appended in between.
    HeadMoved,
}

/// The appender's connection and what it knows of the log's end.
pub(crate) struct Committer {
    database: Database,
    epoch: Epoch,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
    session: Option<Session>,
    /// The end of the log as it was when it was last seen to be this history's.
    head: Option<LogHead>,
    /// Where the log ended when this node last planned or made a commit.
    last_position: Position,
    /// The farthest end of the log that is sure to be on disk. What another node has committed can be seen before it is,
    /// and can be gone after a crash of the database.
    durable: Option<LogHead>,
    contended: u32,
}

impl Committer {
    /// For this history, and no other.
    pub(crate) fn new(database: Database, epoch: Epoch, clock: Arc<dyn Clock>, ids: Arc<dyn Ids>) -> Self {
        Self { database, epoch, clock, ids, session: None, head: None, last_position: 0, durable: None, contended: 0 }
    }

    /// Appends all requests of the group, or none.
    pub(crate) async fn commit(&mut self, group: &[Pending], known: &mut KnownVersions) -> Outcome {
        let deadline = Instant::now() + PATIENCE;
        let mut pause = FIRST_PAUSE;
        // Plans whose commit was sent without an answer.
        let mut unsure = vec![];
        loop {
            let within = ATTEMPT.min(deadline.saturating_duration_since(Instant::now()));
            let attempt = timeout(within, self.attempt(group, known, &mut unsure)).await;
            let error = match attempt.unwrap_or(Err(DatabaseError::NoAnswer)) {
                Ok(Step::Done(outcome)) => return outcome,
                Ok(Step::HeadMoved) => {
                    metrics::counter!("livechatlog_commit_retries_total", "cause" => "head_moved").increment(1);
                    continue;
                }
                // While the fate of a commit is open, nothing may be decided about its requests.
                Err(error) if !error.is_transient() && unsure.is_empty() => return Outcome::Refused(error),
                Err(error) => error,
            };
            if Instant::now() + pause > deadline {
                return Outcome::Unavailable(error);
            }
            tracing::debug!(error = &error as &dyn std::error::Error, "append is tried again");
            metrics::counter!("livechatlog_commit_retries_total", "cause" => "database").increment(1);
            self.clock.sleep(pause.mul_f64(0.5 + self.ids.fraction())).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn attempt(
        &mut self,
        group: &[Pending],
        known: &mut KnownVersions,
        unsure: &mut Vec<Plan>,
    ) -> Result<Step, DatabaseError> {
        let mut session = match self.session.take() {
            Some(session) => session,
            None => self.database.shared_log_session().await?,
        };
        let result = self.attempt_on(&mut session, group, known, unsure).await;
        // Whatever went wrong, the next group must not find an open transaction.
        let usable = match &result {
            Ok(Step::Done(Outcome::Committed(_))) => true,
            Err(error) if error.class() == ErrorClass::Unavailable => false,
            _ => session.rollback().await.is_ok(),
        };
        if usable {
            self.keep(session).await;
        } else {
            self.head = None;
        }
        result
    }

    async fn attempt_on(
        &mut self,
        session: &mut Session,
        group: &[Pending],
        known: &mut KnownVersions,
        unsure: &mut Vec<Plan>,
    ) -> Result<Step, DatabaseError> {
        let guessed = if unsure.is_empty() && self.contended == 0 { self.head } else { None };
        let head = match guessed {
            Some(head) => head,
            None => head::lock_on(session).await?,
        };
        self.contended = self.contended.saturating_sub(1);
        if let Some(index) = find_committed(session, unsure).await? {
            session.rollback().await?;
            self.head = None;
            return Ok(Step::Done(Outcome::Committed(unsure.swap_remove(index))));
        }
        if self.is_foreign(session, &head).await? {
            self.head = None;
            return Ok(Step::Done(Outcome::Forked(head)));
        }
        self.head = Some(head);
        if self.last_position != head.position {
            known.others_appended();
        }
        self.last_position = head.position;
        self.durable.get_or_insert(head);
        let requests = || group.iter().map(|pending| &pending.request);
        let plan = Plan::new(&head, self.clock.now(), requests(), &known.demands(requests()));
        // From here until an answer has come, nobody knows.
        let after = plan.after;
        let this = unsure.len();
        unsure.push(plan);
        let outcome = send(session, guessed.is_none(), &unsure[this].body).await;
        if let Err(error) = &outcome
            && error.class() == ErrorClass::Unavailable
        {
            return outcome.map(|_| Step::HeadMoved);
        }
        let plan = unsure.swap_remove(this);
        match outcome {
            Ok(()) => {
                self.head = Some(after);
                self.last_position = after.position;
                self.durable = Some(after);
                Ok(Step::Done(Outcome::Committed(plan)))
            }
            Err(error) if error.is_transient() => Err(error),
            Err(error) => {
                // What is refused here and now would be refused to an earlier script at the same head as well, and at
                // any other head that one fails.
                unsure.clear();
                self.refused(session, guessed, error).await
            }
        }
    }

    /// Whether the log does not go on where this node has left it: it was replaced by another one. Whatever was decided
    /// on the old one must not be appended to the new one.
    async fn is_foreign(&self, session: &mut Session, head: &LogHead) -> Result<bool, DatabaseError> {
        if head.epoch != self.epoch {
            return Ok(true);
        }
        let Some(durable) = self.durable else { return Ok(false) };
        if head.position < durable.position {
            return Ok(true);
        }
        if head.position == durable.position || durable.position == 0 {
            return Ok(head.position == durable.position && head.chain_hash != durable.chain_hash);
        }
        if self.head.is_some_and(|known| known.position == head.position && known.chain_hash == head.chain_hash) {
            return Ok(false);
        }
        // Others have appended; another history may have grown past the place where this node has left the log.
        let select = format!("SELECT chain_hash FROM events WHERE position = {}", durable.position);
        let rows = session.query(&select).await?;
        Ok(rows.first().map(|row| row.hash("chain_hash")).transpose()? != Some(durable.chain_hash))
    }

    /// Tells a group that cannot be appended from a guess of the head that was wrong.
    async fn refused(
        &mut self,
        session: &mut Session,
        guessed: Option<LogHead>,
        error: DatabaseError,
    ) -> Result<Step, DatabaseError> {
        let Some(guessed) = guessed else { return Ok(Step::Done(Outcome::Refused(error))) };
        session.rollback().await?;
        if head::read_on(session).await? == guessed {
            return Ok(Step::Done(Outcome::Refused(error)));
        }
        self.head = None;
        self.contended = CONTENDED_GROUPS;
        Ok(Step::HeadMoved)
    }

    async fn keep(&mut self, session: Session) {
        match session.dialect() {
            Dialect::Mysql => self.session = Some(session),
            // The views need the right to write, too.
            Dialect::Sqlite => session.close().await,
        }
    }
}

/// Sends the script of a plan; where the head was locked, its transaction has begun.
async fn send(session: &mut Session, has_begun: bool, body: &str) -> Result<(), DatabaseError> {
    if has_begun {
        return session.run(body).await.map(|_| ());
    }
    let begin = session.dialect().begin();
    session.run_whole(format!("{begin}; {body}")).await
}

/// Which plan has been committed after all, of those of which nothing was heard. The head must be locked, so that an old
/// session has either ended or not begun.
async fn find_committed(session: &mut Session, unsure: &[Plan]) -> Result<Option<usize>, DatabaseError> {
    for (index, plan) in unsure.iter().enumerate() {
        if is_in_log(session, plan).await? {
            return Ok(Some(index));
        }
    }
    Ok(None)
}

async fn is_in_log(session: &mut Session, plan: &Plan) -> Result<bool, DatabaseError> {
    let (position, event_id) = plan.first;
    let select = format!("SELECT event_id, chain_hash FROM events WHERE position = {position}");
    let rows = session.query(&select).await?;
    let Some(row) = rows.first() else { return Ok(false) };
    Ok(row.text("event_id")? == event_id.to_string() && Some(&row.hash("chain_hash")?) == plan.hashes.first())
}
