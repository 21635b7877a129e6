//! One reader's way through the log.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use application::ports::{Position, Principal};

use super::End;
use super::change::Body;
use super::hub::Hub;
use super::recent::Batch;
use super::seats::{Place, Seat};

/// The pause after a failed or empty look.
const PAUSE: Duration = Duration::from_millis(100);

/// A reader of the stream: a cursor, and what it has vouched for.
pub struct Follower {
    hub: Arc<Hub>,
    place: Place,
    /// Everything up to here was taken, or is not for this reader.
    cursor: Position,
    /// The position that the reader knows of.
    vouched: Position,
    /// Until the cursor is here, events may have come before anybody marked them.
    catching_up: Option<Position>,
    /// Whether there is more to take at once.
    more: bool,
}

/// A change for the reader.
#[derive(Clone, Debug)]
pub struct LiveEvent {
    /// The position of the change in the log.
    pub position: Position,
    /// The position that the reader had before.
    pub after: Position,
    body: Body,
}

impl LiveEvent {
    /// The frame as JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        format!(r#"{{"frame":"event","position":{},"after":{},{}"#, self.position, self.after, self.body)
    }
}

/// What a reader takes at once.
#[derive(Debug, Default)]
pub struct Taken {
    /// Changes, in order.
    pub events: Vec<LiveEvent>,
    /// The position, when the reader has just taken everything that had happened when the stream began.
    pub live: Option<Position>,
    /// The stream ends after the changes.
    pub end: Option<End>,
}

impl Follower {
    pub(super) fn new(hub: Arc<Hub>, place: Place, (position, upto): (Position, Position)) -> Self {
        Self { hub, place, cursor: position, vouched: position, catching_up: Some(upto), more: true }
    }

    fn seat(&self) -> &Seat {
        &self.place.seat
    }

    /// Whether there is something to take at once.
    #[must_use]
    pub const fn has_more(&self) -> bool {
        self.more
    }

    /// Waits until there may be something to take, or another message. Dropping the future loses nothing.
    pub async fn message(&self) {
        self.seat().message().await;
    }

    /// The reason why the stream ends, if it does.
    #[must_use]
    pub fn verdict(&self) -> Option<End> {
        self.seat().verdict()
    }

    /// The seconds until the token expires, if that is soon and the reader has not been warned.
    #[must_use]
    pub fn take_warning(&self) -> Option<u64> {
        let expires_at = self.seat().credentials().expires_at;
        self.seat().take_warning().then(|| expires_at.since(self.hub.clock.now()).as_secs())
    }

    /// Takes what is about the moment. A reader that has events to read gets none of it.
    #[must_use]
    pub fn take_moments(&self) -> Vec<Arc<str>> {
        if self.more || self.catching_up.is_some() {
            self.seat().drop_moments();
            return vec![];
        }
        self.seat().take_moments()
    }

    /// The principal who reads.
    #[must_use]
    pub fn principal(&self) -> Principal {
        self.seat().reader.principal
    }

    /// Takes what is there, in order and bounded in size. Run it to its end: a dropped future may lose a mark.
    pub async fn take(&mut self) -> Taken {
        let head = self.hub.head.load(Ordering::SeqCst);
        let pending = self.seat().take_pending();
        let start = match pending {
            _ if self.catching_up.is_some() || self.more => self.cursor,
            Some(first) => self.cursor.max(first - 1),
            None => {
                self.cursor = self.cursor.max(head);
                return Taken::default();
            }
        };
        match self.hub.batch(start, self.seat(), self.catching_up.is_some()).await {
            Ok(batch) => self.apply(batch).await,
            Err(refusal) => {
                tracing::debug!(code = refusal.code.as_str(), "a page of the stream could not be read");
                self.cursor = start;
                self.more = true;
                self.hub.clock.sleep(PAUSE).await;
                Taken::default()
            }
        }
    }

    async fn apply(&mut self, batch: Batch) -> Taken {
        let Batch { bodies, end, more, verdict } = batch;
        let events = bodies.into_iter().map(|(position, body)| {
            let after = std::mem::replace(&mut self.vouched, position);
            LiveEvent { position, after, body }
        });
        let mut taken = Taken { events: events.collect(), live: None, end: verdict };
        let made_progress = end > self.cursor;
        self.cursor = self.cursor.max(end);
        match self.catching_up {
            Some(upto) if self.cursor >= upto && !more => {
                (self.catching_up, self.more) = (None, false);
                self.vouched = self.cursor;
                taken.live = Some(self.cursor);
            }
            Some(_) => {
                self.more = true;
                if !made_progress {
                    self.hub.clock.sleep(PAUSE).await;
                }
            }
            None => self.more = more,
        }
        taken
    }

    /// The reader's position, if it is further than the reader knows.
    pub fn checkpoint(&mut self) -> Option<Position> {
        let is_news = self.cursor > self.vouched && self.catching_up.is_none();
        is_news.then(|| {
            self.vouched = self.cursor;
            self.cursor
        })
    }

    /// Continues with a new token of the same visitor or agent.
    ///
    /// # Errors
    /// Why the stream ends instead.
    pub async fn renew(&self, token: &str) -> Result<(), End> {
        let (caller, expires_at) = self.hub.caller_of(token).await?;
        if !is_same(caller.principal, self.principal()) {
            return Err(End::OtherSubject);
        }
        let mut credentials = self.seat().credentials();
        (credentials.session, credentials.expires_at) = (caller.session, expires_at);
        credentials.warned = false;
        Ok(())
    }
}

fn is_same(one: Principal, other: Principal) -> bool {
    match (one, other) {
        (Principal::Agent { id: one, .. }, Principal::Agent { id: other, .. }) => one == other,
        (Principal::Visitor { id: one }, Principal::Visitor { id: other }) => one == other,
        (Principal::Agent { .. }, Principal::Visitor { .. }) | (Principal::Visitor { .. }, Principal::Agent { .. }) => {
            false
        }
    }
}
