//! Argon2id, and the bcrypt hashes of accounts that moved over.

use std::sync::Arc;
use std::thread::available_parallelism;

use application::ports::{HashError, PasswordHasher, PasswordMatch};
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{Error as PhcError, PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use async_trait::async_trait;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

const LANES: u32 = 1;

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

/// What one hash costs the server, and each guess of an attacker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashingCost {
    /// Its memory in KiB, at least 8.
    pub memory_kib: u32,
    /// How often it passes over this memory, at least once.
    pub passes: u32,
}

impl Default for HashingCost {
    /// What OWASP's password storage cheat sheet asks for, with one lane.
    fn default() -> Self {
        Self { memory_kib: 19_456, passes: 2 }
    }
}

impl HashingCost {
    fn params(self) -> Result<Params, HashError> {
        Params::new(self.memory_kib, self.passes, LANES, None).map_err(failed)
    }

    fn argon2(self) -> Result<Argon2<'static>, HashError> {
        Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, self.params()?))
    }

    fn hash(self, password: &str) -> Result<String, HashError> {
        let hash = self.argon2()?.hash_password(password.as_bytes()).map_err(failed)?;
        Ok(hash.to_string())
    }

    /// A hash of nobody's password: it is checked when there is no stored hash, so that both answers take the same time.
    fn dummy(self) -> String {
        let Self { memory_kib, passes } = self;
        format!(
            "$argon2id$v=19$m={memory_kib},t={passes},p={LANES}$bGl2ZWNoYXRsb2cuZHVtbXk$\
                E/DD9NRPh8JnHrVBT6dR8lb6QF9xqYj/Ch2h8Vj0xkI"
        )
    }

    /// Whether the hash was made with the present algorithm at this cost.
    fn is_of(self, hash: &PasswordHash) -> bool {
        let same_algorithm =
            hash.algorithm == Algorithm::Argon2id.ident() && hash.version == Some(Version::V0x13.into());
        let same_costs = Params::try_from(hash).is_ok_and(|params| {
            (params.m_cost(), params.t_cost(), params.p_cost()) == (self.memory_kib, self.passes, LANES)
        });
        same_algorithm && same_costs
    }
}

/// Hashes passwords with Argon2id on threads of their own, and accepts bcrypt hashes of versions 2a, 2b and 2y.
#[derive(Clone, Debug)]
pub struct Argon2PasswordHasher {
    cost: HashingCost,
    admitted: Arc<Semaphore>,
    running: Arc<Semaphore>,
}

impl Argon2PasswordHasher {
    /// A hasher that works within the limits.
    #[must_use]
    pub fn new(limits: HashingLimits, cost: HashingCost) -> Self {
        let running = limits.running.max(1);
        Self {
            cost,
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
        Self::new(HashingLimits::default(), HashingCost::default())
    }
}

#[async_trait]
impl PasswordHasher for Argon2PasswordHasher {
    async fn hash(&self, password: &str) -> Result<String, HashError> {
        let (password, cost) = (password.to_owned(), self.cost);
        self.run(move || cost.hash(&password)).await
    }

    async fn verify(&self, password: &str, stored: Option<&str>) -> Result<PasswordMatch, HashError> {
        let (password, cost) = (password.to_owned(), self.cost);
        let stored = stored.map(str::to_owned);
        self.run(move || match stored {
            Some(stored) => verify_stored(&password, &stored, cost),
            None => verify_argon2(&password, &cost.dummy(), cost).map(|_| PasswordMatch::No),
        })
        .await
    }
}

fn failed(source: impl std::error::Error + Send + Sync + 'static) -> HashError {
    HashError::Failed { source: Box::new(source) }
}

fn verify_stored(password: &str, stored: &str, cost: HashingCost) -> Result<PasswordMatch, HashError> {
    if ["$2a$", "$2b$", "$2y$"].iter().any(|prefix| stored.starts_with(prefix)) {
        verify_bcrypt(password, stored, cost)
    } else if stored.starts_with("$argon2") {
        verify_argon2(password, stored, cost)
    } else {
        Err(HashError::UnknownHash)
    }
}

fn verify_argon2(password: &str, stored: &str, cost: HashingCost) -> Result<PasswordMatch, HashError> {
    let hash = PasswordHash::new(stored).map_err(|_| HashError::UnknownHash)?;
    match cost.argon2()?.verify_password(password.as_bytes(), &hash) {
        Ok(()) if cost.is_of(&hash) => Ok(PasswordMatch::Yes),
        Ok(()) => cost.hash(password).map(PasswordMatch::YesRehashed),
        Err(PhcError::PasswordInvalid) => Ok(PasswordMatch::No),
        Err(error) => Err(failed(error)),
    }
}

fn verify_bcrypt(password: &str, stored: &str, cost: HashingCost) -> Result<PasswordMatch, HashError> {
    let is_match = bcrypt::verify(password, stored).map_err(|_| HashError::UnknownHash)?;
    if !is_match {
        return Ok(PasswordMatch::No);
    }
    // What follows was never compared. A new hash would take it in, and with it a slip of the keyboard.
    if password.len() > BCRYPT_MAX_BYTES {
        return Ok(PasswordMatch::Yes);
    }
    cost.hash(password).map(PasswordMatch::YesRehashed)
}

#[cfg(test)]
mod tests;
