//! The right to read, on open streams: tokens expire and sessions end, also where nothing stands in the log. What does
//! stand there, such as a deletion, a reader meets as a change.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use domain::ids::SessionId;
use domain::time::Timestamp;
use futures::future::join_all;

use super::End;
use super::hub::Hub;
use super::seats::Seat;

/// How often all open streams are looked at together.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// The time before the end of a token at which its reader is warned.
const WARN_BEFORE: Duration = Duration::from_secs(60);

impl Hub {
    /// Ends streams whose tokens have expired and whose sessions have ended, until the task is dropped.
    pub async fn watch_authority(self: Arc<Self>) {
        loop {
            self.clock.sleep(LOOK_EVERY).await;
            self.look_at_authority().await;
        }
    }

    async fn look_at_authority(&self) {
        let seats = self.seats.all();
        let now = self.clock.now();
        self.look_at_tickets(&seats).await;
        let mut sessions: HashMap<SessionId, Vec<&Seat>> = HashMap::new();
        for seat in &seats {
            look_at_expiry(seat, now);
            if let Some(session) = seat.credentials().session {
                sessions.entry(session).or_default().push(seat);
            }
        }
        // The store answers all of them with a few statements.
        let looks = sessions.into_iter().map(async |(session, seats)| (self.has_ended(session).await, seats));
        for (has_ended, seats) in join_all(looks).await {
            if has_ended {
                seats.iter().for_each(|seat| seat.end(End::Revoked));
            }
        }
    }

    /// Ends streams whose tickets open newer ones. A store that does not answer ends nothing.
    async fn look_at_tickets(&self, seats: &[Arc<Seat>]) {
        let held: Vec<_> = seats.iter().filter_map(|seat| seat.credentials().ticket).collect();
        if held.is_empty() {
            return;
        }
        let lost = self.tickets.list_lost(&held).await.unwrap_or_default();
        let has_lost = |seat: &&Arc<Seat>| seat.credentials().ticket.is_some_and(|(_, one)| lost.contains(&one));
        seats.iter().filter(has_lost).for_each(|seat| seat.end(End::Superseded));
    }

    /// A store that does not answer ends nothing.
    async fn has_ended(&self, session: SessionId) -> bool {
        matches!(self.authenticator.has_ended(session).await, Ok(true))
    }
}

fn look_at_expiry(seat: &Seat, now: Timestamp) {
    let mut credentials = seat.credentials();
    if credentials.expires_at <= now {
        seat.end(End::TokenExpired);
    } else if credentials.expires_at <= now.plus(WARN_BEFORE) && !credentials.warned {
        credentials.warned = true;
        seat.warn();
    }
}
