use std::sync::Arc;

use application::UseCaseError;
use application::agents::Sessions;
use application::command_bus::CommandBus;
use application::ports::{AsOf, Principal, StreamTicket, TicketHolder, TokenIssuer, Verified};
use domain::agent::{Agent, Role};
use domain::ids::{AgentId, SessionId, VisitorId};
use domain::time::Timestamp;
use domain::visitor::Visitor;

use super::{Action, Refusal};

/// A caller with a valid token.
#[derive(Clone, Copy, Debug)]
pub struct Caller {
    /// The visitor or the agent. The role is that of now, which may differ from the one in the token.
    pub principal: Principal,
    /// The session of an agent's token.
    pub session: Option<SessionId>,
    /// The moment of authentication: the log holds everything that was acknowledged before the request came. Names and
    /// other things that are only shown may be read as of then; rights are read when they are needed.
    pub as_of: AsOf,
    /// Only the service makes callers.
    _found: Found,
}

/// Proves that a caller was found by a token.
#[derive(Clone, Copy, Debug)]
struct Found;

/// A caller that is an agent, with the role of this moment.
#[derive(Clone, Copy, Debug)]
pub struct CallingAgent {
    pub id: AgentId,
    /// The agent's role now.
    pub role: Role,
}

impl CallingAgent {
    /// The agent, as use cases know callers.
    #[must_use]
    pub const fn principal(self) -> Principal {
        Principal::Agent { id: self.id, role: self.role }
    }
}

impl Caller {
    /// The caller, if it is an agent.
    ///
    /// # Errors
    /// [`super::Code::Forbidden`] for visitors.
    pub fn agent(&self) -> Result<CallingAgent, Refusal> {
        match self.principal {
            Principal::Agent { id, role } => Ok(CallingAgent { id, role }),
            Principal::Visitor { .. } => Err(Refusal::forbidden("Only agents may do this.")),
        }
    }

    /// The caller and the session of its token, if it is an agent.
    ///
    /// # Errors
    /// [`super::Code::Forbidden`] for visitors.
    pub fn agent_session(&self) -> Result<(CallingAgent, SessionId), Refusal> {
        Ok((self.agent()?, self.session.ok_or_else(Refusal::unauthorized)?))
    }
}

