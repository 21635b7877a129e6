//! Counters of who did something how often.

mod link;
mod memory;
mod redis;
mod window;

pub use memory::MemoryRateLimiter;
pub use redis::{RateLimiterOptions, RedisRateLimiter};

use sha2::{Digest, Sha256};

/// Half of a key's SHA-256: as short for any key, and without the e-mail address that the key may hold.
type HashedKey = [u8; 16];

fn hashed(key: &str) -> HashedKey {
    let mut half = HashedKey::default();
    half.copy_from_slice(&Sha256::digest(key)[..16]);
    half
}

#[cfg(test)]
mod tests;
