use std::io::{self, Write};
use std::process::ExitCode;

use crate::openapi::{document, postman};

/// Prints the document, or the collection that is made from it.
pub fn run(as_collection: bool) -> ExitCode {
    let text = if as_collection { format!("{:#}", postman(document())) } else { format!("{:#}", document()) };
    // Whoever reads may have seen enough, as `head` does.
    match writeln!(io::stdout(), "{text}") {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
