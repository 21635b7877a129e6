use std::sync::Arc;

use domain::ids::{CommandId, EntityId as _, GroupId, VisitorId};
use domain::text::{ClientEventId, MessageText, Metadata};
use domain::visitor::{Visitor, VisitorDetails};
use uuid::Uuid;

use crate::chat::{ChatReceipt, StartChat};
use crate::command_bus::{CommandBus, Executed};
use crate::ports::{Hash, Principal, TokenIssuer};
use crate::{InstallationKey, UseCaseError};

/// The fewest characters of an idempotency key without a token: a client with key and body of an anonymous request gets
/// access to its chat, so that nobody may guess the key.
pub const MIN_ANONYMOUS_KEY: usize = 16;

/// The idempotency key of an anonymous request could be guessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must have at least {MIN_ANONYMOUS_KEY} characters in a request without a session token")]
pub struct KeyTooShort;

/// Begins the sessions of visitors.
#[derive(Clone)]
pub struct VisitorSessions {
    /// Starts the chats.
    pub bus: CommandBus,
    /// Signs the tokens.
    pub tokens: Arc<dyn TokenIssuer>,
}

/// A visitor's request for a session with a chat.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// The visitor whom a valid token names.
    pub known: Option<VisitorId>,
    /// The command id of [`session_command_id`] and the digest of the request, if the client may repeat it.
    pub repeatable: Option<(CommandId, Hash)>,
    /// Names the request in the log; the caller may have chosen it.
    pub request_id: Uuid,
    /// The name and addresses that the visitor gives.
    pub details: VisitorDetails,
    /// The group that the visitor wants; the default group when absent.
    pub group_id: Option<GroupId>,
    /// The first message.
    pub text: MessageText,
    /// The client's own id of the message.
    pub client_event_id: Option<ClientEventId>,
    /// What the client attaches to the message.
    pub metadata: Option<Metadata>,
}

/// A visitor's session and its chat.
#[derive(Clone)]
pub struct VisitorSession {
    pub visitor_id: VisitorId,
    /// The visitor's token.
    pub token: String,
    /// How many seconds the token is valid from now on.
    pub expires_in: i64,
    /// The chat that takes the visitor's messages.
    pub chat: ChatReceipt,
}

/// The command id of a request for a session with an idempotency key. The keys of one visitor never meet those of
/// another, nor those of anonymous requests.
///
/// # Errors
/// When the request is anonymous and its key could be guessed.
pub fn session_command_id(
    installation: &InstallationKey,
    known: Option<VisitorId>,
    key: Option<&str>,
) -> Result<Option<CommandId>, KeyTooShort> {
    let Some(key) = key else { return Ok(None) };
    match known {
        Some(id) => Ok(Some(installation.command_id_of_key(&Principal::Visitor { id }.actor(), key))),
        None if key.len() < MIN_ANONYMOUS_KEY => Err(KeyTooShort),
        None => Ok(Some(installation.command_id_of_key("anonymous", key))),
    }
}

impl VisitorSessions {
    /// Starts a visitor's chat, or sends the message to the one that is open, and issues the visitor's token. The same
    /// request again gives the same visitor, chat and token.
    ///
    /// # Errors
    /// [`UseCaseError::ChatErased`] when the request began a chat that was erased since, or why none was started.
    pub async fn begin(&self, request: NewSession) -> Result<Executed<VisitorSession>, UseCaseError> {
        let visitor_id = self.visitor_of(&request).await?;
        let context = self.bus.context_of_request(Principal::Visitor { id: visitor_id }, request.request_id);
        let context = match request.repeatable {
            Some((command_id, digest)) => context.repeatable(command_id, digest),
            None => context,
        };
        let NewSession { details, group_id, text, client_event_id, metadata, .. } = request;
        let start = StartChat { visitor_id, details, group_id, text, client_event_id, metadata };
        let executed = match self.bus.execute(context, start).await {
            // The erasure removed the digest that recognises the request, so that no request fits it any more.
            Err(UseCaseError::CommandReused) if self.bus.read::<Visitor>(visitor_id).await?.erased => {
                return Err(UseCaseError::ChatErased);
            }
            outcome => outcome?,
        };
        // The time of the message, not of the request, so that a repeated request gets the same token.
        Ok(executed.map(|chat| {
            let token = self.tokens.issue_visitor(chat.visitor_id, chat.at);
            let age = i64::try_from(self.bus.now().since(chat.at).as_secs()).unwrap_or(i64::MAX);
            let expires_in = self.tokens.visitor_lifetime_seconds().saturating_sub(age).max(0);
            VisitorSession { visitor_id: chat.visitor_id, token, expires_in, chat }
        }))
    }

    /// A new token of a visitor whose token is valid, and how many seconds it is valid: a visitor who goes on writing must
    /// not lose the chat when the first token ends.
    #[must_use]
    pub fn renew(&self, visitor_id: VisitorId) -> (String, i64) {
        (self.tokens.issue_visitor(visitor_id, self.bus.now()), self.tokens.visitor_lifetime_seconds())
    }

    /// The visitor whom the token names, or else a new one. Two requests at once with the same key name the same visitor,
    /// whose id follows from the command's: only one of them begins the chat.
    async fn visitor_of(&self, request: &NewSession) -> Result<VisitorId, UseCaseError> {
        if let Some(known) = request.known {
            return Ok(known);
        }
        let new = VisitorId::new(self.bus.new_uuid());
        let Some((command_id, _)) = request.repeatable else { return Ok(new) };
        let named = VisitorId::new(command_id.uuid());
        // In this order: the visitor and the record of the command are committed together.
        let exists = self.bus.read::<Visitor>(named).await?.registered;
        let is_forgotten = exists && self.bus.find_command(command_id).await?.is_none();
        // Where the log has forgotten the command, the key proves nothing about its caller.
        Ok(if is_forgotten { new } else { named })
    }
}

