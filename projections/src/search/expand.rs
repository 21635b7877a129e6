use infrastructure::database::{Database, DatabaseError};
use infrastructure::sql_args;

use super::SearchText;
use super::words::{STEM, stem_of};

/// How many words with the same beginning are looked up one by one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WordBounds {
    /// A beginning that more words have is looked up in all of them at once.
    pub(crate) words: usize,
    /// How many rows are read to find the next words with a beginning.
    pub(crate) rows: i64,
}

impl Default for WordBounds {
    fn default() -> Self {
        Self { words: 32, rows: 64 }
    }
}

#[cfg(test)]
impl WordBounds {
    /// Bounds that a handful of words crosses.
    pub(crate) const SMALL: Self = Self { words: 3, rows: 2 };
}

/// What must be in a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    /// Alternatives, of which one must occur.
    Any(Vec<String>),
    /// A word from the first text on, below the second.
    Between(String, String),
}

impl Word {
    /// The words of which one must be there, if they are known.
    pub(crate) fn alternatives(&self) -> Option<&[String]> {
        match self {
            Self::Any(words) => Some(words),
            Self::Between(..) => None,
        }
    }
}

/// The words that a text asks for. None when it can find nothing.
pub(crate) async fn expand(
    database: &Database,
    text: &SearchText,
    bounds: WordBounds,
) -> Result<Option<Vec<Word>>, DatabaseError> {
    let mut all: Vec<_> = text.words().map(|word| Word::Any(vec![word.to_owned()])).collect();
    if let Some(beginning) = text.beginning() {
        let word = begun(database, beginning, bounds).await?;
        if word.alternatives().is_some_and(<[_]>::is_empty) {
            return Ok(None);
        }
        all.push(word);
    }
    Ok((!all.is_empty()).then_some(all))
}

/// The words with this beginning; below the length of a stem only the word itself.
async fn begun(database: &Database, beginning: &str, bounds: WordBounds) -> Result<Word, DatabaseError> {
    let itself = || beginning.to_owned();
    match beginning.chars().count() {
        0..STEM => Ok(Word::Any(vec![itself()])),
        STEM => Ok(Word::Any(vec![itself(), stem_of(beginning)])),
        _ => longer(database, beginning, bounds).await,
    }
}

async fn longer(database: &Database, beginning: &str, bounds: WordBounds) -> Result<Word, DatabaseError> {
    const FROM: &str = "SELECT word FROM search_words WHERE word >= ? AND word < ? ORDER BY word LIMIT ?";
    const AFTER: &str = "SELECT word FROM search_words WHERE word > ? AND word < ? ORDER BY word LIMIT ?";
    let beyond = format!("{beginning}{}", char::MAX);
    let mut words: Vec<String> = vec![];
    loop {
        let (sql, from) = words.last().map_or((FROM, beginning), |last| (AFTER, last));
        let rows = database.fetch_all(sql, sql_args![from, &beyond, bounds.rows]).await?;
        for row in &rows {
            let word = row.text("word")?;
            if words.last() != Some(&word) {
                words.push(word);
            }
        }
        if words.len() > bounds.words {
            return Ok(Word::Between(beginning.to_owned(), beyond));
        }
        if (rows.len() as i64) < bounds.rows {
            return Ok(Word::Any(words));
        }
    }
}
