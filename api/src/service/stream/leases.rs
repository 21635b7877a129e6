//! An agent's open stream is a lease of presence: pages in the background send no heartbeats in time, but their connection
//! stays open. When the last one closes, the lease runs out like that of a heartbeat.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use application::ports::Principal;
use application::presence::{LEASE, Presence};
use domain::ids::{AgentId, SessionId};
use futures::future::join_all;

use super::hub::Hub;
use super::seats::Seat;

/// How often the hub looks for leases to renew.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The time after which a lease is renewed: long before it ends.
const RENEW_AFTER: Duration = Duration::from_secs(LEASE.as_secs() / 3);

impl Hub {
    /// Renews the leases of agents with open streams, until the task is dropped.
    pub async fn keep_leases(self: Arc<Self>, presence: Arc<Presence>) {
        loop {
            self.renew_leases(&presence).await;
            self.clock.sleep(LOOK_EVERY).await;
        }
    }

    async fn renew_leases(&self, presence: &Presence) {
        let (now, seats) = (self.clock.now(), self.seats.all());
        let mut due: HashMap<SessionId, (AgentId, Vec<&Seat>)> = HashMap::new();
        for seat in &seats {
            let session = seat.credentials().session;
            if let (Principal::Agent { id, .. }, Some(session), true) =
                (seat.reader.principal, session, seat.is_lease_due(now, RENEW_AFTER))
            {
                due.entry(session).or_insert_with(|| (id, vec![])).1.push(seat);
            }
        }
        let renewals = due.into_iter().map(async |(session, (id, seats))| {
            if self.renew(presence, id, session).await {
                seats.iter().for_each(|seat| seat.note_lease(now));
            }
        });
        join_all(renewals).await;
    }

    /// A failed renewal is tried again with the next look.
    async fn renew(&self, presence: &Presence, id: AgentId, session: SessionId) -> bool {
        let bus = &self.renderer.bus;
        let context = bus.context(format!("agent:{id}"), bus.new_uuid());
        match presence.heartbeat(context, id, session).await {
            Ok(_) => true,
            Err(error) => {
                tracing::debug!(error = &error as &dyn std::error::Error, "a lease could not be renewed");
                false
            }
        }
    }
}
