use std::sync::Arc;
use std::time::Duration;

use domain::ids::EmailClaimId;
use domain::text::EmailAddress;

use crate::UseCaseError;
use crate::ports::{Rate, RateLimiter};

/// Failed log-ins of one account from one address.
pub const FAILED_LOG_INS: Rate = failures(5);
/// Failures from all addresses together, against guesses that are spread over many of them.
pub const FAILED_LOG_INS_OF_ACCOUNT: Rate = failures(20);
/// Failures with any account, against a client that tries many of them.
pub const FAILED_LOG_INS_FROM_ADDRESS: Rate = failures(100);

const fn failures(times: u32) -> Rate {
    Rate { times, window: Duration::from_secs(15 * 60) }
}

/// Refuses to check passwords after too many wrong ones, so that they cannot be guessed.
#[derive(Clone)]
pub struct GuessingBrake {
    /// Counts the failures; `None` where limits are off.
    pub limiter: Option<Arc<dyn RateLimiter>>,
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
            (format!("failed-log-ins:{account}:{address}"), FAILED_LOG_INS),
            (format!("failed-log-ins-of-account:{account}"), FAILED_LOG_INS_OF_ACCOUNT),
            (format!("failed-log-ins-from-address:{address}"), FAILED_LOG_INS_FROM_ADDRESS),
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
