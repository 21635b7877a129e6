use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::exact::{self, Inexact};

/// What a client attaches to a message and gets back: a JSON object with the same members and values. What JSON leaves open
/// (white space, the order of members, the notation of a number) may change.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Metadata(Value);

/// Why metadata was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// A list, a text, a number, a truth value or null.
    #[error("must be an object")]
    NotAnObject,
    /// More bytes than [`Metadata::MAX_BYTES`].
    #[error("must be at most {} bytes of JSON", Metadata::MAX_BYTES)]
    TooLong,
    /// A number whose value neither a 64-bit integer nor a double holds (RFC 8259 §6).
    #[error("must have no number with more digits than can be kept: write it as a string")]
    NumberTooLong,
    /// A key that an object has twice: only one of its values can be kept (RFC 8259 §4).
    #[error("must have no key twice in an object")]
    RepeatedKey,
    /// No JSON.
    #[error("must be valid JSON")]
    Malformed,
    /// More levels than [`Metadata::MAX_LEVELS`].
    #[error("must be nested at most {} levels deep", Metadata::MAX_LEVELS)]
    TooDeep,
}

impl From<Inexact> for MetadataError {
    fn from(error: Inexact) -> Self {
        match error {
            Inexact::Malformed => Self::Malformed,
            Inexact::NumberTooLong => Self::NumberTooLong,
            Inexact::RepeatedKey => Self::RepeatedKey,
        }
    }
}

impl Metadata {
    /// The most bytes, written as JSON without white space.
    pub const MAX_BYTES: usize = 4 * 1024;

    /// The most levels of objects and arrays: readers of JSON give up at some depth (MariaDB's `JSON_VALID` at 32), and
    /// events and lists add levels of their own.
    pub const MAX_LEVELS: usize = 16;

    /// Checks metadata that came from outside, as JSON text.
    ///
    /// # Errors
    /// Says why it is refused.
    pub fn parse(json: &str) -> Result<Self, MetadataError> {
        let value = exact::read(json)?;
        if !value.is_object() {
            return Err(MetadataError::NotAnObject);
        }
        if value.to_string().len() > Self::MAX_BYTES {
            return Err(MetadataError::TooLong);
        }
        if levels(&value) > Self::MAX_LEVELS {
            return Err(MetadataError::TooDeep);
        }
        Ok(Self(value))
    }

    /// The JSON object.
    #[must_use]
    pub const fn as_value(&self) -> &Value {
        &self.0
    }
}

impl fmt::Debug for Metadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Clients put names and addresses into it, which must not reach a log by accident.
        f.write_str("Metadata(…)")
    }
}

fn levels(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(levels).max().unwrap_or(0),
        Value::Object(members) => 1 + members.values().map(levels).max().unwrap_or(0),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn nested(levels: usize) -> Value {
        (0..levels).fold(json!(1), |inner, _| json!({ "a": inner }))
    }

    #[test]
    fn object_within_the_limits_is_taken_as_it_is() {
        let value = json!({ "page": "/prices", "seen": [1, null, true] });
        assert_eq!(Metadata::parse(&value.to_string()).unwrap().as_value(), &value);
        assert!(Metadata::parse("{}").is_ok());
    }

    #[test]
    fn anything_but_an_object_is_refused() {
        for value in [json!([]), json!("text"), json!(1), json!(true), json!(null)] {
            assert_eq!(Metadata::parse(&value.to_string()), Err(MetadataError::NotAnObject));
        }
    }

    #[test]
    fn length_is_counted_in_bytes_of_json() {
        let with = |bytes: usize| json!({ "a": "x".repeat(bytes - r#"{"a":""}"#.len()) });
        assert!(Metadata::parse(&with(Metadata::MAX_BYTES).to_string()).is_ok());
        let error = Metadata::parse(&with(Metadata::MAX_BYTES + 1).to_string()).unwrap_err();
        assert_eq!(error, MetadataError::TooLong);
        assert_eq!(error.to_string(), "must be at most 4096 bytes of JSON");
    }

    #[test]
    fn levels_of_arrays_count_like_those_of_objects() {
        assert!(Metadata::parse(&nested(Metadata::MAX_LEVELS).to_string()).is_ok());
        assert_eq!(Metadata::parse(&nested(Metadata::MAX_LEVELS + 1).to_string()), Err(MetadataError::TooDeep));
        let array = json!({ "a": [nested(Metadata::MAX_LEVELS - 1)] });
        assert_eq!(Metadata::parse(&array.to_string()), Err(MetadataError::TooDeep));
    }

    #[test]
    fn stored_metadata_is_read_without_a_check() {
        let stored = nested(Metadata::MAX_LEVELS + 1);
        let read: Metadata = serde_json::from_value(stored.clone()).unwrap();
        assert_eq!(serde_json::to_value(read).unwrap(), stored);
    }

    #[test]
    fn metadata_does_not_show_itself_in_debug_output() {
        let shown = format!("{:?}", Metadata::parse(r#"{"email":"anna"}"#).unwrap());
        assert!(!shown.contains("anna"));
    }
}
