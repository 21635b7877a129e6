use std::fmt;

use serde::Deserializer;
use serde::de::{Error, Visitor};

/// Reads a whole number as JSON Schema knows it: `12.0` and `1.2e1` are 12.
///
/// # Errors
/// When the value is neither a whole number nor null.
pub fn integer<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    deserializer.deserialize_option(Integer)
}

/// Reads a whole number that must be there, as [`integer`] does.
///
/// # Errors
/// When the value is no whole number.
pub fn required_integer<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    deserializer.deserialize_i64(Integer)?.ok_or_else(|| D::Error::custom("expected i64"))
}

struct Integer;

impl<'de> Visitor<'de> for Integer {
    type Value = Option<i64>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("i64")
    }

    fn visit_none<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_i64(self)
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Some(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
        i64::try_from(value).map(Some).map_err(|_| E::custom("expected i64"))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Self::Value, E> {
        // The digits, as there is no conversion that refuses what does not fit.
        let digits = value.to_string();
        digits.parse().map(Some).map_err(|_| E::custom("expected i64"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Option<i64>> {
        integer(&mut serde_json::Deserializer::from_str(text)).ok()
    }

    #[test]
    fn integers_are_read_in_every_notation() {
        for (text, number) in [("12", 12), ("12.0", 12), ("1.2e1", 12), ("-3.0", -3), ("0", 0)] {
            assert_eq!(read(text), Some(Some(number)), "{text}");
        }
        assert_eq!(read("null"), Some(None));
        for text in ["12.5", "1e300", "18446744073709551615", "\"12\"", "true", "[]"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
