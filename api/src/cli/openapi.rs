use std::io::{self, Write};
use std::process::ExitCode;

use crate::rest::document;
use crate::rest::openapi::postman;

/// Prints the OpenAPI document, or the Postman collection generated from it.
pub fn run(as_collection: bool) -> ExitCode {
    let text = if as_collection { format!("{:#}", postman(document())) } else { format!("{:#}", document()) };
    // A reader such as `head` may close its end early.
    match writeln!(io::stdout(), "{text}") {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
