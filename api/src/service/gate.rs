use application::ports::RateLimit;

use super::authenticate::Credential;
use super::{Access, Action, Authenticator, Caller, Limits, Refusal};

/// The one way into the service. A door enters with every request, also with one that it does not serve: the gate counts it.
/// Only the [`Entrance`] that it gives leads to a [`Caller`], and only a caller may dispatch a command. So no door can forget
/// a limit or a right.
#[derive(Clone)]
pub struct Gate {
    authenticator: Authenticator,
    limits: Limits,
}

/// A request that was counted. The caller's right is judged when a door asks for it, which may be more than once: a right
/// can end while a request is on its way.
#[derive(Clone)]
pub struct Entrance {
    authenticator: Authenticator,
    action: Option<Action>,
    token: Option<String>,
    address: String,
    standing: Option<RateLimit>,
}

/// A door has counted one action and asks for another.
#[derive(Debug, thiserror::Error)]
#[error("a request for {counted:?} was taken for {wanted:?}")]
struct OtherAction {
    counted: Option<Action>,
    wanted: Action,
}

impl Gate {
    /// A gate that finds callers and counts what they do.
    #[must_use]
    pub const fn new(authenticator: Authenticator, limits: Limits) -> Self {
        Self { authenticator, limits }
    }

    /// Counts a request from a network address, for the bearer of the token if it is signed. `None` is the action of a
    /// request that nothing serves.
    ///
    /// # Errors
    /// [`super::Code::RateLimited`].
    pub async fn enter(
        &self,
        action: Option<Action>,
        token: Option<&str>,
        address: String,
    ) -> Result<Entrance, Refusal> {
        let named = || self.authenticator.named_by(token);
        let standing = self.limits.take(action, named, &address).await?;
        let (authenticator, token) = (self.authenticator.clone(), token.map(str::to_owned));
        Ok(Entrance { authenticator, action, token, address, standing })
    }

    /// Whether an action has no limit of its own: it counts like a request that nothing serves.
    #[must_use]
    pub fn counts_like_any(&self, action: Action, token: Option<&str>) -> bool {
        self.limits.counts_like_any(action, || self.authenticator.named_by(token))
    }

    /// An entrance for a part of a request that was counted as a whole, for a part that [counts like
    /// any](Self::counts_like_any).
    #[must_use]
    pub fn enter_counted(&self, action: Action, token: Option<&str>, address: String) -> Entrance {
        let (authenticator, token) = (self.authenticator.clone(), token.map(str::to_owned));
        Entrance { authenticator, action: Some(action), token, address, standing: None }
    }
}

impl Entrance {
    /// The state of the limit that the request counts for; none where limits are off.
    #[must_use]
    pub const fn standing(&self) -> Option<RateLimit> {
        self.standing
    }

    /// The network address that the request counts for.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The caller, if the action is for this caller at this moment; none where everybody may call.
    ///
    /// # Errors
    /// [`super::Code::Unauthorized`] without a valid token, [`super::Code::Forbidden`] without the role.
    pub async fn admit(&self, action: Action) -> Result<Option<Caller>, Refusal> {
        self.ensure_for(action)?;
        if action.access() == Access::Public {
            return Ok(None);
        }
        self.authenticator.admit(action, Credential::Token(self.token.as_deref())).await.map(Some)
    }

    /// Refuses to take the request for another action than the one that was counted.
    ///
    /// # Errors
    /// [`super::Code::Internal`], as it is a defect of the door.
    pub fn ensure_for(&self, wanted: Action) -> Result<(), Refusal> {
        let counted = self.action;
        if counted == Some(wanted) { Ok(()) } else { Err(Refusal::internal(&OtherAction { counted, wanted })) }
    }
}
