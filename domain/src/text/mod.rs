//! Texts that people write. The edge parses them once; inside they are valid.
//!
//! Deserialising a stored event checks nothing: a limit that is lowered later must not make the log unreadable.

mod metadata;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use metadata::{Metadata, MetadataError};

/// Why a text was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Only white space.
    #[error("must not be empty")]
    Empty,
    /// More bytes of UTF-8 than allowed.
    #[error("must be at most {max} bytes of UTF-8")]
    TooLong {
        /// The most bytes allowed.
        max: usize,
    },
    /// More characters than allowed.
    #[error("must have at most {max} characters")]
    TooManyCharacters {
        /// The most characters allowed.
        max: usize,
    },
    /// Shorter or longer than allowed.
    #[error("must have {min} to {max} {unit}")]
    WrongLength {
        /// The least allowed.
        min: usize,
        /// The most allowed.
        max: usize,
        /// What is counted.
        unit: &'static str,
    },
    /// A control character (Unicode category Cc) such as NUL or ESC.
    #[error("must not contain control characters")]
    ControlCharacter,
    /// Not in the form of this kind of text.
    #[error("{expected}")]
    Malformed {
        /// The form it must have.
        expected: &'static str,
    },
}

fn check(text: &str, max: usize, may_break_lines: bool) -> Result<(), TextError> {
    if text.trim().is_empty() {
        return Err(TextError::Empty);
    }
    if text.len() > max {
        return Err(TextError::TooLong { max });
    }
    let allowed = |c: char| may_break_lines && matches!(c, '\n' | '\r' | '\t');
    if text.chars().any(|c| c.is_control() && !allowed(c)) {
        return Err(TextError::ControlCharacter);
    }
    Ok(())
}

macro_rules! text {
    ($(#[doc = $doc:literal] $name:ident, $max:expr, $lines:literal);+ $(;)?) => {$(
        #[doc = $doc]
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The most bytes of UTF-8.
            pub const MAX_BYTES: usize = $max;

            /// Checks a text from outside.
            ///
            /// # Errors
            /// If the text is empty, too long or holds control characters.
            pub fn parse(text: &str) -> Result<Self, TextError> {
                check(text, Self::MAX_BYTES, $lines)?;
                Ok(Self(text.to_owned()))
            }

            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                // People's texts must not reach the program's log by accident.
                write!(f, "{}({} bytes)", stringify!($name), self.0.len())
            }
        }
    )+};
}

text! {
    /// A message of a visitor or an agent: at most 16 KiB, with line breaks.
    MessageText, 16 * 1024, true;
    /// The name of a person or thing, on one line.
    Name, 200, false;
    /// A longer text with line breaks: a description, notes, a reason.
    Note, 2_000, true;
    /// A telephone number as its owner writes it.
    PhoneNumber, 50, false;
    /// A client's own id for its message: a message that is sent twice is stored once.
    ClientEventId, 100, false;
    /// The address of a picture.
    AvatarUrl, 2_000, false;
}

/// An e-mail address, kept as written and compared without regard to case.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EmailAddress(String);

impl EmailAddress {
    /// The most bytes (RFC 5321 §4.5.3.1.3: a path of 256 octets with its two angle brackets).
    pub const MAX_BYTES: usize = 254;

    /// Checks an address from outside: one `@`, a local part before it, a dotted or plain host after it.
    ///
    /// # Errors
    /// If the address is too long or has another form.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        check(text, Self::MAX_BYTES, false)?;
        let malformed = TextError::Malformed { expected: "must be an e-mail address" };
        let (local, host) = text.rsplit_once('@').ok_or(malformed)?;
        let host_is_fine = !host.is_empty()
            && !host.starts_with(['.', '-'])
            && !host.ends_with(['.', '-'])
            && !host.contains("..")
            && host.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-'));
        let local_is_fine = !local.is_empty()
            && local.len() <= 64
            && !local.chars().any(|c| c.is_whitespace() || matches!(c, '@' | '<' | '>' | ',' | ';' | '"'));
        if local_is_fine && host_is_fine { Ok(Self(text.to_owned())) } else { Err(malformed) }
    }

    /// The address as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address in lower case, to compare by.
    #[must_use]
    pub fn key(&self) -> String {
        self.0.to_lowercase()
    }
}

impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EmailAddress(…)")
    }
}

/// A colour as `#RRGGBB`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Color(String);

impl Color {
    /// Checks a colour from outside.
    ///
    /// # Errors
    /// If the colour has another form.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6);
        match digits {
            Some(digits) if digits.chars().all(|c| c.is_ascii_hexdigit()) => Ok(Self(text.to_owned())),
            Some(_) | None => Err(TextError::Malformed { expected: "must be a colour as #RRGGBB" }),
        }
    }

    /// The colour as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_takes_16_kib_and_not_one_byte_more() {
        assert!(MessageText::parse(&"x".repeat(16 * 1024)).is_ok());
        let error = MessageText::parse(&"x".repeat(16 * 1024 + 1)).unwrap_err();
        assert_eq!(error, TextError::TooLong { max: 16 * 1024 });
    }

    #[test]
    fn the_limit_counts_bytes_not_characters() {
        assert!(Name::parse(&"é".repeat(100)).is_ok());
        assert_eq!(Name::parse(&"é".repeat(101)).unwrap_err(), TextError::TooLong { max: 200 });
    }

    #[test]
    fn control_characters_are_refused_but_a_message_may_break_lines() {
        assert!(MessageText::parse("one\ntwo\ttabbed").is_ok());
        assert_eq!(MessageText::parse("nul\0").unwrap_err(), TextError::ControlCharacter);
        assert_eq!(Name::parse("two\nlines").unwrap_err(), TextError::ControlCharacter);
        assert_eq!(Name::parse("  ").unwrap_err(), TextError::Empty);
    }

    #[test]
    fn addresses() {
        for good in ["a@b.co", "Anna.Smith+x@mail.example.com", "root@localhost", "ü@bücher.de"] {
            assert!(EmailAddress::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "anna", "@b.co", "a@", "a b@c.de", "a@b..c", "a@.b", "<a@b.c>", "a@b.c\n", "a@b@c"] {
            assert!(EmailAddress::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn texts_do_not_show_themselves_in_debug_output() {
        let shown = format!("{:?} {:?}", MessageText::parse("secret").unwrap(), EmailAddress::parse("a@b.c").unwrap());
        assert!(!shown.contains("secret") && !shown.contains("a@b.c"));
    }

    #[test]
    fn colours() {
        assert!(Color::parse("#00fF7a").is_ok());
        for bad in ["", "00ff7a", "#00ff7", "#00ff7g", "red"] {
            assert!(Color::parse(bad).is_err(), "{bad}");
        }
    }
}
