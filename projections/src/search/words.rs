//! Texts as words: alike in both databases, whatever their collations are.

use unicode_segmentation::UnicodeSegmentation;

use crate::text::fold;

/// Words are cut to this number of letters.
const LONGEST: usize = 40;

/// A word is found by this number of first letters, and by more of them.
pub(super) const STEM: usize = 3;

/// The words of a text, one by one: without case and accents, cut at every mark of punctuation.
pub(super) fn words(text: &str) -> impl Iterator<Item = String> {
    // Most texts are so simple, and a rebuild spends most of its time on words.
    let (plain, other) = if text.is_ascii() { (text, "") } else { ("", text) };
    plain_words(plain).chain(any_words(other))
}

/// Of a text in ASCII, where words end at whatever is neither letter nor digit.
fn plain_words(text: &str) -> impl Iterator<Item = String> {
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.map(|word| word[..word.len().min(LONGEST)].to_ascii_lowercase())
}

fn any_words(text: &str) -> impl Iterator<Item = String> {
    text.unicode_words().flat_map(|word| {
        let folded = fold(word);
        let parts = folded.split(is_punctuation).filter(|part| !part.is_empty());
        parts.map(|part| part.chars().take(LONGEST).collect()).collect::<Vec<String>>()
    })
}

/// What the first letters of a longer word are kept as.
pub(super) fn stem(word: &str) -> Option<String> {
    let (end, _) = word.char_indices().nth(STEM)?;
    Some(stem_of(&word[..end]))
}

/// The same for the letters themselves.
pub(super) fn stem_of(beginning: &str) -> String {
    format!("{beginning}*")
}

/// What Unicode leaves inside of words, such as the point of `example.com`.
fn is_punctuation(letter: char) -> bool {
    letter.is_ascii_punctuation() || matches!(letter, '’' | '‘' | '·' | '‧' | '\u{387}' | '\u{55f}' | '\u{5f4}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<String> {
        words(text).collect()
    }

    #[test]
    fn case_accents_and_forms_of_letters_make_no_difference() {
        for (one, other) in [
            ("Çelik", "celik"),
            ("Straße", "STRASSE"),
            ("ÅNGSTRÖM", "angstrom"),
            ("ﬁnance", "finance"),
            ("Ελλάς", "ελλασ"),
            ("İstanbul", "istanbul"),
            ("Ｆｕｌｌ", "full"),
            ("cafe\u{301}", "café"),
            ("Øre", "ore"),
        ] {
            assert_eq!(all(one), all(other));
        }
    }

    #[test]
    fn marks_that_change_a_word_stay() {
        assert_ne!(all("が"), all("か"));
        assert_ne!(all("कि"), all("की"));
        assert_eq!(all("한국어"), ["한국어"]);
    }

    #[test]
    fn punctuation_separates() {
        assert_eq!(all("Vera.K@Example.com"), ["vera", "k", "example", "com"]);
        assert_eq!(all("order #12-345, can't_wait…"), ["order", "12", "345", "can", "t", "wait"]);
        assert_eq!(all("  ¿¡!? 🦀 — "), Vec::<String>::new());
        assert_eq!(all("返金"), ["返", "金"]);
    }

    proptest::proptest! {
        #[test]
        fn plain_texts_have_the_words_that_any_text_has(text in "[ -~\t\r\n\u{0}-\u{1f}]{0,80}") {
            proptest::prop_assert_eq!(plain_words(&text).collect::<Vec<_>>(), any_words(&text).collect::<Vec<_>>());
        }
    }

    #[test]
    fn long_words_are_cut_and_stems_are_the_first_letters() {
        assert_eq!(all(&"é".repeat(100)), ["e".repeat(40)]);
        assert_eq!(all(&"\u{fdfa}".repeat(9)).iter().map(|word| word.chars().count()).max(), Some(40));
        assert_eq!(stem("refund").as_deref(), Some("ref*"));
        assert_eq!(stem("größe").as_deref(), Some("grö*"));
        assert_eq!(stem("ref"), None);
    }
}
