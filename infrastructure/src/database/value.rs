//! Values that are bound to placeholders.

use sqlx::MySql;
use sqlx::mysql::MySqlArguments;
use sqlx::query::Query;

/// A value for a placeholder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SqlValue {
    Null,
    /// An integer; truth values are 0 and 1.
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
}

impl SqlValue {
    /// How many bytes of text or data it holds.
    pub(crate) const fn len(&self) -> usize {
        match self {
            Self::Null | Self::Int(_) => 0,
            Self::Text(text) => text.len(),
            Self::Bytes(bytes) => bytes.len(),
        }
    }
}

macro_rules! from {
    ($($source:ty, $value:ident => $result:expr;)+) => {$(
        impl From<$source> for SqlValue {
            fn from($value: $source) -> Self {
                $result
            }
        }
    )+};
}

from! {
    i64, value => Self::Int(value);
    i32, value => Self::Int(value.into());
    u32, value => Self::Int(value.into());
    bool, value => Self::Int(value.into());
    &str, value => Self::Text(value.to_owned());
    &String, value => Self::Text(value.clone());
    String, value => Self::Text(value);
    Vec<u8>, value => Self::Bytes(value);
    &[u8], value => Self::Bytes(value.to_vec());
    [u8; 32], value => Self::Bytes(value.to_vec());
    uuid::Uuid, value => Self::Text(value.to_string());
    domain::time::Timestamp, value => Self::Int(value.as_micros());
}

impl<T: Into<SqlValue>> From<Option<T>> for SqlValue {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// A `Vec<SqlValue>` of anything that becomes one: `sql_args![id, name, true]`.
#[macro_export]
macro_rules! sql_args {
    ($($value:expr),* $(,)?) => { vec![$($crate::database::SqlValue::from($value)),*] };
}

/// A query of MySQL with its values.
pub(crate) fn bind_mysql(sql: &str, args: Vec<SqlValue>) -> Query<'_, MySql, MySqlArguments> {
    args.into_iter().fold(sqlx::query(sql), |query, value| match value {
        SqlValue::Null => query.bind(None::<String>),
        SqlValue::Int(value) => query.bind(value),
        SqlValue::Text(value) => query.bind(value),
        SqlValue::Bytes(value) => query.bind(value),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_become_what_the_columns_hold() {
        assert_eq!(
            crate::sql_args![1_i64, "a", true, None::<&str>, Some(2_i64), [7_u8; 32]],
            vec![
                SqlValue::Int(1),
                SqlValue::Text("a".into()),
                SqlValue::Int(1),
                SqlValue::Null,
                SqlValue::Int(2),
                SqlValue::Bytes(vec![7; 32]),
            ]
        );
    }
}
