//! Argon2id, and the bcrypt hashes of accounts that moved over.

use std::sync::Arc;
use std::thread::available_parallelism;

use application::ports::{HashError, PasswordHasher, PasswordMatch};
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{Error as PhcError, PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use async_trait::async_trait;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The memory of one hash in KiB: with two passes and one lane, what OWASP's password storage cheat sheet asks for.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Nobody's password: it is checked when there is no stored hash, so that both answers take the same time.
const DUMMY_HASH: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bGl2ZWNoYXRsb2cuZHVtbXk$E/DD9NRPh8JnHrVBT6dR8lb6QF9xqYj/Ch2h8Vj0xkI";

/// bcrypt looks at no more than these bytes of a password.
const BCRYPT_MAX_BYTES: usize = 72;

/// How many passwords are hashed at once, and how many may wait for their turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashingLimits {
    /// Hashes computed at the same time; each takes a core and 19 MiB.
    pub running: usize,
    /// Callers that wait; one more is answered [`HashError::Busy`].
    pub waiting: usize,
}

impl Default for HashingLimits {
    /// As many as there are cores, and 128 waiting for each: a wait of two to three seconds.
    fn default() -> Self {
        let cores = available_parallelism().map_or(1, usize::from);
        Self { running: cores, waiting: 128 * cores }
    }
}

/// Hashes passwords with Argon2id on threads of their own, and accepts bcrypt hashes of versions 2a, 2b and 2y.
#[derive(Clone, Debug)]
pub struct Argon2PasswordHasher {
    admitted: Arc<Semaphore>,
    running: Arc<Semaphore>,
}

impl Argon2PasswordHasher {
    /// A hasher that works within the limits.
    #[must_use]
    pub fn new(limits: HashingLimits) -> Self {
        let running = limits.running.max(1);
        Self {
            admitted: Arc::new(Semaphore::new(running + limits.waiting)),
            running: Arc::new(Semaphore::new(running)),
        }
    }

    /// Runs slow work off the threads that serve requests. It keeps its place until it is done, even when the caller
    /// has gone, so that callers who give up cannot exceed the limits.
    async fn run<T, F>(&self, work: F) -> Result<T, HashError>
    where
        T: Send + 'static,
        F: FnOnce() -> Result<T, HashError> + Send + 'static,
    {
        let places = self.take_places().await?;
        let task = tokio::task::spawn_blocking(move || {
            let _places = places;
            work()
        });
        task.await.map_err(failed)?
    }

    async fn take_places(&self) -> Result<[OwnedSemaphorePermit; 2], HashError> {
        let admitted = Arc::clone(&self.admitted).try_acquire_owned().map_err(|_| HashError::Busy)?;
        let running = Arc::clone(&self.running).acquire_owned().await.map_err(failed)?;
        Ok([admitted, running])
    }
}

impl Default for Argon2PasswordHasher {
    fn default() -> Self {
        Self::new(HashingLimits::default())
    }
}

#[async_trait]
impl PasswordHasher for Argon2PasswordHasher {
    async fn hash(&self, password: &str) -> Result<String, HashError> {
        let password = password.to_owned();
        self.run(move || argon2_hash(&password)).await
    }

    async fn verify(&self, password: &str, stored: Option<&str>) -> Result<PasswordMatch, HashError> {
        let password = password.to_owned();
        let stored = stored.map(str::to_owned);
        self.run(move || match stored {
            Some(stored) => verify_stored(&password, &stored),
            None => verify_argon2(&password, DUMMY_HASH).map(|_| PasswordMatch::No),
        })
        .await
    }
}

fn failed(source: impl std::error::Error + Send + Sync + 'static) -> HashError {
    HashError::Failed { source: Box::new(source) }
}

fn argon2() -> Result<Argon2<'static>, HashError> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(failed)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn argon2_hash(password: &str) -> Result<String, HashError> {
    let hash = argon2()?.hash_password(password.as_bytes()).map_err(failed)?;
    Ok(hash.to_string())
}

fn verify_stored(password: &str, stored: &str) -> Result<PasswordMatch, HashError> {
    if ["$2a$", "$2b$", "$2y$"].iter().any(|prefix| stored.starts_with(prefix)) {
        verify_bcrypt(password, stored)
    } else if stored.starts_with("$argon2") {
        verify_argon2(password, stored)
    } else {
        Err(HashError::UnknownHash)
    }
}

fn verify_argon2(password: &str, stored: &str) -> Result<PasswordMatch, HashError> {
    let hash = PasswordHash::new(stored).map_err(|_| HashError::UnknownHash)?;
    match argon2()?.verify_password(password.as_bytes(), &hash) {
        Ok(()) if is_current(&hash) => Ok(PasswordMatch::Yes),
        Ok(()) => argon2_hash(password).map(PasswordMatch::YesRehashed),
        Err(PhcError::PasswordInvalid) => Ok(PasswordMatch::No),
        Err(error) => Err(failed(error)),
    }
}

/// Whether the hash was made with the present algorithm and parameters.
fn is_current(hash: &PasswordHash) -> bool {
    let same_algorithm = hash.algorithm == Algorithm::Argon2id.ident() && hash.version == Some(Version::V0x13.into());
    let same_costs = Params::try_from(hash)
        .is_ok_and(|params| (params.m_cost(), params.t_cost(), params.p_cost()) == (MEMORY_KIB, PASSES, LANES));
    same_algorithm && same_costs
}

fn verify_bcrypt(password: &str, stored: &str) -> Result<PasswordMatch, HashError> {
    let is_match = bcrypt::verify(password, stored).map_err(|_| HashError::UnknownHash)?;
    if !is_match {
        return Ok(PasswordMatch::No);
    }
    // What follows was never compared. A new hash would take it in, and with it a slip of the keyboard.
    if password.len() > BCRYPT_MAX_BYTES {
        return Ok(PasswordMatch::Yes);
    }
    argon2_hash(password).map(PasswordMatch::YesRehashed)
}

#[cfg(test)]
mod tests;
