use std::io::{self, Write};
use std::process::ExitCode;

use serde_json::Value;

use crate::rest::document;
use crate::rest::openapi::postman;

/// Prints the OpenAPI document, or the Postman collection generated from it.
pub fn run(as_collection: bool) -> ExitCode {
    if as_collection { print(&postman(document())) } else { print(document()) }
}

/// Prints the AsyncAPI document.
pub fn run_asyncapi() -> ExitCode {
    print(crate::live::document())
}

/// Prints the GraphQL schema.
pub fn run_graphql_schema() -> ExitCode {
    print_text(&crate::graphql::sdl())
}

fn print(document: &Value) -> ExitCode {
    print_text(&format!("{document:#}\n"))
}

fn print_text(text: &str) -> ExitCode {
    // A reader such as `head` may close its end early.
    match io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
