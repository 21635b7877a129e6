//! The program that is measured: that of this tree, built like the measuring one.

use std::path::PathBuf;
use std::process::Command;

/// Builds it. `--workspace`: the same features as for this bench, so that nothing is built twice.
pub fn build() {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");
    let mut arguments = vec!["build", "--workspace", "--bin", "livechatlog", "--locked", "--manifest-path", manifest];
    if cfg!(debug_assertions) {
        eprintln!("NOT OPTIMISED: the figures say nothing about speed");
    } else {
        arguments.push("--release");
    }
    let status = Command::new(env!("CARGO")).args(arguments).status();
    assert!(status.is_ok_and(|status| status.success()), "the program cannot be built");
}

/// The size of its file, in megabytes.
pub fn megabytes() -> f64 {
    std::fs::metadata(harness::program()).map_or(f64::NAN, |file| file.len() as f64 / 1e6)
}

/// Where results and filled stores are kept: `bench` in the folder in which cargo builds.
pub fn folder() -> PathBuf {
    let program = std::env::current_exe().expect("a program knows where it is");
    // target/release/deps/livechatlog-…
    program.ancestors().nth(3).map(|target| target.join("bench")).unwrap_or_default()
}
