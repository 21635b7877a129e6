//! The rate limits: one table of published numbers, keyed by action.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use application::ports::{Principal, Rate, RateLimit, RateLimiter};

use super::{Action, Refusal};

/// How often callers may do what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rates {
    /// New chats of strangers from one address.
    pub started_chats: Rate,
    /// Messages, new chats, closings and reopenings of one visitor.
    pub visitor_messages: Rate,
    /// Counted for each agent, over all chats and doors.
    pub agent_messages: Rate,
    /// Log-ins from one address, whatever their outcome. The brake on wrong passwords is the use case's own.
    pub log_ins: Rate,
    /// Health checks from one address, counted apart from all else so that a busy neighbour of the prober does not make the
    /// service look dead.
    pub health_checks: Rate,
    /// All else, of one visitor or agent, or from one address without a token.
    pub requests: Rate,
    /// Everything that visitors of one address do together: anybody can become many visitors.
    pub visitors_of_address: Rate,
}

impl Default for Rates {
    /// The published rates.
    fn default() -> Self {
        Self {
            started_chats: a_minute(30),
            visitor_messages: a_minute(60),
            agent_messages: a_minute(600),
            log_ins: a_minute(60),
            health_checks: a_minute(1_200),
            requests: a_minute(1_200),
            visitors_of_address: a_minute(12_000),
        }
    }
}

/// How many chats may be open, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChatLimits {
    /// Open chats that one address has begun in the last hour.
    pub open_of_address: u32,
    /// The time without a word of the visitor after which a chat is closed whose last word is the agent's; zero for none.
    pub abandoned_after: Duration,
}

impl Default for ChatLimits {
    fn default() -> Self {
        Self { open_of_address: 20, abandoned_after: Duration::from_secs(2 * 24 * 3600) }
    }
}

const fn a_minute(times: u32) -> Rate {
    Rate { times, window: Duration::from_secs(60) }
}

/// The first answers of one caller that are kept for repetitions. Beyond them, a repetition gets a newly built answer, as it does
/// a day later.
const KEPT_ANSWERS: Rate = Rate { times: 1_000, window: Duration::from_secs(24 * 3600) };

/// The tickets for streams of one visitor or agent. Each one is a row for a while, and one opens a stream for hours.
const TICKETS: Rate = Rate { times: 30, window: Duration::from_secs(60) };

/// A rate with the name under which it is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Limit {
    /// Keeps the counts apart from those of other limits.
    name: &'static str,
    rate: Rate,
}

/// A limit, and the principal for whom it counts; without one it counts for the network address.
type Counted = (Limit, Option<Principal>);

impl Limit {
    fn key(self, counted: impl fmt::Display) -> String {
        format!("{}:{counted}", self.name)
    }
}

impl Rates {
    /// The limit of an action. `None` is the action of a request that no endpoint serves.
    fn of(&self, action: Option<Action>, principal: Option<Principal>) -> Counted {
        let limit = |name, rate| Limit { name, rate };
        match (action, principal) {
            // These need no proof of identity: a token must not open another count. A chat itself counts when
            // it is known who begins it.
            (Some(Action::StartChat), _) => (limit("chat-requests", self.requests), None),
            (Some(Action::LogIn), _) => (limit("log-ins", self.log_ins), None),
            (
                Some(Action::SendMessage | Action::CloseChat | Action::ReopenChat),
                Some(visitor @ Principal::Visitor { .. }),
            ) => self.of_visitor(visitor),
            (Some(Action::SendMessage), Some(Principal::Agent { .. })) => {
                (limit("agent-sends", self.agent_messages), principal)
            }
            (Some(Action::IssueTicket), _) => (limit("tickets", TICKETS), principal),
            (Some(Action::CheckHealth), _) => (limit("probes", self.health_checks), principal),
            _ => (limit("requests", self.requests), principal),
        }
    }

    const fn of_visitor(&self, visitor: Principal) -> Counted {
        (Limit { name: "visitor-sends", rate: self.visitor_messages }, Some(visitor))
    }

    /// The limit of a new chat. A visitor who returns counts as themselves, as in a thread: the neighbours of their address
    /// must not keep them from their chat.
    const fn of_chat(&self, returning: Option<Principal>) -> Counted {
        match returning {
            Some(visitor @ Principal::Visitor { .. }) => self.of_visitor(visitor),
            Some(Principal::Agent { .. }) | None => (Limit { name: "widget", rate: self.started_chats }, None),
        }
    }
}

/// Counts what callers do, and says when it is too much.
#[derive(Clone)]
pub struct Limits {
    /// `None` where limits are off.
    limiter: Option<Arc<dyn RateLimiter>>,
    rates: Rates,
}

impl Limits {
    /// Counts with this limiter, or does not limit at all.
    #[must_use]
    pub const fn new(limiter: Option<Arc<dyn RateLimiter>>, rates: Rates) -> Self {
        Self { limiter, rates }
    }

    /// Counts one action of a principal from a network address. `None` where limits are off; otherwise the state of the
    /// limit. The principal is asked for only if it is needed.
    ///
    /// # Errors
    /// [`super::Code::RateLimited`].
    pub(super) async fn take(
        &self,
        action: Option<Action>,
        principal: impl FnOnce() -> Option<Principal>,
        address: impl fmt::Display,
    ) -> Result<Option<RateLimit>, Refusal> {
        let Some(limiter) = &self.limiter else { return Ok(None) };
        within(self.count(limiter, self.rates.of(action, principal()), address).await)
    }

