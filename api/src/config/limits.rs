//! The limits that an operator can set.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use application::agents::FailureRates;
use application::ports::Rate;
use clap::Args;

use crate::server::ConnectionSettings;
use crate::service::limits::{ChatLimits, Rates};

/// How often something may be done, as it is written: `30/60` is 30 times in 60 seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateSetting(pub Rate);

/// A rate with another form, or outside of what can be counted.
#[derive(Debug, thiserror::Error)]
#[error("must be TIMES/SECONDS, such as 30/60, with 1 to 1000000 times and 1 to 86400 seconds")]
pub struct InvalidRate;

impl FromStr for RateSetting {
    type Err = InvalidRate;

    fn from_str(text: &str) -> Result<Self, InvalidRate> {
        let (times, seconds) = text.split_once('/').ok_or(InvalidRate)?;
        let number = |text: &str, most: u32| text.trim().parse().ok().filter(|number| (1..=most).contains(number));
        let (times, seconds) = number(times, 1_000_000).zip(number(seconds, 86_400)).ok_or(InvalidRate)?;
        Ok(Self(Rate { times, window: Duration::from_secs(seconds.into()) }))
    }
}

impl fmt::Display for RateSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.0.times, self.0.window.as_secs())
    }
}

/// The limits as they come from flags and environment. The defaults are those that `docs/api.md` publishes.
#[derive(Args, Clone, Debug)]
pub struct LimitArguments {
    /// New chats of strangers from one address, as TIMES/SECONDS
    #[arg(long, env = "LIMIT_NEW_CHATS", default_value_t = RateSetting(Rates::default().started_chats), global = true)]
    pub limit_new_chats: RateSetting,
    /// Messages, new chats, closings and reopenings of one visitor, as TIMES/SECONDS
    #[arg(long, env = "LIMIT_VISITOR_MESSAGES", default_value_t = RateSetting(Rates::default().visitor_messages), global = true)]
    pub limit_visitor_messages: RateSetting,
    /// Messages of one agent, as TIMES/SECONDS
    #[arg(long, env = "LIMIT_AGENT_MESSAGES", default_value_t = RateSetting(Rates::default().agent_messages), global = true)]
    pub limit_agent_messages: RateSetting,
    /// Log-ins from one address, successful or not, as TIMES/SECONDS
    #[arg(long, env = "LIMIT_LOG_INS", default_value_t = RateSetting(Rates::default().log_ins), global = true)]
    pub limit_log_ins: RateSetting,
    /// Failed log-ins of one account from one address, as TIMES/SECONDS
    #[arg(long, env = "LIMIT_FAILED_LOG_INS", default_value_t = RateSetting(FailureRates::default().of_both), global = true)]
    pub limit_failed_log_ins: RateSetting,
    /// Failed log-ins of one account, as TIMES/SECONDS
    #[arg(long, env = "LIMIT_FAILED_LOG_INS_OF_ACCOUNT", default_value_t = RateSetting(FailureRates::default().of_account), global = true)]
    pub limit_failed_log_ins_of_account: RateSetting,
    /// Failed log-ins from one address, as TIMES/SECONDS
    #[arg(long, env = "LIMIT_FAILED_LOG_INS_OF_ADDRESS", default_value_t = RateSetting(FailureRates::default().of_address), global = true)]
    pub limit_failed_log_ins_of_address: RateSetting,
    /// Health checks from one address, as TIMES/SECONDS
    #[arg(long, env = "LIMIT_HEALTH_CHECKS", default_value_t = RateSetting(Rates::default().health_checks), global = true)]
    pub limit_health_checks: RateSetting,
    /// All other requests of one visitor or agent, or from one address without a token, as TIMES/SECONDS
    #[arg(long, env = "LIMIT_REQUESTS", default_value_t = RateSetting(Rates::default().requests), global = true)]
    pub limit_requests: RateSetting,
    /// Requests of all visitors from one address together, as TIMES/SECONDS
    #[arg(long, env = "LIMIT_VISITORS_OF_ADDRESS", default_value_t = RateSetting(Rates::default().visitors_of_address), global = true)]
    pub limit_visitors_of_address: RateSetting,
    /// Open chats that visitors of one address may have begun within an hour: 1 to 100000
    #[arg(long, env = "MAX_OPEN_CHATS_OF_ADDRESS", default_value_t = ChatLimits::default().open_of_address, value_parser = clap::value_parser!(u32).range(1..=100_000), global = true)]
    pub max_open_chats_of_address: u32,
    /// Seconds after the last word of an agent at which a chat is closed because its visitor has gone; 0 closes none: 0 to
    /// 31536000
    #[arg(long, env = "CLOSE_ABANDONED_AFTER", default_value_t = ChatLimits::default().abandoned_after.as_secs(), value_parser = clap::value_parser!(u64).range(0..=31_536_000), global = true)]
    pub close_abandoned_after: u64,
    /// Open connections: 64 to 1000000; default: as many as the process may have files, at most 16384
    #[arg(long, env = "MAX_CONNECTIONS", value_parser = clap::value_parser!(u32).range(64..=1_000_000), global = true)]
    pub max_connections: Option<u32>,
    /// Open connections of one address, except trusted proxies: 1 to 1000000; default: a quarter of all, at least 256
    #[arg(long, env = "MAX_CONNECTIONS_OF_ADDRESS", value_parser = clap::value_parser!(u32).range(1..=1_000_000), global = true)]
    pub max_connections_of_address: Option<u32>,
    /// Seconds that a connection may be idle between two requests, longer than the proxy's own time: 1 to 3600
    #[arg(long, env = "IDLE_TIMEOUT", default_value_t = 75, value_parser = clap::value_parser!(u64).range(1..=3600), global = true)]
    pub idle_timeout: u64,
}

