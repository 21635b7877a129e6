//! The key that signs exports.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};

use crate::secret_file::read_or_make;

/// What a signature is for, so that it fits nothing else.
const PURPOSE: &[u8] = b"livechatlog-audit-head-1\n";

/// The key of an installation. It is made once and kept in a file that only its owner may read.
pub struct AuditKey(SigningKey);

/// What signatures are checked with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Its file cannot be used.
    #[error("cannot use {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// Its file holds something else.
    #[error("{} holds no key: 64 hexadecimal digits are expected", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
    },
    /// The text is no public key.
    #[error("not a public key: 64 hexadecimal digits are expected")]
    NotAPublicKey,
}

impl AuditKey {
    /// The name of its file in the data folder.
    pub const FILE: &'static str = "audit_key";

    /// Reads the key of a data folder, and makes one when there is none.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn of_folder(folder: &Path) -> Result<Self, KeyError> {
        let path = folder.join(Self::FILE);
        let failed = |source| KeyError::File { path: path.clone(), source };
        let text = read_or_make(&path, || new_seed().map_err(failed), failed)?;
        let mut seed = [0; 32];
        let read = hex::decode_to_slice(text.trim_ascii(), &mut seed);
        read.map_err(|_| KeyError::Malformed { path })?;
        Ok(Self(SigningKey::from_bytes(&seed)))
    }

    /// What its signatures are checked with.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    pub(super) fn sign(&self, head: &str) -> String {
        hex::encode(self.0.sign(&[PURPOSE, head.as_bytes()].concat()).to_bytes())
    }
}

fn new_seed() -> io::Result<String> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(io::Error::other)?;
    Ok(hex::encode(seed))
}

impl PublicKey {
    pub(super) fn verifies(self, head: &str, signature: &str) -> bool {
        let mut bytes = [0; Signature::BYTE_SIZE];
        if hex::decode_to_slice(signature, &mut bytes).is_err() {
            return false;
        }
        let signed = [PURPOSE, head.as_bytes()].concat();
        self.0.verify_strict(&signed, &Signature::from_bytes(&bytes)).is_ok()
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0.as_bytes()))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

impl FromStr for PublicKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text.trim(), &mut bytes).map_err(|_| KeyError::NotAPublicKey)?;
        VerifyingKey::from_bytes(&bytes).map(Self).map_err(|_| KeyError::NotAPublicKey)
    }
}
