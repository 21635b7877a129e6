//! The output of commands. A command that has done its work does not fail because a reader, such as `head`, has closed its
//! end early.

use std::borrow::Cow;
use std::fmt::Arguments;
use std::io::Write as _;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use domain::time::Timestamp;
use serde_json::{Value, json};

use crate::wiring::system_clock;

/// Prints a line to the standard output.
macro_rules! say {
    ($($text:tt)*) => { $crate::cli::output::line(format_args!($($text)*)) };
}

pub(crate) use say;

pub(crate) fn line(text: Arguments<'_>) {
    // Without a reader there is no place for an error either.
    drop(writeln!(std::io::stdout(), "{}", shown(&text.to_string())));
}

/// A text in which nothing controls a terminal: names of files, arguments and backups are written by others.
fn shown(text: &str) -> Cow<'_, str> {
    let is_plain = |c: char| matches!(c, '\n' | '\t') || !(c.is_control() || turns_direction(c));
    if text.chars().all(is_plain) {
        return text.into();
    }
    let escaped = text.chars().map(|c| if is_plain(c) { c.to_string() } else { c.escape_unicode().to_string() });
    escaped.collect::<String>().into()
}

/// Whether a character turns the direction of what follows, so that a line reads differently from what it says.
const fn turns_direction(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The longest wait for a reader of standard error.
const READ_WITHIN: Duration = Duration::from_secs(5);

/// Prints to the standard error, unless nobody reads it.
pub(crate) fn say_error(text: String) {
    let (written, wait) = channel::<()>();
    thread::spawn(move || {
        drop(std::io::stderr().write_all(shown(&text).as_bytes()));
        drop(written);
    });
    // Only the end of the thread matters.
    let _ = wait.recv_timeout(READ_WITHIN);
}

/// Prints what a server reports at its start, in the format of its log lines.
pub(crate) fn notice(as_json: bool, text: &str) {
    if as_json { line(format_args!("{}", in_json("INFO", json!({ "message": text })))) } else { say!("{text}") }
}

/// Prints an error and its causes to the standard error, as a log line in JSON.
pub(crate) fn error_line(error: &str, causes: &[String]) {
    let text = in_json("ERROR", json!({ "message": error, "causes": causes }));
    say_error(format!("{text}\n"));
}

fn in_json(level: &str, fields: Value) -> Value {
    json!({ "timestamp": now(), "level": level, "fields": fields, "target": "livechatlog" })
}

fn now() -> Timestamp {
    system_clock().now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_controls_the_terminal() {
        for (text, expected) in [
            ("plain\n\ttext ü 🦀", "plain\n\ttext ü 🦀"),
            ("clear \u{1b}[2J", "clear \\u{1b}[2J"),
            ("title \u{1b}]0;x\u{7}", "title \\u{1b}]0;x\\u{7}"),
            ("back\rover", "back\\u{d}over"),
            ("c1 \u{9b}31m", "c1 \\u{9b}31m"),
            ("txt.\u{202e}gpj", "txt.\\u{202e}gpj"),
        ] {
            assert_eq!(shown(text), expected);
        }
    }
}