    /// Counts a new chat from a network address: of a visitor who returns, if the principal is one, or of a stranger. `None`
    /// where limits are off.
    ///
    /// # Errors
    /// [`super::Code::RateLimited`].
    pub(super) async fn take_chat(
        &self,
        returning: Option<Principal>,
        address: impl fmt::Display,
    ) -> Result<Option<RateLimit>, Refusal> {
        let Some(limiter) = &self.limiter else { return Ok(None) };
        within(self.count(limiter, self.rates.of_chat(returning), address).await)
    }

    /// Whether an action counts under the limit of requests that nothing serves.
    pub(super) fn counts_like_any(&self, action: Action, principal: impl FnOnce() -> Option<Principal>) -> bool {
        let principal = principal();
        self.rates.of(Some(action), principal) == self.rates.of(None, principal)
    }

    /// Whether one more first answer to this caller may be kept: an answer may be large, and the disk is not.
    pub async fn may_keep_answer(&self, actor: &str) -> bool {
        let Some(limiter) = &self.limiter else { return true };
        limiter.take(&format!("kept-answers:{actor}"), KEPT_ANSWERS).await.allowed
    }

    async fn count(
        &self,
        limiter: &Arc<dyn RateLimiter>,
        (limit, counted): Counted,
        address: impl fmt::Display,
    ) -> RateLimit {
        let Some(principal) = counted else { return limiter.take(&limit.key(address), limit.rate).await };
        let key = limit.key(principal.actor());
        let own = limiter.take(&key, limit.rate).await;
        if !own.allowed || matches!(principal, Principal::Agent { .. }) {
            return own;
        }
        let shared = Limit { name: "visitors", rate: self.rates.visitors_of_address };
        let of_all = limiter.take(&shared.key(address), shared.rate).await;
        if of_all.allowed {
            return own;
        }
        // A refused request does not count.
        limiter.give_back(&key, limit.rate).await;
        of_all
    }
}

/// Refuses what a limit does not allow.
fn within(standing: RateLimit) -> Result<Option<RateLimit>, Refusal> {
    if standing.allowed { Ok(Some(standing)) } else { Err(Refusal::rate_limited(standing)) }
}

#[cfg(test)]
mod tests {
    use domain::agent::Role;
    use domain::ids::{AgentId, VisitorId};
    use uuid::Uuid;

    use super::*;

    const VERA: Principal = Principal::Visitor { id: VisitorId::new(Uuid::from_u128(1)) };
    const ANNA: Principal = Principal::Agent { id: AgentId::new(Uuid::from_u128(2)), role: Role::Admin };

    fn name(counted: Counted) -> (&'static str, Option<Principal>) {
        (counted.0.name, counted.1)
    }

    fn of(action: Option<Action>, principal: Option<Principal>) -> (&'static str, Option<Principal>) {
        name(Rates::default().of(action, principal))
    }

    #[test]
    fn message_counts_for_its_author_with_the_limit_of_visitors_or_agents() {
        assert_eq!(of(Some(Action::SendMessage), Some(VERA)), ("visitor-sends", Some(VERA)));
        assert_eq!(of(Some(Action::SendMessage), Some(ANNA)), ("agent-sends", Some(ANNA)));
        assert_eq!(of(Some(Action::SendMessage), None), ("requests", None));
    }

    #[test]
    fn what_makes_a_chat_longer_counts_as_messages_of_its_visitor() {
        for action in [Action::CloseChat, Action::ReopenChat] {
            assert_eq!(of(Some(action), Some(VERA)), ("visitor-sends", Some(VERA)));
            assert_eq!(of(Some(action), Some(ANNA)), ("requests", Some(ANNA)));
        }
    }

    #[test]
    fn new_chats_and_log_ins_count_for_the_address_even_with_a_token() {
        for (action, limit) in [(Action::StartChat, "chat-requests"), (Action::LogIn, "log-ins")] {
            for principal in [None, Some(VERA), Some(ANNA)] {
                assert_eq!(of(Some(action), principal), (limit, None));
            }
        }
    }

    #[test]
    fn new_chat_counts_for_the_address_of_a_stranger_and_for_a_visitor_who_returns() {
        for stranger in [None, Some(ANNA)] {
            assert_eq!(name(Rates::default().of_chat(stranger)), ("widget", None));
        }
        assert_eq!(name(Rates::default().of_chat(Some(VERA))), ("visitor-sends", Some(VERA)));
    }

    #[test]
    fn health_checks_have_a_count_of_their_own_and_all_else_shares_one() {
        assert_eq!(of(Some(Action::CheckHealth), None), ("probes", None));
        assert_eq!(of(Some(Action::IssueTicket), Some(VERA)), ("tickets", Some(VERA)));
        assert_eq!(of(Some(Action::ReadConversation), Some(VERA)), ("requests", Some(VERA)));
        assert_eq!(of(None, Some(ANNA)), ("requests", Some(ANNA)));
    }
}
