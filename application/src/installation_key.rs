use domain::ids::{CommandId, EntityId as _};
use sha2::{Digest as _, Sha256};
use uuid::Builder;

use crate::ports::Hash;

/// A secret of the installation. What is derived under it means nothing to a reader of the database: nobody can confirm a
/// guess of what a client has sent, not even after the words themselves were erased.
#[derive(Clone, Copy)]
pub struct InstallationKey(Hash);

impl InstallationKey {
    /// The key for one purpose, from a secret that all nodes share.
    #[must_use]
    pub fn new(purpose: &str, secret: &[u8]) -> Self {
        Self(Self([0; 32]).digest(&[purpose.as_bytes(), secret]))
    }

    /// SHA-256 of all parts under the key.
    #[must_use]
    pub fn digest(&self, parts: &[&[u8]]) -> Hash {
        let mut inner = Sha256::new();
        inner.update(self.0);
        for part in parts {
            // The length keeps ("ab", "c") apart from ("a", "bc").
            inner.update((part.len() as u64).to_be_bytes());
            inner.update(part);
        }
        // Twice, so that what was hashed cannot be lengthened (as HMAC does, RFC 2104).
        Sha256::new().chain_update(self.0).chain_update(inner.finalize()).finalize().into()
    }

    /// The id of a command that a client names by words of its own: equal parts give equal ids.
    #[must_use]
    pub fn command_id(&self, parts: &[&str]) -> CommandId {
        let mut named = vec![&b"command"[..]];
        named.extend(parts.iter().map(|part| part.as_bytes()));
        let digest = self.digest(&named);
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest[..16]);
        CommandId::from_uuid(Builder::from_custom_bytes(bytes).into_uuid())
    }

    /// The id of a command that a client names by an idempotency key: the same key of another caller (`scope`) names
    /// another command.
    #[must_use]
    pub fn command_id_of_key(&self, scope: &str, key: &str) -> CommandId {
        self.command_id(&["idempotency", scope, key])
    }
}

impl std::fmt::Debug for InstallationKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InstallationKey").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(secret: &[u8]) -> InstallationKey {
        InstallationKey::new("tests", secret)
    }

    #[test]
    fn ids_repeat_under_one_key_and_tell_parts_apart() {
        assert_eq!(key(b"a").command_id(&["ab", "c"]), key(b"a").command_id(&["ab", "c"]));
        assert_ne!(key(b"a").command_id(&["ab", "c"]), key(b"a").command_id(&["a", "bc"]));
        assert_ne!(key(b"a").command_id_of_key("anna", "k"), key(b"a").command_id_of_key("bert", "k"));
    }

    #[test]
    fn nobody_without_the_key_gets_the_same_ids_and_digests() {
        assert_ne!(key(b"a").command_id(&["x"]), key(b"b").command_id(&["x"]));
        assert_ne!(key(b"a").digest(&[b"x"]), key(b"b").digest(&[b"x"]));
        assert_ne!(
            InstallationKey::new("one", b"a").digest(&[b"x"]),
            InstallationKey::new("two", b"a").digest(&[b"x"])
        );
        assert!(!format!("{:?}", key(b"a")).contains("97"));
    }
}
