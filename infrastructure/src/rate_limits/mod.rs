//! Counters of how often a caller did something, and of what callers hold at the moment.

mod memory;
mod places;
mod window;

pub use memory::MemoryRateLimiter;
pub use places::MemoryPlaces;
pub(crate) use window::{Step, Window, length, millis, whole_millis};

use sha2::{Digest, Sha256};

/// Half of a key's SHA-256: equally short for any key, and without the e-mail address that the key may hold.
pub(crate) type HashedKey = [u8; 16];

pub(crate) fn hashed(key: &str) -> HashedKey {
    let mut half = HashedKey::default();
    half.copy_from_slice(&Sha256::digest(key)[..16]);
    half
}

#[cfg(test)]
mod clock;

#[cfg(test)]
mod tests;
