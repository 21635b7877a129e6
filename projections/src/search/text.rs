use std::collections::BTreeSet;

use domain::text::TextError;
use unicode_segmentation::UnicodeSegmentation;

use super::words::words;

/// A search for conversations that have all of these words. The last word may be the beginning of a longer one until
/// something follows it: the user is still typing it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchText {
    words: BTreeSet<String>,
    beginning: Option<String>,
}

impl SearchText {
    /// The most characters.
    pub const MAX_CHARACTERS: usize = 200;

    /// The words of a text that came from outside; `None` when it is blank. A text of nothing but punctuation has no words
    /// and finds nothing.
    ///
    /// # Errors
    /// [`TextError::TooManyCharacters`].
    pub fn parse(text: &str) -> Result<Option<Self>, TextError> {
        if text.chars().count() > Self::MAX_CHARACTERS {
            return Err(TextError::TooManyCharacters { max: Self::MAX_CHARACTERS });
        }
        Ok(Self::of(text))
    }

    fn of(text: &str) -> Option<Self> {
        if text.trim().is_empty() {
            return None;
        }
        let mut all: Vec<_> = words(text).collect();
        let is_typed = text.unicode_word_indices().next_back().is_some_and(|(at, word)| at + word.len() == text.len());
        let beginning = if is_typed { all.pop() } else { None };
        let words: BTreeSet<_> = all.into_iter().collect();
        // A conversation that has the word has its beginning, too.
        let beginning = beginning.filter(|beginning| !words.contains(beginning));
        Some(Self { words, beginning })
    }

    /// The whole words.
    pub(crate) fn words(&self) -> impl Iterator<Item = &str> {
        self.words.iter().map(String::as_str)
    }

    /// The beginning of a word that the user is still typing.
    pub(crate) fn beginning(&self) -> Option<&str> {
        self.beginning.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Option<SearchText> {
        SearchText::parse(text).unwrap()
    }

    #[test]
    fn search_has_at_most_200_characters_blank_or_not() {
        for letter in ["ü", " "] {
            assert!(SearchText::parse(&letter.repeat(200)).is_ok());
            let error = SearchText::parse(&letter.repeat(201)).unwrap_err();
            assert_eq!(error.to_string(), "must have at most 200 characters");
        }
    }

    #[test]
    fn last_word_is_a_beginning_until_something_follows() {
        let text = parsed("Where is my Par").unwrap();
        assert_eq!(text.words().collect::<Vec<_>>(), ["is", "my", "where"]);
        assert_eq!(text.beginning(), Some("par"));
        let text = parsed("parcel ").unwrap();
        assert_eq!((text.words().collect::<Vec<_>>(), text.beginning()), (vec!["parcel"], None));
        let text = parsed("vera vera").unwrap();
        assert_eq!((text.words().collect::<Vec<_>>(), text.beginning()), (vec!["vera"], None));
    }

    #[test]
    fn blank_is_no_search_and_punctuation_is_one_without_words() {
        assert_eq!(parsed(" \t"), None);
        let text = parsed("?!").unwrap();
        assert_eq!((text.words().count(), text.beginning()), (0, None));
    }
}
