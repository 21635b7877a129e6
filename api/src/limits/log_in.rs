//! The brake on guessing passwords.

use std::sync::Arc;

use application::UseCaseError;
use application::ports::{Rate, RateLimiter};
use domain::ids::EmailClaimId;
use domain::text::EmailAddress;

use super::{FAILED_LOG_INS, FAILED_LOG_INS_FROM_ADDRESS, FAILED_LOG_INS_OF_ACCOUNT, Limits};
use crate::client_address::ClientAddress;
use crate::problem::Problem;

/// A log-in that counts as failed until it is known to be none. Guesses made at once therefore cannot slip through
/// together, and hanging up before the answer saves nobody a failure.
#[must_use]
pub struct LogInAttempt {
    limiter: Option<Arc<dyn RateLimiter>>,
    taken: Vec<(String, Rate)>,
}

impl Limits {
    /// Begins a log-in. Whether the account exists makes no difference.
    ///
    /// # Errors
    /// 429 after too many failures, whatever the password.
    pub async fn begin_log_in(&self, email: &EmailAddress, address: ClientAddress) -> Result<LogInAttempt, Problem> {
        let mut attempt = LogInAttempt { limiter: self.limiter.clone(), taken: vec![] };
        let Some(limiter) = &self.limiter else { return Ok(attempt) };
        let account = EmailClaimId::of(email);
        let counted = [
            (FAILED_LOG_INS, format!("{account}:{address}")),
            (FAILED_LOG_INS_OF_ACCOUNT, account.to_string()),
            (FAILED_LOG_INS_FROM_ADDRESS, address.to_string()),
        ];
        for (limit, who) in counted {
            let key = limit.key(who);
            let standing = limiter.take(&key, limit.rate).await;
            if !standing.allowed {
                // One who is braked must not use up what others have left.
                attempt.did_not_fail().await;
                return Err(Problem::rate_limited(standing));
            }
            attempt.taken.push((key, limit.rate));
        }
        Ok(attempt)
    }
}

impl LogInAttempt {
    /// What came of it: only a wrong password stays counted.
    pub async fn end<T>(self, outcome: &Result<T, UseCaseError>) {
        if !matches!(outcome, Err(UseCaseError::WrongCredentials)) {
            self.did_not_fail().await;
        }
    }

    /// The password was right, or was not checked.
    async fn did_not_fail(self) {
        let Some(limiter) = self.limiter else { return };
        for (key, rate) in self.taken {
            limiter.give_back(&key, rate).await;
        }
    }
}
