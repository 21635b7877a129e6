//! The output of commands. A command that has done its work does not fail because a reader, such as `head`, has closed its
//! end early.

use std::fmt::Arguments;
use std::io::Write as _;

/// Prints a line to the standard output.
macro_rules! say {
    ($($text:tt)*) => { $crate::cli::output::line(format_args!($($text)*)) };
}

pub(crate) use say;

pub(crate) fn line(text: Arguments<'_>) {
    // Without a reader there is no place for an error either.
    drop(writeln!(std::io::stdout(), "{text}"));
}