/// What a caller shows for itself.
#[derive(Clone, Copy)]
pub(super) enum Credential<'a> {
    /// A bearer token, or none.
    Token(Option<&'a str>),
    /// A ticket that the store knows.
    Ticket(&'a StreamTicket),
}

/// What a token is by its signature and its times alone: the session may have ended and rights may be gone.
pub(super) enum TokenState {
    /// Signed here, and not expired.
    Valid(Verified),
    /// Signed here, and expired.
    Expired,
    Forged,
}

/// The only judge of rights that depend on the caller alone, for all parts of the service. Doors come in through the
/// [`Gate`](super::Gate).
#[derive(Clone)]
pub struct Authenticator {
    bus: CommandBus,
    sessions: Sessions,
    tokens: Arc<dyn TokenIssuer>,
}

impl Caller {
    /// Refuses an action that is not for this caller's role. Rights that depend on the thing itself are checked elsewhere.
    ///
    /// # Errors
    /// [`super::Code::Forbidden`].
    pub fn ensure_may(&self, action: Action) -> Result<(), Refusal> {
        action.access().judge(self.principal)
    }
}

impl Authenticator {
    /// Reads agents and visitors by the bus, and knows which sessions are open.
    #[must_use]
    pub fn new(bus: CommandBus, sessions: Sessions, tokens: Arc<dyn TokenIssuer>) -> Self {
        Self { bus, sessions, tokens }
    }

    /// The caller, if the action is for this caller at this moment.
    ///
    /// # Errors
    /// [`super::Code::Unauthorized`] when the token is missing, forged or expired, its session has ended, the agent was deleted
    /// or the visitor erased; [`super::Code::Forbidden`] without the role.
    pub(super) async fn admit(&self, action: Action, credential: Credential<'_>) -> Result<Caller, Refusal> {
        let caller = match credential {
            Credential::Token(token) => self.bearer_of(token).await?,
            Credential::Ticket(ticket) => self.holder_of(ticket).await?,
        };
        caller.ensure_may(action)?;
        Ok(caller)
    }

    /// What the token is by its signature and its times.
    pub(super) fn look_at(&self, token: &str) -> TokenState {
        match self.tokens.verify(token, self.bus.now()) {
            Ok(verified) => TokenState::Valid(verified),
            // A genuine token was valid once.
            Err(_) if self.tokens.verify(token, Timestamp::from_micros(0)).is_ok() => TokenState::Expired,
            Err(_) => TokenState::Forged,
        }
    }

    /// Whether a session was open and is so no more.
    ///
    /// # Errors
    /// When the store does not answer.
    pub(super) async fn has_ended(&self, session: SessionId) -> Result<bool, UseCaseError> {
        self.sessions.has_ended(session).await
    }

    async fn bearer_of(&self, token: Option<&str>) -> Result<Caller, Refusal> {
        let token = token.ok_or_else(Refusal::unauthorized)?;
        let verified = self.tokens.verify(token, self.bus.now()).map_err(|_| Refusal::unauthorized())?;
        match verified.principal {
            Principal::Visitor { id } => self.visitor(id).await,
            Principal::Agent { id, .. } => {
                let session = verified.session.ok_or_else(Refusal::unauthorized)?;
                self.agent(id, session).await
            }
        }
    }

    async fn holder_of(&self, ticket: &StreamTicket) -> Result<Caller, Refusal> {
        match ticket.holder {
            TicketHolder::Agent { id, session } => self.agent(id, session).await,
            TicketHolder::Visitor { id } => self.visitor(id).await,
        }
    }

    async fn visitor(&self, id: VisitorId) -> Result<Caller, Refusal> {
        let as_of = self.bus.as_of_now().await?;
        ensure_not_erased(&*self.bus.read_as_of(id, as_of).await?)?;
        Ok(Caller { principal: Principal::Visitor { id }, session: None, as_of, _found: Found })
    }

    async fn agent(&self, id: AgentId, session: SessionId) -> Result<Caller, Refusal> {
        let (is_open, as_of) = tokio::join!(self.sessions.is_open(session, id), self.bus.as_of_now());
        // First: an ended session is refused whether or not the log answers.
        if !is_open? {
            return Err(Refusal::unauthorized());
        }
        let as_of = as_of?;
        // A token outlives demotions and deletions; the log has the present state.
        let agent = self.bus.read_as_of::<Agent>(id, as_of).await?;
        if !agent.is_present() {
            return Err(Refusal::unauthorized());
        }
        Ok(Caller {
            principal: Principal::Agent { id, role: agent.role },
            session: Some(session),
            as_of,
            _found: Found,
        })
    }

    /// The visitor of a session token that a widget sends back.
    ///
    /// # Errors
    /// [`super::Code::SessionTokenInvalid`] when it is not the valid token of a visitor.
    pub(super) async fn visitor_of(&self, token: &str) -> Result<VisitorId, Refusal> {
        match self.named_by(Some(token)) {
            Some(Principal::Visitor { id }) if !self.bus.read::<Visitor>(id).await?.erased => Ok(id),
            Some(_) | None => Err(Refusal::invalid_session_token()),
        }
    }

    /// The principal that a token names, by its signature alone: the session may have ended and rights may be gone. Good
    /// enough to count requests.
    pub(super) fn named_by(&self, token: Option<&str>) -> Option<Principal> {
        Some(self.tokens.verify(token?, self.bus.now()).ok()?.principal)
    }
}

/// The tokens of erased visitors are refused, on every node.
fn ensure_not_erased(visitor: &Visitor) -> Result<(), Refusal> {
    if visitor.erased { Err(Refusal::unauthorized()) } else { Ok(()) }
}
