use std::fmt;
use std::ops::RangeInclusive;

use unicode_normalization::UnicodeNormalization as _;

use crate::text::TextError;

/// A password that an agent gets. It is never stored, only its hash.
#[derive(Clone, PartialEq, Eq)]
pub struct NewPassword(String);

impl NewPassword {
    /// How many characters it has (NIST SP 800-63B §5.1.1.2 asks for at least 8 and for room).
    pub const CHARACTERS: RangeInclusive<usize> = 8..=128;

    /// Checks a password that came from outside.
    ///
    /// # Errors
    /// Says how many characters it must have.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        let text = composed(text);
        within(text.chars().count(), Self::CHARACTERS, "characters")?;
        Ok(Self(text))
    }

    /// The password, for the hash function.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A password that is compared with the one an agent has. What is too long for any of them is refused: hashing it would
/// only cost time.
#[derive(Clone, PartialEq, Eq)]
pub struct GivenPassword(String);

impl GivenPassword {
    /// How many bytes of UTF-8 it has: more than any [`NewPassword`] may have.
    pub const BYTES: RangeInclusive<usize> = 1..=1024;

    /// Checks a password that came from outside.
    ///
    /// # Errors
    /// Says how many bytes it must have.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        within(text.len(), Self::BYTES, "bytes")?;
        Ok(Self(composed(text)))
    }

    /// The password, for the hash function.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The form in which the same password is the same on every keyboard (RFC 8265 §4.2.2: NFC, and one kind of space).
fn composed(text: &str) -> String {
    text.chars().map(|c| if c.is_whitespace() && !c.is_control() { ' ' } else { c }).nfc().collect()
}

fn within(length: usize, allowed: RangeInclusive<usize>, unit: &'static str) -> Result<(), TextError> {
    if allowed.contains(&length) {
        return Ok(());
    }
    Err(TextError::WrongLength { min: *allowed.start(), max: *allowed.end(), unit })
}

impl fmt::Debug for NewPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NewPassword(…)")
    }
}

impl fmt::Debug for GivenPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GivenPassword(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_password_has_8_to_128_characters_of_any_kind() {
        for (length, allowed) in [(7, false), (8, true), (128, true), (129, false)] {
            assert_eq!(NewPassword::parse(&"ü".repeat(length)).is_ok(), allowed, "{length}");
        }
        assert_eq!(NewPassword::parse("short").unwrap_err().to_string(), "must have 8 to 128 characters");
    }

    #[test]
    fn given_password_is_limited_in_bytes_and_every_new_one_fits() {
        for (length, allowed) in [(0, false), (1, true), (1024, true), (1025, false)] {
            assert_eq!(GivenPassword::parse(&"x".repeat(length)).is_ok(), allowed, "{length}");
        }
        assert_eq!(GivenPassword::parse("").unwrap_err().to_string(), "must have 1 to 1024 bytes");
        let longest = "🔑".repeat(*NewPassword::CHARACTERS.end());
        assert!(NewPassword::parse(&longest).is_ok() && GivenPassword::parse(&longest).is_ok());
    }

    #[test]
    fn password_is_the_same_on_every_keyboard() {
        let (new, given) =
            (NewPassword::parse("caf\u{e9} noir").unwrap(), GivenPassword::parse("cafe\u{301}\u{a0}noir").unwrap());
        assert_eq!(new.as_str(), given.as_str());
    }

    #[test]
    fn passwords_do_not_show_themselves_in_debug_output() {
        let shown = format!("{:?} {:?}", NewPassword::parse("correct horse"), GivenPassword::parse("correct horse"));
        assert!(!shown.contains("horse"));
    }
}
