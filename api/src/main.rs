//! LiveChatLog: a live-chat backend whose source of truth is an append-only, tamper-evident event log.

use std::process::ExitCode;

use mimalloc::MiMalloc;

// Each password hash takes 19 MiB, which glibc's allocator would never return from the arena of a thread.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    api::cli::main()
}
