//! Commits a group of requests, or finds out why that is impossible.
//!
//! The head of the log is guessed rather than read: the transaction of a plan fails unless the log still ends where the
//! plan expects it. Only a wrong guess costs another round trip.

use std::sync::Arc;
use std::time::Duration;

use application::backoff::Backoff;
use application::ports::{Clock, Epoch, Ids, LogHead, Position};
use tokio::time::{Instant, timeout};

use super::batch::Pending;
use super::plan::Plan;
use super::versions::KnownVersions;
use crate::database::{Database, DatabaseError, Dialect, ErrorClass, Session};
use crate::event_log::head;

/// The causes by which commits that are tried again are counted.
pub const RETRY_CAUSES: [&str; 2] = ["head_moved", "database"];

/// How long the committer tries a group while the database does not work.
const PATIENCE: Duration = Duration::from_secs(5);

/// The time limit of one attempt. Its outcome is unknown when the limit cuts it off.
const ATTEMPT: Duration = Duration::from_millis(2_900);

/// The pauses between attempts.
const BACKOFF: Backoff =
    Backoff { first: Duration::from_millis(6), longest: Duration::from_millis(375), jitter: 2.0 / 3.0 };

/// After another node has appended, this many groups lock the head first: a guess would mostly fail.
const CONTENDED_GROUPS: u32 = 64;

/// The result of a group.
pub(crate) enum Outcome {
    /// The log holds all of it.
    Committed(Plan),
    /// The database refused it although the head was right: the fault is in the group.
    Refused(DatabaseError),
    /// The database did not work for too long. The group may have been committed all the same.
    Unavailable(DatabaseError),
    /// The database holds another history than the one that this node has written to.
    Forked(LogHead),
}

enum Step {
    Done(Outcome),
    /// Another node has appended since this one looked at the head.
    HeadMoved,
}

/// Plans whose commit was sent without an answer. While there is one, nothing may be decided about its requests.
type Unsure = Vec<Plan>;

/// The appender's connection, and its knowledge of the log's end.
pub(crate) struct Committer {
    database: Database,
    epoch: Epoch,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
    session: Option<Session>,
    /// The last known end of the log, which the next plan guesses to be still there.
    head: Option<LogHead>,
    /// Where the log ended when this node last planned or made a commit.
    last_position: Position,
    /// The highest end of the log that is certainly on disk. Commits of other nodes become visible before they are on
    /// disk, and a crash of the database can roll those back.
    durable: Option<LogHead>,
    /// How many groups will still lock the head first.
    contended: u32,
}

impl Committer {
    /// Appends to this history, and to no other.
    pub(crate) fn new(database: Database, epoch: Epoch, clock: Arc<dyn Clock>, ids: Arc<dyn Ids>) -> Self {
        Self { database, epoch, clock, ids, session: None, head: None, last_position: 0, durable: None, contended: 0 }
    }

    /// Appends all requests of the group, or none.
    pub(crate) async fn commit(&mut self, group: &[Pending], known: &mut KnownVersions) -> Outcome {
        let deadline = Instant::now() + PATIENCE;
        let mut failures = 0;
        let mut unsure = Unsure::new();
        loop {
            let within = ATTEMPT.min(deadline.saturating_duration_since(Instant::now()));
            let attempt = timeout(within, self.attempt(group, known, &mut unsure)).await;
            let error = match attempt.unwrap_or(Err(DatabaseError::NoAnswer)) {
                Ok(Step::Done(outcome)) => return outcome,
                Ok(Step::HeadMoved) => {
                    metrics::counter!("livechatlog_commit_retries_total", "cause" => "head_moved").increment(1);
                    continue;
                }
                Err(error) if !error.is_transient() && unsure.is_empty() => return Outcome::Refused(error),
                Err(error) => error,
            };
            self.database.note(&error);
            failures += 1;
            let pause = BACKOFF.pause(failures, self.ids.fraction());
            if Instant::now() + pause > deadline {
                return Outcome::Unavailable(error);
            }
            tracing::debug!(error = &error as &dyn std::error::Error, "retrying the append");
            metrics::counter!("livechatlog_commit_retries_total", "cause" => "database").increment(1);
            self.clock.sleep(pause).await;
        }
    }

