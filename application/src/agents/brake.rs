use std::sync::Arc;
use std::time::Duration;

use domain::ids::EmailClaimId;
use domain::text::EmailAddress;

use crate::UseCaseError;
use crate::ports::{Rate, RateLimiter};

/// How often a password may be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailureRates {
    /// Failed log-ins of one account from one address.
    pub of_both: Rate,
    /// Failures of one account from all addresses together, against guesses that are spread over many of them.
    pub of_account: Rate,
    /// Failures from one address with any account, against a client that tries many of them.
    pub of_address: Rate,
}

impl Default for FailureRates {
    /// The published rates.
    fn default() -> Self {
        Self { of_both: failures(5), of_account: failures(20), of_address: failures(100) }
    }
}

const fn failures(times: u32) -> Rate {
    Rate { times, window: Duration::from_secs(15 * 60) }
}

/// Refuses to check passwords after too many wrong ones, so that they cannot be guessed.
#[derive(Clone)]
pub struct GuessingBrake {
    /// Counts the failures; `None` where limits are off.
    pub limiter: Option<Arc<dyn RateLimiter>>,
    /// The failures that it allows.
    pub rates: FailureRates,
}

/// A check of a password. It counts as a failure from its beginning until it is known to be none: guesses made at the
/// same time cannot slip through together, and a client that hangs up before the answer does not avoid the count.
#[must_use]
pub(super) struct Attempt {
    limiter: Option<Arc<dyn RateLimiter>>,
    taken: Vec<(String, Rate)>,
}

impl GuessingBrake {
    /// Begins a check of an account's password for a client at an address, whether or not the account exists.
    ///
    /// # Errors
    /// [`UseCaseError::RateLimited`] after too many failures, even with the right password.
    pub(super) async fn begin(&self, email: &EmailAddress, address: &str) -> Result<Attempt, UseCaseError> {
        let mut attempt = Attempt { limiter: self.limiter.clone(), taken: vec![] };
        let Some(limiter) = &self.limiter else { return Ok(attempt) };
        let account = EmailClaimId::of(email);
        let counted = [
            (format!("failed-log-ins:{account}:{address}"), self.rates.of_both),
            (format!("failed-log-ins-of-account:{account}"), self.rates.of_account),
            (format!("failed-log-ins-from-address:{address}"), self.rates.of_address),
        ];
        for (key, rate) in counted {
            let standing = limiter.take(&key, rate).await;
            if !standing.allowed {
                // A refused attempt must not use up what other clients have left.
                attempt.did_not_fail().await;
                return Err(UseCaseError::RateLimited(standing));
            }
            attempt.taken.push((key, rate));
        }
        Ok(attempt)
    }
}

impl Attempt {
    /// Ends the check: only a wrong password stays counted.
    pub(super) async fn end<T>(self, outcome: &Result<T, UseCaseError>) {
        if !matches!(outcome, Err(UseCaseError::WrongCredentials | UseCaseError::WrongCurrentPassword)) {
            self.did_not_fail().await;
        }
    }

    async fn did_not_fail(self) {
        let Some(limiter) = self.limiter else { return };
        for (key, rate) in self.taken {
            limiter.give_back(&key, rate).await;
        }
    }
}
