//! Passwords, their store, and tokens.

mod credentials;
mod password;
mod tokens;

pub use credentials::SqlCredentialStore;
pub use password::{Argon2PasswordHasher, HashingLimits};
pub use tokens::{JwtTokens, SECRET_MIN_BYTES, SecretTooShort};
