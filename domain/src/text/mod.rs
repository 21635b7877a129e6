//! Texts that people write. The edge parses them once; inside they are valid.
//!
//! Deserialising a stored event checks nothing: a limit that is lowered later must not make the log unreadable.

mod cleaning;
mod exact;
mod metadata;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use cleaning::{folded, is_blank};
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

fn check(text: &str, max: usize) -> Result<(), TextError> {
    if is_blank(text) {
        return Err(TextError::Empty);
    }
    if text.len() > max {
        return Err(TextError::TooLong { max });
    }
    Ok(())
}

/// A name for things, not a text of people: as it is, or not at all.
fn exactly(text: &str) -> Result<String, TextError> {
    if text.chars().any(char::is_control) { Err(TextError::ControlCharacter) } else { Ok(text.to_owned()) }
}

fn one_line(text: &str) -> Result<String, TextError> {
    Ok(cleaning::one_line(text))
}

fn lines(text: &str) -> Result<String, TextError> {
    Ok(cleaning::lines(text))
}

/// An address that a browser may be sent to: other schemes run programs or read files.
fn web_address(text: &str) -> Result<String, TextError> {
    let malformed = TextError::Malformed { expected: "must be the address of a picture, with https:// or http://" };
    let address = cleaning::one_line(text);
    let (scheme, rest) = address.split_once("://").ok_or(malformed)?;
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let is_web = scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http");
    let has_host = host.chars().any(char::is_alphanumeric);
    // No address has these (RFC 3986 §2); in a page they would end the attribute that holds it.
    let is_plain = !address
        .chars()
        .any(|c| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | '\\' | '`' | '^' | '{' | '|' | '}'));
    if is_web && has_host && is_plain { Ok(address) } else { Err(malformed) }
}

macro_rules! text {
    ($(#[doc = $doc:literal] $name:ident, $max:expr, $cleaned:ident);+ $(;)?) => {$(
        #[doc = $doc]
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The most bytes of UTF-8.
            pub const MAX_BYTES: usize = $max;

            /// Cleans and checks a text from outside.
            ///
            /// # Errors
            /// If nothing of the text can be seen, or if it is too long or of another form.
            pub fn parse(text: &str) -> Result<Self, TextError> {
                if is_blank(text) {
                    return Err(TextError::Empty);
                }
                let cleaned = $cleaned(text)?;
                check(&cleaned, Self::MAX_BYTES)?;
                Ok(Self(cleaned))
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
    MessageText, 16 * 1024, lines;
    /// The name of a person or thing, on one line.
    Name, 200, one_line;
    /// A longer text with line breaks: a description, notes, a reason.
    Note, 2_000, lines;
    /// A telephone number as its owner writes it.
    PhoneNumber, 50, one_line;
    /// A client's own id for its message: a message that is sent twice is stored once.
    ClientEventId, 100, exactly;
    /// The address of a picture on the web.
    AvatarUrl, 2_000, web_address;
}

/// An e-mail address, compared without regard to case. Characters that cannot be seen are left out, and those that look alike
/// are one.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EmailAddress(String);

impl EmailAddress {
    /// The most bytes (RFC 5321 §4.5.3.1.3: a path of 256 octets with its two angle brackets).
    pub const MAX_BYTES: usize = 254;

    /// Cleans and checks an address from outside: one `@`, a local part before it, a dotted or plain host after it.
    ///
    /// # Errors
    /// If the address is too long or has another form.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        let text = cleaning::address(text);
        check(&text, Self::MAX_BYTES)?;
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
        if local_is_fine && host_is_fine { Ok(Self(text)) } else { Err(malformed) }
    }

    /// The address, in the case in which it was written.
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
    fn pasted_control_characters_are_cleaned_and_ids_of_clients_are_not() {
        assert_eq!(MessageText::parse("one\ntwo\ttabbed").unwrap().as_str(), "one\ntwo\ttabbed");
        assert_eq!(MessageText::parse("nul\0 page\u{c}two").unwrap().as_str(), "nul page\ntwo");
        assert_eq!(Name::parse("two\nlines").unwrap().as_str(), "two lines");
        assert_eq!(ClientEventId::parse("a\u{1}").unwrap_err(), TextError::ControlCharacter);
        assert_eq!(ClientEventId::parse(" a ").unwrap().as_str(), " a ");
    }

    #[test]
    fn text_of_which_nothing_is_seen_is_empty() {
        for text in ["", "  ", "\u{200b}", "\u{3164}", "\u{0}", "\u{2800}\n"] {
            assert_eq!(Name::parse(text).unwrap_err(), TextError::Empty, "{text:?}");
            assert_eq!(Note::parse(text).unwrap_err(), TextError::Empty, "{text:?}");
            assert_eq!(MessageText::parse(text).unwrap_err(), TextError::Empty, "{text:?}");
            assert_eq!(AvatarUrl::parse(text).unwrap_err(), TextError::Empty, "{text:?}");
        }
    }

    #[test]
    fn pictures_are_on_the_web() {
        for good in ["https://example.com/a.png", "HTTP://bücher.de", " https://[::1]:8/x?y#z "] {
            assert!(AvatarUrl::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "javascript:alert(1)",
            "data:text/html,x",
            "file:///etc/passwd",
            "//evil.example/x",
            "\"><img src=x>",
            "not a url",
            "https://",
            "https:///x",
            "https:example.com",
            "https://a\"onerror=",
            "https://a b",
            "java\nscript://x",
            "/me.png",
            "https://a.example/<svg>",
            "https:\\\\evil",
            "vbscript://a",
        ] {
            assert!(AvatarUrl::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn address_is_the_same_however_it_is_typed() {
        let kim = EmailAddress::parse("kim@example.com").unwrap();
        for twin in [
            "kim@example.com ",
            "\tkim@example.com",
            "kim\u{200b}@example.com",
            "\u{202e}kim@example.com",
            "kim\u{ad}@example.com",
            "\u{ff4b}im@example.com",
            "kim@example\u{2060}.com",
            "\u{feff}kim@example.com",
        ] {
            assert_eq!(EmailAddress::parse(twin).unwrap(), kim, "{twin:?}");
        }
        assert_eq!(EmailAddress::parse("cafe\u{301}@a.b").unwrap(), EmailAddress::parse("caf\u{e9}@a.b").unwrap());
    }

    #[test]
    fn addresses() {
        for good in ["a@b.co", "Anna.Smith+x@mail.example.com", "root@localhost", "ü@bücher.de"] {
            assert!(EmailAddress::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "anna", "@b.co", "a@", "a b@c.de", "a@b..c", "a@.b", "<a@b.c>", "a@b@c"] {
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
