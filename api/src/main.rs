//! LiveChatLog: a live-chat backend whose source of truth is an append-only, tamper-evident event log.

use std::process::ExitCode;

use mimalloc::MiMalloc;

// Hashing passwords takes 19 MiB at a time, which glibc's allocator keeps in each thread's arena for good.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    api::cli::main()
}