impl std::fmt::Debug for VisitorSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Tokens must not reach a log by accident.
        f.debug_struct("VisitorSession").field("visitor_id", &self.visitor_id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use domain::conversation::Participant;

    use super::*;
    use crate::testing::Company;
    use crate::visitors::ForgetVisitor;

    fn sessions(company: &Company) -> VisitorSessions {
        VisitorSessions { bus: company.bus.clone(), tokens: company.tokens.clone() }
    }

    fn request(known: Option<VisitorId>, repeatable: Option<(CommandId, Hash)>) -> NewSession {
        NewSession {
            known,
            repeatable,
            request_id: Uuid::from_u128(7),
            details: VisitorDetails::default(),
            group_id: None,
            text: MessageText::parse("Hello").unwrap(),
            client_event_id: None,
            metadata: None,
        }
    }

    fn installation() -> InstallationKey {
        InstallationKey::new("tests", b"a secret")
    }

    fn key(text: &str) -> CommandId {
        session_command_id(&installation(), None, Some(text)).unwrap().unwrap()
    }

    #[test]
    fn anonymous_key_must_be_long_and_a_visitors_own_may_be_short() {
        let vera = VisitorId::new(Uuid::from_u128(1));
        let of = |known, key| session_command_id(&installation(), known, key);
        assert_eq!(of(None, Some("123456789012345")), Err(KeyTooShort));
        assert!(of(None, Some("1234567890123456")).unwrap().is_some());
        assert!(of(Some(vera), Some("1")).unwrap().is_some());
        assert_eq!(of(None, None), Ok(None));
    }

    #[test]
    fn same_key_of_different_callers_names_different_commands() {
        let long = "a key of 20 letters.";
        let known = |id| Some(VisitorId::new(Uuid::from_u128(id)));
        let of = |id: u128| session_command_id(&installation(), known(id), Some(long)).unwrap();
        assert_ne!(of(1), of(2));
        assert_ne!(of(1), session_command_id(&installation(), None, Some(long)).unwrap());
        assert_eq!(of(1), of(1));
    }

    #[tokio::test]
    async fn repeated_request_gets_the_same_visitor_chat_and_token() {
        let company = Company::open().await;
        let (sessions, repeatable) = (sessions(&company), Some((key("a key of 20 letters."), [1; 32])));
        let first = sessions.begin(request(None, repeatable)).await.unwrap();
        company.clock.pass(60);
        let again = sessions.begin(request(None, repeatable)).await.unwrap();
        assert!(again.repeated && !first.repeated);
        let (first, again) = (first.output, again.output);
        assert_eq!((again.visitor_id, again.chat, again.token), (first.visitor_id, first.chat, first.token));
    }

    #[tokio::test]
    async fn key_that_the_log_has_forgotten_is_no_proof_of_the_visitor() {
        let company = Company::open().await;
        let (sessions, id) = (sessions(&company), key("a key of 20 letters."));
        let first = sessions.begin(request(None, Some((id, [1; 32])))).await.unwrap().output;
        company.log.forget_commands();
        let stranger = sessions.begin(request(None, Some((id, [2; 32])))).await.unwrap();
        assert!(!stranger.repeated);
        assert_ne!(stranger.output.visitor_id, first.visitor_id);
        assert_ne!(stranger.output.chat.conversation_id, first.chat.conversation_id);
        let again = sessions.begin(request(None, Some((id, [2; 32])))).await.unwrap();
        assert_eq!((again.repeated, again.output.chat), (true, stranger.output.chat));
        assert_eq!((again.output.visitor_id, again.output.token), (stranger.output.visitor_id, stranger.output.token));
    }

    #[tokio::test]
    async fn requests_without_a_key_are_of_different_visitors() {
        let company = Company::open().await;
        let sessions = sessions(&company);
        let first = sessions.begin(request(None, None)).await.unwrap().output;
        let second = sessions.begin(request(None, None)).await.unwrap().output;
        assert_ne!(first.visitor_id, second.visitor_id);
        assert_ne!(first.chat.conversation_id, second.chat.conversation_id);
    }

    #[tokio::test]
    async fn known_visitor_continues_the_open_chat() {
        let company = Company::open().await;
        let sessions = sessions(&company);
        let first = sessions.begin(request(None, None)).await.unwrap().output;
        let again = sessions.begin(request(Some(first.visitor_id), None)).await.unwrap().output;
        assert_eq!(again.chat.conversation_id, first.chat.conversation_id);
    }

    #[tokio::test]
    async fn key_that_came_with_another_request_is_refused() {
        let company = Company::open().await;
        let (sessions, id) = (sessions(&company), key("a key of 20 letters."));
        sessions.begin(request(None, Some((id, [1; 32])))).await.unwrap();
        let refused = sessions.begin(request(None, Some((id, [2; 32])))).await;
        assert!(matches!(refused, Err(UseCaseError::CommandReused)), "{refused:?}");
    }

    #[tokio::test]
    async fn key_of_an_erased_chat_says_that_it_was_erased() {
        let company = Company::open().await;
        let (sessions, id) = (sessions(&company), key("a key of 20 letters."));
        let begun = sessions.begin(request(None, Some((id, [1; 32])))).await.unwrap().output;
        let visitor_id = begun.visitor_id;
        company.act(ForgetVisitor { visitor_id, by: Participant::Visitor(visitor_id) }).await;
        // The erasure takes the digest away; another one stands for it here.
        let refused = sessions.begin(request(None, Some((id, [2; 32])))).await;
        assert!(matches!(refused, Err(UseCaseError::ChatErased)), "{refused:?}");
    }
}
