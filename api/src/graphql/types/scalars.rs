use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use serde::Deserialize;

/// A position in the log, or another number that may need more than 32 bits, in decimal digits.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(from = "i64")]
pub struct Position(pub i64);

impl From<i64> for Position {
    fn from(position: i64) -> Self {
        Self(position)
    }
}

/// A position in the log, from 0, in decimal digits: a text, because numbers of GraphQL have 32 bits.
#[Scalar(name = "Position")]
impl ScalarType for Position {
    fn parse(value: Value) -> InputValueResult<Self> {
        let position = match &value {
            Value::String(text) => text.parse().ok(),
            Value::Number(number) => number.as_i64(),
            _ => None,
        };
        position
            .filter(|position| *position >= 0)
            .map(Self)
            .ok_or_else(|| InputValueError::custom("must be a position of the log"))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

/// A point in time (RFC 3339) in UTC with microseconds.
#[derive(Clone, Debug, Deserialize)]
pub struct DateTime(pub String);

/// A point in time (RFC 3339); in answers it is in UTC, with microseconds.
#[Scalar(name = "DateTime", specified_by_url = "https://scalars.graphql.org/andimarek/date-time.html")]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        match value {
            Value::String(text) => Ok(Self(text)),
            _ => Err(InputValueError::expected_type(value)),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}
