//! What commands print. A reader that goes away early, such as `head`, does not make a command fail which has done its work.

use std::fmt::Arguments;
use std::io::Write as _;

/// Prints a line to the standard output.
macro_rules! say {
    ($($text:tt)*) => { $crate::cli::output::line(format_args!($($text)*)) };
}

pub(crate) use say;

pub(crate) fn line(text: Arguments<'_>) {
    // There is nobody left to tell.
    drop(writeln!(std::io::stdout(), "{text}"));
}
