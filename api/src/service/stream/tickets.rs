//! Tickets for clients that cannot send a token, such as `EventSource` in browsers: a token in an address would end up in logs
//! and histories, and opens everything. A ticket opens one stream, and is dead with the session.

use std::sync::Arc;
use std::time::Duration;

use application::command_bus::CommandBus;
use application::ports::{Hash, Principal, StreamTicket, TicketHolder, TicketStore};
use application::{InstallationKey, UseCaseError};
use domain::time::Timestamp;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::service::authenticate::{Credential, TokenState};
use crate::service::{Action, Authenticator, Caller, Code, Refusal};

/// How long after its issue a ticket must be used first, in seconds.
const USE_WITHIN: Duration = Duration::from_secs(30);

/// How long a ticket opens its stream again at most.
const LASTS: Duration = Duration::from_secs(12 * 3_600);

/// Issues tickets, and takes them.
#[derive(Clone)]
pub struct Tickets {
    /// Judges the holders of tickets.
    pub authenticator: Authenticator,
    /// Gives ids and the present time.
    pub bus: CommandBus,
    /// Keeps the tickets.
    pub store: Arc<dyn TicketStore>,
    /// Makes tickets that nobody can guess: a secret of the installation.
    pub key: InstallationKey,
}

/// A new ticket.
pub struct Issued {
    /// The words that the client shows.
    pub ticket: String,
    /// The time until which it must be used first.
    pub use_by: Timestamp,
    /// The time from which it opens nothing.
    pub ends_at: Timestamp,
}

/// A connection that has got its ticket.
#[derive(Clone, Copy, Debug)]
pub struct Admission {
    pub(super) ticket: StreamTicket,
    pub(super) connection: Uuid,
}

impl Tickets {
    /// Issues a ticket to a caller.
    ///
    /// # Errors
    /// [`crate::service::Code::Unauthorized`] when the token has just expired, or when the store does not work.
    pub async fn issue(&self, caller: &Caller, token: &str) -> Result<Issued, Refusal> {
        let holder = match (caller.principal, caller.session) {
            (Principal::Visitor { id }, _) => TicketHolder::Visitor { id },
            (Principal::Agent { id, .. }, Some(session)) => TicketHolder::Agent { id, session },
            (Principal::Agent { .. }, None) => return Err(Refusal::unauthorized()),
        };
        let now = self.bus.now();
        let longest = now.plus(LASTS);
        // An agent's session ends the ticket; a visitor has none but the token.
        let ends_at = match holder {
            TicketHolder::Agent { .. } => longest,
            TicketHolder::Visitor { .. } => {
                let TokenState::Valid(verified) = self.authenticator.look_at(token) else {
                    return Err(Refusal::unauthorized());
                };
                longest.min(verified.expires_at)
            }
        };
        let words = self.key.digest(&[self.bus.new_uuid().as_bytes(), self.bus.new_uuid().as_bytes()]);
        let ticket: String = words.iter().map(|byte| format!("{byte:02x}")).collect();
        let (id, use_by) = (id_of(&ticket), now.plus(USE_WITHIN));
        let ticket_of = StreamTicket { id, holder, use_by, ends_at };
        self.store.issue(&ticket_of).await.map_err(UseCaseError::from)?;
        Ok(Issued { ticket, use_by, ends_at })
    }

    /// Takes a ticket for a new connection; `None` if it is dead.
    ///
    /// # Errors
    /// When the store or the log does not work.
    pub async fn take(&self, ticket: &str) -> Result<Option<Admission>, Refusal> {
        let connection = self.bus.new_uuid();
        let taken = self.store.take(id_of(ticket), connection, self.bus.now()).await.map_err(UseCaseError::from)?;
        let Some(ticket) = taken else { return Ok(None) };
        match self.authenticator.admit(Action::FollowStream, Credential::Ticket(&ticket)).await {
            Ok(_) => Ok(Some(Admission { ticket, connection })),
            Err(refusal) if matches!(refusal.code, Code::Unauthorized | Code::Forbidden) => Ok(None),
            Err(refusal) => Err(refusal),
        }
    }
}

fn id_of(ticket: &str) -> Hash {
    Sha256::digest(ticket).into()
}
