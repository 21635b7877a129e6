//! What people type and paste, brought to one form: they judge texts by what they see.

use icu_properties::CodePointSetData;
use icu_properties::props::DefaultIgnorableCodePoint;
use unicode_normalization::UnicodeNormalization as _;

/// Whether nothing of a text can be seen.
#[must_use]
pub fn is_blank(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || c.is_control() || is_unseen(c))
}

/// Characters without a glyph: those that Unicode lets programs ignore, and blank letters and symbols.
fn is_unseen(c: char) -> bool {
    // Braille without dots, and a note without a head.
    let is_blank_symbol = matches!(c, '\u{2800}' | '\u{1d159}');
    is_blank_symbol || CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
}

/// Unseen characters that change what is seen: they join and part letters of Persian and Indic scripts, join emoji, choose
/// their form or flag, and give a direction to their neighbours only.
const fn has_effect(c: char) -> bool {
    matches!(
        c,
        '\u{200c}' // zero width non-joiner
            | '\u{200d}' // zero width joiner
            | '\u{200e}' | '\u{200f}' | '\u{61c}' // direction marks
            | '\u{34f}' // combining grapheme joiner
            | '\u{180b}'..='\u{180f}' // Mongolian forms
            | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}' // variation selectors
            | '\u{e0020}'..='\u{e007f}' // flags
    )
}

/// Page, column and line breaks of other programs: Word and PowerPoint (VT), PDF (FF), mainframes (NEL).
const fn breaks_line(c: char) -> bool {
    matches!(c, '\u{b}' | '\u{c}' | '\u{85}')
}

/// A text on one line: breaks and tabs become spaces, and what is neither seen nor has an effect is left out. That includes
/// the characters that turn the direction of all that follows, which would reach beyond the text. Composed (NFC), without
/// white space around.
pub(super) fn one_line(text: &str) -> String {
    let kept = text.chars().filter_map(|c| match c {
        '\t' | '\n' | '\r' | '\u{2028}' | '\u{2029}' => Some(' '),
        c if breaks_line(c) => Some(' '),
        c if c.is_control() || (is_unseen(c) && !has_effect(c)) => None,
        c => Some(c),
    });
    kept.nfc().collect::<String>().trim().to_owned()
}

/// A text with line breaks: other breaks become line feeds, and control characters, which nobody can see, are left out. All
/// else stays as it is.
pub(super) fn lines(text: &str) -> String {
    let kept = text.chars().filter_map(|c| match c {
        '\t' | '\n' | '\r' => Some(c),
        c if breaks_line(c) => Some('\n'),
        c if c.is_control() => None,
        c => Some(c),
    });
    kept.collect()
}

/// An address that a person types twice and expects to be the same: without anything unseen, in the form in which letters
/// that look alike are the same (NFKC).
pub(super) fn address(text: &str) -> String {
    let kept = one_line(text);
    kept.chars().filter(|c| !is_unseen(*c)).nfkc().collect()
}

/// What a text is compared by: case, form and unseen characters do not count.
#[must_use]
pub fn folded(text: &str) -> String {
    text.chars().filter(|c| !is_unseen(*c)).nfkc().collect::<String>().trim().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_blank() {
        for text in
            ["", " ", "\u{200b}", "\u{feff}\u{2060}", "\u{3164}", "\u{2800}", "\u{ad}", "\u{115f}\u{1160}", "\u{e0041}"]
        {
            assert!(is_blank(text), "{text:?}");
        }
        for text in ["a", "\u{200b}a", "👍", "\u{301}", "."] {
            assert!(!is_blank(text), "{text:?}");
        }
    }

    #[test]
    fn line_loses_what_is_not_seen_and_what_turns_its_neighbours() {
        for (text, kept) in [
            ("  Anna  ", "Anna"),
            ("Anna\u{202e}troppuS", "AnnatroppuS"),
            ("\u{2067}Anna", "Anna"),
            ("vip\u{200b}\u{ad}\u{2060}", "vip"),
            ("one\u{b}two\r\n", "one two"),
            ("jose\u{301}", "jos\u{e9}"),
            ("esc\u{1b}[31m nul\0", "esc[31m nul"),
            ("می\u{200c}خواهم", "می\u{200c}خواهم"),
            ("👩\u{200d}🚀 ❤\u{fe0f}", "👩\u{200d}🚀 ❤\u{fe0f}"),
        ] {
            assert_eq!(one_line(text), kept, "{text:?}");
        }
    }

    #[test]
    fn pasted_breaks_become_line_feeds() {
        assert_eq!(lines("Word\u{b}PDF\u{c}NEL\u{85}end"), "Word\nPDF\nNEL\nend");
        assert_eq!(lines(" a\u{0}b\u{1b}[0m\u{92}\t\r\n "), " ab[0m\t\r\n ");
        assert_eq!(lines("jose\u{301} \u{202e}kept"), "jose\u{301} \u{202e}kept");
    }

    #[test]
    fn twins_are_compared_as_one() {
        for (one, other) in [
            ("VIP", " vip\u{200d} "),
            ("vip", "\u{ff56}\u{ff49}\u{ff50}"),
            ("jos\u{e9}", "JOSE\u{301}"),
            ("❤", "❤\u{fe0f}"),
        ] {
            assert_eq!(folded(one), folded(other));
        }
        assert_ne!(folded("vip"), folded("vips"));
    }

    #[test]
    fn cleaning_again_changes_nothing() {
        let texts = (0..=0x2fff_u32).filter_map(char::from_u32).map(|c| format!("a{c}\u{301} {c}b{c}"));
        for text in texts {
            let (line, with_lines, mail) = (one_line(&text), lines(&text), address(&text));
            assert_eq!(one_line(&line), line, "{text:?}");
            assert_eq!(lines(&with_lines), with_lines, "{text:?}");
            assert_eq!(address(&mail), mail, "{text:?}");
            assert!(!line.chars().any(char::is_control));
        }
    }
}
