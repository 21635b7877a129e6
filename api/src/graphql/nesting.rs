//! How deep the brackets of a document are, found before it is parsed: parsers descend once for each.

/// The most brackets that are open at once, those of values and lists of arguments included.
pub const MAX_NESTING: usize = 64;

/// Whether a document has more open brackets than are parsed, or a text in it has no end.
pub(super) fn is_too_deep(document: &str) -> bool {
    let mut rest = document.as_bytes();
    let mut open = 0_usize;
    while let [first, behind @ ..] = rest {
        rest = match first {
            b'"' => match after_text(rest) {
                Some(after) => after,
                None => return true,
            },
            b'#' => after_line(behind),
            b'{' | b'[' | b'(' => {
                open += 1;
                behind
            }
            b'}' | b']' | b')' => {
                open = open.saturating_sub(1);
                behind
            }
            _ => behind,
        };
        if open > MAX_NESTING {
            return true;
        }
    }
    false
}

fn after_line(rest: &[u8]) -> &[u8] {
    let end = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')).unwrap_or(rest.len());
    &rest[end..]
}

/// What follows a text, which `rest` begins with; none if it has no end.
fn after_text(rest: &[u8]) -> Option<&[u8]> {
    let (quote, mut inside): (&[u8], _) = match rest {
        [b'"', b'"', b'"', inside @ ..] => (b"\"\"\"", inside),
        [_, inside @ ..] => (b"\"", inside),
        [] => return None,
    };
    let is_block = quote.len() > 1;
    while !inside.is_empty() {
        if let Some(after) = inside.strip_prefix(quote) {
            return Some(after);
        }
        let step = match inside {
            // Only in a text on one line a backslash stands before other characters than quotes.
            [b'\\', b'"', b'"', b'"', ..] if is_block => 4,
            [b'\\', ..] if !is_block => 2,
            [b'\n' | b'\r', ..] if !is_block => return None,
            _ => 1,
        };
        inside = inside.get(step..)?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nested(open: &str, close: &str, levels: usize) -> String {
        format!("{}1{}", open.repeat(levels), close.repeat(levels))
    }

    #[test]
    fn brackets_of_every_kind_count() {
        for (open, close) in [("{a", "}"), ("[", "]"), ("(a:", ")"), ("{a:[", "]}")] {
            let levels = MAX_NESTING / open.matches(['{', '[', '(']).count();
            assert!(!is_too_deep(&nested(open, close, levels)), "{open}");
            assert!(is_too_deep(&nested(open, close, levels + 1)), "{open}");
        }
        assert!(!is_too_deep(&"[1] ".repeat(10_000)), "brackets that are closed");
    }

    #[test]
    fn brackets_in_texts_and_comments_do_not_count() {
        let many = "[".repeat(MAX_NESTING + 1);
        for document in [
            format!(r#"{{ a(b: "{many}") }}"#),
            format!(r#"{{ a(b: "\"{many}") }}"#),
            format!(r#"{{ a(b: """{many}""") }}"#),
            format!(r#"{{ a(b: """" \"""{many}""") }}"#),
            format!("# {many}\n{{ a }}"),
        ] {
            assert!(!is_too_deep(&document), "{document}");
        }
        for document in [
            format!(r#"{{ a(b: "x", c: {many}) }}"#),
            format!(r#"{{ a(b: "\\", c: {many}) }}"#),
            format!(r#"{{ a(b: "", c: {many}) }}"#),
            format!(r#"{{ a(b: """x""", c: {many}) }}"#),
            format!("# \"\n{many}"),
        ] {
            assert!(is_too_deep(&document), "{document}");
        }
    }

    #[test]
    fn text_without_an_end_is_refused() {
        for document in ["{ a(b: \"x", "{ a(b: \"x\n\") }", "{ a(b: \"\"\"x\"\") }", "\"\\"] {
            assert!(is_too_deep(document), "{document}");
        }
    }
}