    async fn attempt(
        &mut self,
        group: &[Pending],
        known: &mut KnownVersions,
        unsure: &mut Unsure,
    ) -> Result<Step, DatabaseError> {
        let mut session = match self.session.take() {
            Some(session) => session,
            None => self.database.shared_log_session().await?,
        };
        let result = self.attempt_on(&mut session, group, known, unsure).await;
        // The next group must not find an open transaction, whatever went wrong.
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
        unsure: &mut Unsure,
    ) -> Result<Step, DatabaseError> {
        let guessed = self.guess(unsure);
        let head = match guessed {
            Some(head) => head,
            None => head::lock_on(session).await?,
        };
        self.contended = self.contended.saturating_sub(1);
        if let Some(plan) = self.resolve_unsure(session, unsure).await? {
            return Ok(Step::Done(Outcome::Committed(plan)));
        }
        if self.is_foreign(session, &head).await? {
            self.head = None;
            return Ok(Step::Done(Outcome::Forked(head)));
        }
        self.note_head(head, known);
        unsure.push(self.plan(&head, group, known));
        self.send_newest(session, guessed, unsure).await
    }

    /// The head, if a plan may rest on it without a look at the database.
    fn guess(&self, unsure: &Unsure) -> Option<LogHead> {
        self.head.filter(|_| unsure.is_empty() && self.contended == 0)
    }

    /// The plan that was committed after all, if one of the unsure ones was; then the group is done.
    async fn resolve_unsure(
        &mut self,
        session: &mut Session,
        unsure: &mut Unsure,
    ) -> Result<Option<Plan>, DatabaseError> {
        let Some(index) = find_committed(session, unsure).await? else { return Ok(None) };
        session.rollback().await?;
        self.head = None;
        Ok(Some(unsure.swap_remove(index)))
    }

    fn note_head(&mut self, head: LogHead, known: &mut KnownVersions) {
        self.head = Some(head);
        if self.last_position != head.position {
            known.others_appended();
        }
        self.last_position = head.position;
        self.durable.get_or_insert(head);
    }

    fn plan(&self, head: &LogHead, group: &[Pending], known: &KnownVersions) -> Plan {
        let requests = || group.iter().map(|pending| &pending.request);
        Plan::new(self.database.dialect(), (head, self.clock.now()), requests(), &known.demands(requests()))
    }

    /// Sends the newest of the unsure plans. It stays among them until the database has answered, also when the attempt is
    /// cut off in the middle.
    async fn send_newest(
        &mut self,
        session: &mut Session,
        guessed: Option<LogHead>,
        unsure: &mut Unsure,
    ) -> Result<Step, DatabaseError> {
        let newest = unsure.len() - 1;
        match session.commit(&unsure[newest].body, guessed.is_none()).await {
            Ok(()) => Ok(Step::Done(Outcome::Committed(self.committed(unsure.swap_remove(newest))))),
            Err(error) if error.class() == ErrorClass::Unavailable => Err(error),
            Err(error) if error.is_transient() => {
                unsure.truncate(newest);
                Err(error)
            }
            Err(error) => {
                // The same head would refuse an earlier plan as well, and at any other head that plan fails.
                unsure.clear();
                self.refused(session, guessed, error).await
            }
        }
    }

    fn committed(&mut self, plan: Plan) -> Plan {
        self.head = Some(plan.after);
        self.last_position = plan.after.position;
        self.durable = Some(plan.after);
        plan
    }

    /// Whether the log does not continue where this node has left it, because another log has replaced it. Decisions that
    /// rest on the old log must not reach the new one.
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
        // Others have appended. Another history may have grown past the place where this node has left its log.
        let select = format!("SELECT chain_hash FROM events WHERE position = {}", durable.position);
        let rows = session.query(&select).await?;
        Ok(rows.first().map(|row| row.hash("chain_hash")).transpose()? != Some(durable.chain_hash))
    }

    /// Distinguishes a wrong guess of the head from a group that cannot be appended.
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
            // The views have to write, too.
            Dialect::Sqlite => session.close().await,
        }
    }
}

/// The index of the plan that was committed although no answer came. The head must be locked, so that an old session has
/// either ended or not begun.
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
