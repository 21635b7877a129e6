//! The beginning of a stream: who reads, and from where.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use application::chat::may_read_all;
use application::ports::{Epoch, Position, Principal};
use domain::time::Timestamp;

use super::follower::Follower;
use super::hub::Hub;
use super::reader::Reader;
use super::seats::Credentials;
use super::tickets::Admission;
use super::{Cursor, End};
use crate::service::authenticate::{Credential, TokenState};
use crate::service::{Action, Caller, Code, ReadModel, Refusal};

/// The most streams of one visitor on a node.
pub const MAX_OF_A_VISITOR: usize = 5;

/// The most streams of one agent on a node.
pub const MAX_OF_AN_AGENT: usize = 20;

/// How long the view of the groups may take to have everything.
const GROUPS_WITHIN: Duration = Duration::from_secs(5);

/// How a stream begins.
#[derive(Clone, Copy, Debug)]
pub struct Welcome {
    /// The history of the log.
    pub epoch: Epoch,
    /// The end of the log.
    pub head: Position,
    /// The position after which the stream begins.
    pub position: Position,
    /// The most streams of this visitor or agent on a node.
    pub streams: usize,
}

impl Hub {
    /// Begins a stream for the bearer of a token, after a position or at the end of the log.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn join(self: &Arc<Self>, token: &str, after: Option<&str>) -> Result<(Welcome, Follower), End> {
        let (caller, expires_at) = self.caller_of(token).await?;
        let credentials = Credentials { session: caller.session, expires_at, ticket: None, warned: false };
        self.seat(&caller, credentials, after).await
    }

    /// Begins a stream for a connection that has a ticket.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn join_with(
        self: &Arc<Self>,
        Admission { ticket, connection }: Admission,
        after: Option<&str>,
    ) -> Result<(Welcome, Follower), End> {
        let caller = self.admit(Credential::Ticket(&ticket)).await?;
        let (session, ticket, expires_at) = (caller.session, Some((ticket.id, connection)), ticket.ends_at);
        // Nobody can renew a ticket, so that a warning is of no use.
        self.seat(&caller, Credentials { session, expires_at, ticket, warned: true }, after).await
    }

    async fn seat(
        self: &Arc<Self>,
        caller: &Caller,
        credentials: Credentials,
        after: Option<&str>,
    ) -> Result<(Welcome, Follower), End> {
        let head = caller.as_of.position();
        let position = self.position(after, head)?;
        let reader = self.reader(caller).await.map_err(|refusal| of_refusal(&refusal))?;
        let streams = if reader.is_agent() { MAX_OF_AN_AGENT } else { MAX_OF_A_VISITOR };
        let (place, marked) = self.seats.take(reader, credentials, (streams, &self.head))?;
        let welcome = Welcome { epoch: self.epoch, head, position, streams };
        // Everything up to both: the hub may be behind the end of the log, or ahead of it.
        Ok((welcome, Follower::new(Arc::clone(self), place, (position, marked.max(head)))))
    }

    fn position(&self, after: Option<&str>, head: Position) -> Result<Position, End> {
        let Some(after) = after else { return Ok(head) };
        let cursor: Cursor = after.parse().map_err(|_| End::BadFrame)?;
        let is_known = cursor.epoch == self.epoch && cursor.position <= head;
        if is_known { Ok(cursor.position) } else { Err(End::UnknownPosition) }
    }

    async fn reader(&self, caller: &Caller) -> Result<Reader, Refusal> {
        let principal = caller.principal;
        let groups = match principal {
            Principal::Agent { id, .. } if !may_read_all(principal) => {
                let position = caller.as_of.position();
                if !self.renderer.views.wait_for(&[ReadModel::Agents], position, GROUPS_WITHIN).await {
                    return Err(Refusal::view_behind());
                }
                self.renderer.agents.groups_of(id).await?.into_iter().collect()
            }
            Principal::Agent { .. } | Principal::Visitor { .. } => BTreeSet::new(),
        };
        Ok(Reader { principal, groups })
    }

    /// The caller of a token, and the time at which the token expires.
    pub(super) async fn caller_of(&self, token: &str) -> Result<(Caller, Timestamp), End> {
        let expires_at = match self.authenticator.look_at(token) {
            TokenState::Valid(verified) => verified.expires_at,
            TokenState::Expired => return Err(End::TokenExpired),
            TokenState::Forged => return Err(End::Revoked),
        };
        Ok((self.admit(Credential::Token(Some(token))).await?, expires_at))
    }

    async fn admit(&self, credential: Credential<'_>) -> Result<Caller, End> {
        let caller = self.authenticator.admit(Action::FollowStream, credential).await;
        caller.map_err(|refusal| of_refusal(&refusal))
    }
}

fn of_refusal(refusal: &Refusal) -> End {
    match refusal.code {
        Code::Unauthorized | Code::Forbidden => End::Revoked,
        _ => End::Overloaded,
    }
}