/// Valid limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LimitSettings {
    /// How often callers may do what.
    pub rates: Rates,
    /// How often passwords may be wrong.
    pub failures: FailureRates,
    /// How many chats may be open, and for how long.
    pub chats: ChatLimits,
    /// The limits of connections.
    pub connections: ConnectionSettings,
}

impl From<LimitArguments> for LimitSettings {
    fn from(given: LimitArguments) -> Self {
        Self {
            rates: Rates {
                started_chats: given.limit_new_chats.0,
                visitor_messages: given.limit_visitor_messages.0,
                agent_messages: given.limit_agent_messages.0,
                log_ins: given.limit_log_ins.0,
                health_checks: given.limit_health_checks.0,
                requests: given.limit_requests.0,
                visitors_of_address: given.limit_visitors_of_address.0,
            },
            failures: FailureRates {
                of_both: given.limit_failed_log_ins.0,
                of_account: given.limit_failed_log_ins_of_account.0,
                of_address: given.limit_failed_log_ins_of_address.0,
            },
            chats: ChatLimits {
                open_of_address: given.max_open_chats_of_address,
                abandoned_after: Duration::from_secs(given.close_abandoned_after),
            },
            connections: ConnectionSettings {
                most: given.max_connections,
                most_of_one_address: given.max_connections_of_address,
                idle_within: Duration::from_secs(given.idle_timeout),
            },
        }
    }
}

impl LimitSettings {
    /// The limits in words, for the operator.
    #[must_use]
    pub fn describe(&self) -> String {
        let Self { rates, failures, chats, connections } = self;
        let rates = [
            ("new chats", rates.started_chats),
            ("messages of a visitor", rates.visitor_messages),
            ("messages of an agent", rates.agent_messages),
            ("log-ins", rates.log_ins),
            ("failed log-ins of an account and an address", failures.of_both),
            ("of an account", failures.of_account),
            ("of an address", failures.of_address),
            ("health checks", rates.health_checks),
            ("other requests", rates.requests),
            ("requests of the visitors of an address", rates.visitors_of_address),
        ];
        let mut words = rates.map(|(what, rate)| format!("{what} {}", RateSetting(rate))).to_vec();
        words.push(format!("open chats of an address {}", chats.open_of_address));
        words.push(format!("abandoned chats {} s", chats.abandoned_after.as_secs()));
        let number = |limit: Option<u32>| limit.map_or("by the number of files".to_owned(), |limit| limit.to_string());
        words.push(format!("connections {}", number(connections.most)));
        words.push(format!("connections of an address {}", number(connections.most_of_one_address)));
        words.push(format!("idle connections {} s", connections.idle_within.as_secs()));
        words.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_is_read_as_it_is_shown() {
        for text in ["30/60", "1/1", "1000000/86400"] {
            assert_eq!(text.parse::<RateSetting>().unwrap().to_string(), text);
        }
        assert_eq!(" 5 / 900 ".parse::<RateSetting>().unwrap().0, FailureRates::default().of_both);
    }

    #[test]
    fn other_rates_are_refused() {
        for text in ["", "30", "30/", "/60", "0/60", "30/0", "-1/60", "1000001/60", "30/86401", "30/60/60", "a/b"] {
            assert!(text.parse::<RateSetting>().is_err(), "{text}");
        }
    }
}
