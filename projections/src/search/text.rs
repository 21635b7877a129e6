use std::collections::BTreeSet;

use unicode_segmentation::UnicodeSegmentation;

use super::words::words;

/// What is searched: all of these words must be in a conversation. The last one may be the beginning of a word, as long
/// as it is being typed: until something follows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchText {
    words: BTreeSet<String>,
    beginning: Option<String>,
}

impl SearchText {
    /// The words of a text; none when it is blank. A text of nothing but punctuation has no words and finds nothing.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.trim().is_empty() {
            return None;
        }
        let mut all: Vec<_> = words(text).collect();
        let is_typed = text.unicode_word_indices().next_back().is_some_and(|(at, word)| at + word.len() == text.len());
        let beginning = if is_typed { all.pop() } else { None };
        let words: BTreeSet<_> = all.into_iter().collect();
        // Whoever has the word has its beginning.
        let beginning = beginning.filter(|beginning| !words.contains(beginning));
        Some(Self { words, beginning })
    }

    /// The whole words.
    pub(crate) fn words(&self) -> impl Iterator<Item = &str> {
        self.words.iter().map(String::as_str)
    }

    /// The word that is being typed.
    pub(crate) fn beginning(&self) -> Option<&str> {
        self.beginning.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_word_is_a_beginning_until_something_follows() {
        let text = SearchText::parse("Where is my Par").unwrap();
        assert_eq!(text.words().collect::<Vec<_>>(), ["is", "my", "where"]);
        assert_eq!(text.beginning(), Some("par"));
        let text = SearchText::parse("parcel ").unwrap();
        assert_eq!((text.words().collect::<Vec<_>>(), text.beginning()), (vec!["parcel"], None));
        let text = SearchText::parse("vera vera").unwrap();
        assert_eq!((text.words().collect::<Vec<_>>(), text.beginning()), (vec!["vera"], None));
    }

    #[test]
    fn blank_is_no_search_and_punctuation_is_one_without_words() {
        assert_eq!(SearchText::parse(" \t"), None);
        let text = SearchText::parse("?!").unwrap();
        assert_eq!((text.words().count(), text.beginning()), (0, None));
    }
}
