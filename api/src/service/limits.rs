//! The rate limits: one table of published numbers, keyed by action.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use application::ports::{Principal, Rate, RateLimit, RateLimiter};

use super::Action;

/// A published limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Keeps the counts apart from those of other limits.
    name: &'static str,
    rate: Rate,
}

/// New chats from one address.
pub const STARTED_CHATS: Limit = Limit::new("widget", 30, 60);
/// Counted for each visitor, over all chats and doors.
pub const VISITOR_MESSAGES: Limit = Limit::new("visitor-sends", 60, 60);
/// Counted for each agent, over all chats and doors.
pub const AGENT_MESSAGES: Limit = Limit::new("agent-sends", 600, 60);
/// Log-ins from one address, whatever their outcome. The brake on wrong passwords is the use case's own.
pub const LOG_INS: Limit = Limit::new("log-ins", 60, 60);
/// Health checks, counted apart from all else so that a busy neighbour of the prober does not make the service look dead.
pub const HEALTH_CHECKS: Limit = Limit::new("probes", 1_200, 60);
/// All else, of one visitor or agent, or from one address without a token.
pub const REQUESTS: Limit = Limit::new("requests", 1_200, 60);

impl Limit {
    const fn new(name: &'static str, times: u32, seconds: u64) -> Self {
        Self { name, rate: Rate { times, window: Duration::from_secs(seconds) } }
    }

    fn key(self, counted: impl fmt::Display) -> String {
        format!("{}:{counted}", self.name)
    }

    /// The limit of an action, and the principal that it counts for; without one it counts for the network address.
    /// `None` is the action of a request that no endpoint serves.
    fn of(action: Option<Action>, principal: Option<Principal>) -> (Self, Option<Principal>) {
        match (action, principal) {
            // Before these, nobody has proved to be anybody: a token must not open another count.
            (Some(Action::StartChat), _) => (STARTED_CHATS, None),
            (Some(Action::LogIn), _) => (LOG_INS, None),
            (Some(Action::SendMessage), Some(Principal::Visitor { .. })) => (VISITOR_MESSAGES, principal),
            (Some(Action::SendMessage), Some(Principal::Agent { .. })) => (AGENT_MESSAGES, principal),
            (Some(Action::CheckHealth), _) => (HEALTH_CHECKS, principal),
            _ => (REQUESTS, principal),
        }
    }
}

/// Counts what callers do, and says when it is too much.
#[derive(Clone)]
pub struct Limits {
    /// `None` where limits are off.
    limiter: Option<Arc<dyn RateLimiter>>,
}

impl Limits {
    /// Counts with this limiter, or does not limit at all.
    #[must_use]
    pub const fn new(limiter: Option<Arc<dyn RateLimiter>>) -> Self {
        Self { limiter }
    }

    /// Counts one action of a principal from a network address. `None` where limits are off; otherwise the state of the
    /// limit, which says whether the action is allowed. The principal is asked for only if it is needed.
    pub async fn take(
        &self,
        action: Option<Action>,
        principal: impl FnOnce() -> Option<Principal>,
        address: impl fmt::Display,
    ) -> Option<RateLimit> {
        let limiter = self.limiter.as_ref()?;
        let (limit, counted) = Limit::of(action, principal());
        let key = counted.map_or_else(|| limit.key(address), |principal| limit.key(principal.actor()));
        Some(limiter.take(&key, limit.rate).await)
    }
}

#[cfg(test)]
mod tests {
    use domain::agent::Role;
    use domain::ids::{AgentId, VisitorId};
    use uuid::Uuid;

    use super::*;

    const VERA: Principal = Principal::Visitor { id: VisitorId::new(Uuid::from_u128(1)) };
    const ANNA: Principal = Principal::Agent { id: AgentId::new(Uuid::from_u128(2)), role: Role::Admin };

    #[test]
    fn message_counts_for_its_author_with_the_limit_of_visitors_or_agents() {
        assert_eq!(Limit::of(Some(Action::SendMessage), Some(VERA)), (VISITOR_MESSAGES, Some(VERA)));
        assert_eq!(Limit::of(Some(Action::SendMessage), Some(ANNA)), (AGENT_MESSAGES, Some(ANNA)));
        assert_eq!(Limit::of(Some(Action::SendMessage), None), (REQUESTS, None));
    }

    #[test]
    fn new_chats_and_log_ins_count_for_the_address_even_with_a_token() {
        for (action, limit) in [(Action::StartChat, STARTED_CHATS), (Action::LogIn, LOG_INS)] {
            for principal in [None, Some(VERA), Some(ANNA)] {
                assert_eq!(Limit::of(Some(action), principal), (limit, None));
            }
        }
    }

    #[test]
    fn health_checks_have_a_count_of_their_own_and_all_else_shares_one() {
        assert_eq!(Limit::of(Some(Action::CheckHealth), None), (HEALTH_CHECKS, None));
        assert_eq!(Limit::of(Some(Action::ReadConversation), Some(VERA)), (REQUESTS, Some(VERA)));
        assert_eq!(Limit::of(None, Some(ANNA)), (REQUESTS, Some(ANNA)));
    }
}
