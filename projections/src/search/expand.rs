use infrastructure::database::{Database, DatabaseError};
use infrastructure::sql_args;

use super::SearchText;
use super::words::{STEM, stem_of};

/// A beginning that more words have is looked up in all of them at once.
const MOST_WORDS: usize = if cfg!(test) { 3 } else { 32 };

/// How many rows are read to find the next words with a beginning.
const STEP: i64 = if cfg!(test) { 2 } else { 64 };

/// What must be in a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    /// One of these words.
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
pub(crate) async fn expand(database: &Database, text: &SearchText) -> Result<Option<Vec<Word>>, DatabaseError> {
    let mut all: Vec<_> = text.words().map(|word| Word::Any(vec![word.to_owned()])).collect();
    if let Some(beginning) = text.beginning() {
        let word = begun(database, beginning).await?;
        if word.alternatives().is_some_and(<[_]>::is_empty) {
            return Ok(None);
        }
        all.push(word);
    }
    Ok((!all.is_empty()).then_some(all))
}

/// The words with this beginning; below the length of a stem only the word itself.
async fn begun(database: &Database, beginning: &str) -> Result<Word, DatabaseError> {
    let itself = || beginning.to_owned();
    match beginning.chars().count() {
        0..STEM => Ok(Word::Any(vec![itself()])),
        STEM => Ok(Word::Any(vec![itself(), stem_of(beginning)])),
        _ => longer(database, beginning).await,
    }
}

async fn longer(database: &Database, beginning: &str) -> Result<Word, DatabaseError> {
    const FROM: &str = "SELECT word FROM search_words WHERE word >= ? AND word < ? ORDER BY word LIMIT ?";
    const AFTER: &str = "SELECT word FROM search_words WHERE word > ? AND word < ? ORDER BY word LIMIT ?";
    let beyond = format!("{beginning}{}", char::MAX);
    let mut words: Vec<String> = vec![];
    loop {
        let (sql, from) = words.last().map_or((FROM, beginning), |last| (AFTER, last));
        let rows = database.fetch_all(sql, sql_args![from, &beyond, STEP]).await?;
        for row in &rows {
            let word = row.text("word")?;
            if words.last() != Some(&word) {
                words.push(word);
            }
        }
        if words.len() > MOST_WORDS {
            return Ok(Word::Between(beginning.to_owned(), beyond));
        }
        if (rows.len() as i64) < STEP {
            return Ok(Word::Any(words));
        }
    }
}
