//! Other names for some tables, so that the same statements work on copies of them.

use std::borrow::Cow;
use std::collections::BTreeMap;

/// Which tables are called otherwise. Statements keep their text; the names are exchanged when they are run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableNames(BTreeMap<String, String>);

impl TableNames {
    /// Each of these tables with something at the end of its name.
    #[must_use]
    pub fn with_suffix<'a>(tables: impl IntoIterator<Item = &'a str>, suffix: &str) -> Self {
        Self(tables.into_iter().map(|table| (table.to_owned(), format!("{table}{suffix}"))).collect())
    }

    /// What a table is called.
    #[must_use]
    pub fn name<'a>(&'a self, table: &'a str) -> &'a str {
        self.0.get(table).map_or(table, String::as_str)
    }

    /// A statement with the names exchanged. Texts in quotes and columns after a dot stay.
    #[must_use]
    pub fn apply<'a>(&self, sql: &'a str) -> Cow<'a, str> {
        let mut exchanged = String::new();
        let mut copied = 0;
        for (start, word) in words(sql) {
            if let Some(name) = self.0.get(word) {
                exchanged.push_str(&sql[copied..start]);
                exchanged.push_str(name);
                copied = start + word.len();
            }
        }
        if copied == 0 {
            return Cow::Borrowed(sql);
        }
        exchanged.push_str(&sql[copied..]);
        Cow::Owned(exchanged)
    }
}

/// A statement with the names that tables have in it.
pub(super) fn exchange<'a>(names: Option<&TableNames>, sql: &'a str) -> Cow<'a, str> {
    names.map_or(Cow::Borrowed(sql), |names| names.apply(sql))
}

/// The words that may be tables, with their places.
fn words(sql: &str) -> impl Iterator<Item = (usize, &str)> {
    let bytes = sql.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < bytes.len() {
            let start = at;
            match bytes[at] {
                b'\'' => {
                    at = bytes[at + 1..].iter().position(|byte| *byte == b'\'').map_or(bytes.len(), |n| at + n + 2)
                }
                byte if is_of_word(byte) => {
                    at += bytes[at..].iter().take_while(|byte| is_of_word(**byte)).count();
                    if start == 0 || bytes[start - 1] != b'.' {
                        return Some((start, &sql[start..at]));
                    }
                }
                _ => at += 1,
            }
        }
        None
    })
}

const fn is_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(sql: &str) -> String {
        TableNames::with_suffix(["tags", "agents"], "__new").apply(sql).into_owned()
    }

    #[test]
    fn tables_are_exchanged_and_nothing_else() {
        assert_eq!(applied("SELECT tag_id FROM tags t"), "SELECT tag_id FROM tags__new t");
        assert_eq!(applied("DELETE FROM agents WHERE id IN (?)"), "DELETE FROM agents__new WHERE id IN (?)");
        assert_eq!(
            applied("UPDATE tags SET name='tags' WHERE tags.id=?"),
            "UPDATE tags__new SET name='tags' WHERE tags__new.id=?"
        );
        assert_eq!(applied("SELECT m.agents, 'it''s tags' FROM x"), "SELECT m.agents, 'it''s tags' FROM x");
        assert_eq!(applied("INSERT INTO tags(id) VALUES ('ü tags"), "INSERT INTO tags__new(id) VALUES ('ü tags");
        assert_eq!(applied("SELECT 1 FROM conversation_tags"), "SELECT 1 FROM conversation_tags");
    }
}
