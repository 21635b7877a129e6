//! Values written into a statement.

use std::fmt::Write as _;

use crate::database::SqlValue;

/// Writes a text in hexadecimal, for MySQL: it may hold anything, and nothing needs escaping.
pub(crate) fn push_text(sql: &mut String, text: &str) {
    sql.push_str("_utf8mb4 X'");
    sql.push_str(&hex::encode(text));
    sql.push('\'');
}

/// Writes a statement with its values in the place of its `?`. There must be one value for each, no other `?`, and no `-?`,
/// which a negative number would make a comment.
///
/// # Panics
/// When there are more or fewer values: as it stands, the statement would say something else.
pub(crate) fn push_statement<'a>(sql: &mut String, statement: &str, mut values: impl Iterator<Item = &'a SqlValue>) {
    for (number, part) in statement.split('?').enumerate() {
        if number > 0 {
            let value = values.next().unwrap_or_else(|| panic!("too few values for {statement}"));
            push_value(sql, value);
        }
        sql.push_str(part);
    }
    assert!(values.next().is_none(), "too many values for {statement}");
}

fn push_value(sql: &mut String, value: &SqlValue) {
    match value {
        SqlValue::Null => sql.push_str("NULL"),
        SqlValue::Int(value) => drop(write!(sql, "{value}")),
        SqlValue::Text(text) if is_plain(text) => drop(write!(sql, "'{text}'")),
        SqlValue::Text(text) => push_text(sql, text),
        SqlValue::Bytes(bytes) => drop(write!(sql, "X'{}'", hex::encode(bytes))),
    }
}

/// Whether a text is like a UUID or a name of ours, and means the same between quotes.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql_args;

    fn written(values: Vec<SqlValue>) -> String {
        let mut sql = String::new();
        push_statement(&mut sql, "VALUES (?, ?)", values.iter());
        sql
    }

    #[test]
    fn values_stand_where_their_placeholders_were() {
        assert_eq!(written(sql_args![-5_i64, vec![0xAB_u8]]), "VALUES (-5, X'ab')");
        assert_eq!(written(sql_args!["a-1.b_c:", None::<i64>]), "VALUES ('a-1.b_c:', NULL)");
    }

    #[test]
    #[should_panic(expected = "too few values for VALUES (?, ?)")]
    fn missing_value_is_no_shorter_statement() {
        written(sql_args![1_i64]);
    }

    #[test]
    #[should_panic(expected = "too many values for VALUES (?, ?)")]
    fn value_without_a_place_is_not_left_out() {
        written(sql_args![1_i64, 2_i64, 3_i64]);
    }

    #[test]
    fn texts_of_people_appear_in_hexadecimal_only() {
        for text in ["it's", "back\\slash", "Ärger", "?", "a\0b", "a b", "\n"] {
            let sql = written(sql_args![text, 1_i64]);
            assert!(!sql.contains(text) && sql.contains(&hex::encode(text)), "{sql}");
        }
    }
}
