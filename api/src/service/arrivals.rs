use application::UseCaseError;
use application::chat::{IfUnchanged, ReopenChat};
use application::command_bus::{CommandContext, Executed};
use application::ports::{Principal, RateLimit, Sequence};
use application::visitors::{NewSession, VisitorSession, VisitorSessions};
use domain::ids::{ConversationId, VisitorId};
use tracing::Instrument as _;

use super::open_chats::ChatPlace;
use super::{Action, Authenticator, Caller, Dispatch, Entrance, Limits, OpenChats, Refusal};

/// Begins, reopens and continues the chats of visitors, within the limits of their network address.
#[derive(Clone)]
pub struct Arrivals {
    authenticator: Authenticator,
    limits: Limits,
    open_chats: OpenChats,
    sessions: VisitorSessions,
    dispatch: Dispatch,
}

/// A person who wants to chat and was counted, with the session token of a visitor who returns.
pub struct Arrival {
    address: String,
    session_token: Option<String>,
    standing: Option<RateLimit>,
}

impl Arrival {
    /// The state of the limit that the chat counts for; none where limits are off.
    #[must_use]
    pub const fn standing(&self) -> Option<RateLimit> {
        self.standing
    }
}

impl Arrivals {
    /// Receives visitors with these limits.
    #[must_use]
    pub fn new(
        authenticator: Authenticator,
        (limits, open_chats): (Limits, OpenChats),
        (sessions, dispatch): (VisitorSessions, Dispatch),
    ) -> Self {
        Self { authenticator, limits, open_chats, sessions, dispatch }
    }

    /// Counts a new chat: of the visitor whom the session token names, or of a stranger.
    ///
    /// # Errors
    /// [`super::Code::RateLimited`].
    pub async fn arrive(&self, entrance: &Entrance, session_token: Option<String>) -> Result<Arrival, Refusal> {
        entrance.ensure_for(Action::StartChat)?;
        let address = entrance.address().to_owned();
        let returning = self.authenticator.named_by(session_token.as_deref());
        let standing = self.limits.take_chat(returning, &address).await?;
        Ok(Arrival { address, session_token, standing })
    }

    /// The visitor of the session token; none without one.
    ///
    /// # Errors
    /// [`super::Code::SessionTokenInvalid`] when it is not the valid token of a visitor.
    pub async fn recognise(&self, arrival: &Arrival) -> Result<Option<VisitorId>, Refusal> {
        match &arrival.session_token {
            Some(token) => self.authenticator.visitor_of(token).await.map(Some),
            None => Ok(None),
        }
    }

    /// Begins a chat, or continues the one that is open.
    ///
    /// # Errors
    /// [`super::Code::TooManyOpenChats`], [`super::Code::ChatErased`].
    pub async fn begin(&self, arrival: Arrival, session: NewSession) -> Result<Executed<VisitorSession>, Refusal> {
        let command_id = session.repeatable.map(|(command_id, _)| command_id);
        let place = self.open_chats.admit(arrival.address, session.known, command_id).await?;
        let sessions = self.sessions.clone();
        let begins = async move { Ok(sessions.begin(session).await?) };
        counted(place, begins, |executed| executed.output.chat.conversation_id).await
    }

    /// Reopens a chat. One that its visitor reopens counts for the address.
    ///
    /// # Errors
    /// [`super::Code::TooManyOpenChats`], or the refusal of the use case.
    pub async fn reopen(
        &self,
        (entrance, caller): (&Entrance, &Caller),
        context: CommandContext,
        (conversation_id, known_version): (ConversationId, Option<Sequence>),
    ) -> Result<Executed<()>, Refusal> {
        let principal = caller.principal;
        let change = ReopenChat { principal, conversation_id };
        let use_case = IfUnchanged { principal, conversation_id, known_version, change };
        let place = match principal {
            Principal::Visitor { .. } => {
                let command_id = context.repeatable.as_ref().map(|_| context.command_id);
                self.open_chats.admit(entrance.address().to_owned(), None, command_id).await?
            }
            Principal::Agent { .. } => None,
        };
        let dispatch = self.dispatch.clone();
        let reopens = async move { Ok(dispatch.run(context, use_case).await?.map(|_| ())) };
        counted(place, reopens, move |_| conversation_id).await
    }

    /// A new token of a visitor whose session token is valid, and the seconds for which it is valid.
    ///
    /// # Errors
    /// [`super::Code::SessionTokenInvalid`].
    pub async fn renew(&self, entrance: &Entrance, session_token: &str) -> Result<(VisitorId, String, i64), Refusal> {
        entrance.ensure_for(Action::RenewVisitor)?;
        let visitor_id = self.authenticator.visitor_of(session_token).await?;
        let (token, expires_in) = self.sessions.renew(visitor_id);
        Ok((visitor_id, token, expires_in))
    }
}

/// Opens a chat and settles its place. This runs to its end even if the client hangs up, as the command does: otherwise
/// its chat would not count.
async fn counted<T: Send + 'static>(
    place: Option<ChatPlace>,
    opens: impl Future<Output = Result<T, Refusal>> + Send + 'static,
    id_of: impl FnOnce(&T) -> ConversationId + Send + 'static,
) -> Result<T, Refusal> {
    let Some(place) = place else { return opens.await };
    let task = async move {
        let opened = opens.await;
        place.settle(opened.as_ref().ok().map(id_of)).await;
        opened
    };
    tokio::spawn(task.in_current_span()).await.unwrap_or_else(|_| Err(UseCaseError::Aborted.into()))
}
