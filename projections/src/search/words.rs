//! Texts as words: alike in both databases, whatever their collations are.

use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;

/// Words are cut to so many letters.
const LONGEST: usize = 40;

/// A word is found by so many first letters, and by more of them.
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

/// A text without case and accents.
pub(crate) fn fold(word: &str) -> String {
    let mut folded = String::with_capacity(word.len());
    for letter in word.nfkd().filter(|letter| !is_accent(*letter)).flat_map(char::to_lowercase) {
        match spelled_out(letter) {
            Some(letters) => folded.push_str(letters),
            None => folded.push(letter),
        }
    }
    folded.nfc().collect()
}

/// Accents of the alphabets in which words are found without them; other scripts need their marks.
const fn is_accent(letter: char) -> bool {
    matches!(letter, '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}')
}

/// Letters that Unicode does not take apart, and people who lack the key for them do.
const fn spelled_out(letter: char) -> Option<&'static str> {
    Some(match letter {
        'ß' => "ss",
        'æ' => "ae",
        'œ' => "oe",
        'ø' => "o",
        'ł' => "l",
        'đ' | 'ð' => "d",
        'þ' => "th",
        'ı' => "i",
        'ς' => "σ",
        _ => return None,
    })
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
