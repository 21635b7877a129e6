//! Passwords, their store, and tokens.

mod credentials;
mod password;
mod sessions;
mod tickets;
mod tokens;

pub use credentials::SqlCredentialStore;
pub use password::{Argon2PasswordHasher, HashingCost, HashingLimits};
pub use sessions::SqlSessionStore;
pub use tickets::SqlTicketStore;
pub use tokens::{JwtTokens, SECRET_MIN_BYTES, SecretTooShort};
