//! The accounts of agents: how they log in, and the first of them.

use std::sync::Arc;

use application::agents::{Accounts, GuessingBrake, LogIn, Sessions, is_set_up};
use application::ports::{RateLimiter, TokenIssuer};
use application::{InstallationKey, UseCaseError};
use domain::agent::{Registration, Role};
use domain::text::Name;
use infrastructure::auth::{Argon2PasswordHasher, HashingLimits, JwtTokens, SqlCredentialStore};

use super::{Core, StartError};
use crate::config::{Settings, random_password};

/// The admin that a first start has created.
#[derive(Clone)]
pub struct FirstAdmin {
    /// Their e-mail address.
    pub email: String,
    /// Their password, if the server has generated it.
    pub one_time_password: Option<String>,
}

/// Builds the log-in; without a limiter nothing brakes wrong passwords.
pub(super) fn build_log_in(core: &Core, limiter: Option<Arc<dyn RateLimiter>>) -> Result<LogIn, StartError> {
    let Core { settings, database, bus, .. } = core;
    let tokens: Arc<dyn TokenIssuer> = Arc::new(JwtTokens::new(&settings.jwt_secret)?);
    let store = Arc::clone(&core.sessions);
    Ok(LogIn {
        bus: bus.clone(),
        credentials: Arc::new(SqlCredentialStore::new(database.clone())),
        hasher: Arc::new(Argon2PasswordHasher::new(HashingLimits::default(), settings.password_cost)),
        sessions: Sessions {
            bus: bus.clone(),
            store,
            tokens,
            renewal_key: InstallationKey::new("refresh tokens", &settings.jwt_secret),
        },
        brake: GuessingBrake { limiter, rates: settings.limits.failures },
    })
}

pub(super) fn accounts(log_in: &LogIn) -> Accounts {
    let LogIn { bus, credentials, hasher, sessions, .. } = log_in.clone();
    Accounts { bus, credentials, hasher, sessions }
}

/// Creates the default group and the first admin in an empty log.
pub(super) async fn set_up(settings: &Settings, accounts: &Accounts) -> Result<Option<FirstAdmin>, StartError> {
    let bus = &accounts.bus;
    if is_set_up(bus).await? {
        return Ok(None);
    }
    let (password, is_generated) = match settings.admin_password.clone() {
        Some(password) => (password, false),
        None => (random_password()?, true),
    };
    let name = Name::parse("Admin").map_err(|_| UseCaseError::Aborted)?;
    let admin = Registration::offline(name, settings.admin_email.clone(), Role::Admin, bus.now());
    let group_name = Name::parse("General").map_err(|_| UseCaseError::Aborted)?;
    let context = bus.context("system:setup".to_owned(), bus.new_uuid());
    let begun = accounts.bootstrap(context, group_name, (admin, &password)).await?;
    let email = settings.admin_email.as_str().to_owned();
    let one_time_password = is_generated.then(|| password.as_str().to_owned());
    Ok(begun.then_some(FirstAdmin { email, one_time_password }))
}
