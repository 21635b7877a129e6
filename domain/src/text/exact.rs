//! JSON that is read without a loss: what cannot be kept as it is written is refused.

use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Why JSON text cannot be kept as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Inexact {
    /// It is no JSON.
    Malformed,
    /// A number has more digits than a reader keeps.
    NumberTooLong,
    /// An object has a key twice.
    RepeatedKey,
}

/// Reads JSON text.
pub(super) fn read(json: &str) -> Result<Value, Inexact> {
    if !numbers(json).all(is_kept) {
        return Err(Inexact::NumberTooLong);
    }
    match serde_json::from_str::<Exact>(json) {
        Ok(Exact(value)) => Ok(value),
        Err(error) if error.to_string().starts_with(REPEATED) => Err(Inexact::RepeatedKey),
        Err(_) => Err(Inexact::Malformed),
    }
}

/// The numbers of a JSON text, as they are written.
fn numbers(json: &str) -> impl Iterator<Item = &str> {
    let outside = outside_of_strings(json);
    let is_part = |c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.' | 'e' | 'E');
    let words = outside.into_iter().flat_map(move |part| part.split(move |c| !is_part(c)));
    words.filter(|word| word.starts_with(|c: char| c.is_ascii_digit() || c == '-'))
}

fn outside_of_strings(json: &str) -> Vec<&str> {
    let (mut parts, mut start, mut in_string, mut escaped) = (vec![], 0, false, false);
    for (at, byte) in json.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = in_string,
            b'"' => {
                if !in_string {
                    parts.push(&json[start..at]);
                }
                in_string = !in_string;
                start = at + 1;
            }
            _ => {}
        }
    }
    if !in_string {
        parts.push(&json[start..]);
    }
    parts
}

/// Whether a number has the same value after it was read.
fn is_kept(written: &str) -> bool {
    let Ok(read) = serde_json::from_str::<Number>(written) else { return false };
    decimal(written) == decimal(&read.to_string())
}

/// Sign, digits without zeros at their ends, and the power of ten of the last one: equal values have equal ones.
fn decimal(written: &str) -> Option<(bool, String, i64)> {
    let (negative, digits) = written.strip_prefix('-').map_or((false, written), |digits| (true, digits));
    let (mantissa, exponent) = digits.split_once(['e', 'E']).unwrap_or((digits, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{whole}{fraction}");
    let significant = all.trim_start_matches('0').trim_end_matches('0').to_owned();
    if significant.is_empty() {
        return Some((negative, significant, 0));
    }
    let zeros = i64::try_from(all.len() - all.trim_end_matches('0').len()).ok()?;
    let fraction = i64::try_from(fraction.len()).ok()?;
    let exponent = exponent.parse::<i64>().ok()?.checked_add(zeros)?.checked_sub(fraction)?;
    Some((negative, significant, exponent))
}

const REPEATED: &str = "repeated key";

/// A JSON value in which no object has a key twice.
struct Exact(Value);

struct ExactVisitor;

impl<'de> Deserialize<'de> for Exact {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ExactVisitor).map(Self)
    }
}

impl<'de> DeserializeSeed<'de> for ExactVisitor {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ExactVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = vec![];
        while let Some(item) = items.next_element_seed(Self)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = members.next_key::<String>()? {
            if object.insert(key, members.next_value_seed(Self)?).is_some() {
                return Err(A::Error::custom(REPEATED));
            }
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_that_change_their_value_are_refused() {
        for number in [
            "123456789012345678901234",
            "18446744073709551616",
            "-9223372036854775809",
            "0.1234567890123456789",
            "9007199254740993.0",
            "1.7976931348623159e308",
            "1e400",
            "1e-400",
            "1e99999999999999999999",
        ] {
            assert_eq!(read(&format!(r#"{{"a":[{number}]}}"#)), Err(Inexact::NumberTooLong), "{number}");
        }
        for number in [
            "18446744073709551615",
            "-9223372036854775808",
            "1.10",
            "0.1",
            "-0",
            "-0.0",
            "1e5",
            "1E+2",
            "0.30",
            "1e22",
            "5e-324",
        ] {
            assert!(read(&format!(r#"{{"a":{number}}}"#)).is_ok(), "{number}");
        }
    }

    #[test]
    fn digits_in_strings_are_no_numbers() {
        let json = r#"{"a\"123456789012345678901234":"x\\","b":"123456789012345678901234\"1e999","\\":{"-":"e"}}"#;
        assert_eq!(read(json).unwrap(), serde_json::from_str::<Value>(json).unwrap());
    }

    #[test]
    fn repeated_keys_are_refused_on_every_level() {
        for json in [r#"{"a":1,"a":1}"#, r#"{"b":[{"a":1,"\u0061":2}]}"#, r#"{"":{"x":{"a":0,"b":0,"a":0}}}"#] {
            assert_eq!(read(json), Err(Inexact::RepeatedKey), "{json}");
        }
        assert!(read(r#"{"a":{"a":[{"a":1},{"a":2}]}}"#).is_ok());
    }

    #[test]
    fn what_is_no_json_is_refused() {
        for json in ["", "{", r#"{"a":tru}"#, r#"{"a":1}x"#, r#"{"a":"#, "{'a':1}"] {
            assert_eq!(read(json), Err(Inexact::Malformed), "{json}");
        }
    }

    proptest! {
        #[test]
        fn every_double_and_every_integer_is_kept(double in any::<f64>(), integer in any::<i64>()) {
            prop_assume!(double.is_finite());
            let value = serde_json::json!({ "double": double, "integer": integer });
            prop_assert_eq!(read(&value.to_string()), Ok(value));
        }
    }
}
