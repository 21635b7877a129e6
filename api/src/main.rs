//! LiveChatLog: a live-chat backend whose source of truth is an append-only, tamper-evident event log.

use std::process::ExitCode;

fn main() -> ExitCode {
    api::cli::main()
}
