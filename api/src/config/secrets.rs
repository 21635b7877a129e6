//! Secrets that the operator sets, or that the first start generates into the data folder.

use std::io;
use std::path::Path;

use domain::agent::NewPassword;
use infrastructure::auth::SECRET_MIN_BYTES;
use infrastructure::secret_file::{self, read_or_make};

use super::{ConfigError, given, make_private_folder};

/// The file in the data folder with the generated JWT secret.
pub const JWT_SECRET_FILE: &str = "jwt_secret";
/// The file in the data folder with the generated metrics token.
pub const METRICS_TOKEN_FILE: &str = "metrics_token";

/// A secret that the first start generates unless it is set.
pub(super) struct Secret {
    setting: &'static str,
    file: &'static str,
    min_bytes: usize,
    /// Whether clients send it in a header.
    in_header: bool,
    expected: &'static str,
}

pub(super) const JWT_SECRET: Secret = Secret {
    setting: "JWT_SECRET",
    file: JWT_SECRET_FILE,
    min_bytes: SECRET_MIN_BYTES,
    in_header: false,
    expected: "must have at least 32 bytes",
};

pub(super) const METRICS_TOKEN: Secret = Secret {
    setting: "METRICS_TOKEN",
    file: METRICS_TOKEN_FILE,
    min_bytes: 16,
    in_header: true,
    expected: "must have at least 16 bytes of visible ASCII characters, and no spaces at its ends: clients send it in a header",
};

impl Secret {
    /// The secret from the setting or from an earlier start.
    pub(super) fn find(&self, value: Option<String>, folder: &Path) -> Result<Option<Vec<u8>>, ConfigError> {
        let found = match given(self.setting, value)? {
            Some(secret) => Some(secret.into_bytes()),
            None => self.stored(&folder.join(self.file))?,
        };
        match found {
            Some(secret) if !self.is_usable(&secret) => {
                Err(ConfigError::Malformed { setting: self.setting, expected: self.expected })
            }
            found => Ok(found),
        }
    }

    fn is_usable(&self, secret: &[u8]) -> bool {
        // A header loses spaces at its ends.
        let fits = || secret == secret.trim_ascii() && secret.iter().all(|byte| (b' '..=b'~').contains(byte));
        secret.len() >= self.min_bytes && (!self.in_header || fits())
    }

    fn stored(&self, path: &Path) -> Result<Option<Vec<u8>>, ConfigError> {
        match secret_file::read(path) {
            Ok(secret) => Ok(Some(secret)),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
            Err(source) => Err(ConfigError::File { setting: self.setting, path: path.to_owned(), source }),
        }
    }

    /// The secret that was found, or else a new one.
    pub(super) fn or_make(
        &self,
        found: Option<Vec<u8>>,
        folder: &Path,
        make: impl FnOnce(&'static str, &Path) -> Result<Vec<u8>, ConfigError>,
    ) -> Result<Vec<u8>, ConfigError> {
        found.map_or_else(|| make(self.setting, &folder.join(self.file)), Ok)
    }
}

/// Generates a secret and stores it.
pub(super) fn make(setting: &'static str, path: &Path) -> Result<Vec<u8>, ConfigError> {
    make_private_folder(path.parent().unwrap_or(Path::new(".")))?;
    let failed = |source| ConfigError::File { setting, path: path.to_owned(), source };
    read_or_make(path, || random_text(setting, 32), failed)
}

/// A password for the first admin or for an agent who has lost theirs: 96 random bits.
///
/// # Errors
/// When the operating system has no random numbers.
pub fn random_password() -> Result<NewPassword, ConfigError> {
    let text = random_text("ADMIN_PASSWORD", 12)?;
    Ok(NewPassword::parse(&text).expect("24 hexadecimal digits are within the limits of a password"))
}

/// Random hexadecimal digits, two for each byte.
///
/// # Errors
/// When the operating system has no random numbers.
fn random_text(setting: &'static str, bytes: usize) -> Result<String, ConfigError> {
    let mut random = vec![0; bytes];
    getrandom::fill(&mut random).map_err(|_| ConfigError::NoRandomness { setting })?;
    Ok(hex::encode(random))
}
