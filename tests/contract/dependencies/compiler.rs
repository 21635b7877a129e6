//! Which compiler the workspace needs.

use super::{dependencies, metadata, root};

/// The first two numbers of a version such as `1.95.0`.
fn minor(version: &str) -> (u64, u64) {
    let mut numbers = version.split(['.', '-']).map(|number| number.parse().expect("a number of a version"));
    (numbers.next().expect("a major version"), numbers.next().expect("a minor version"))
}

fn promised() -> (u64, u64) {
    let versions = metadata().workspace_packages().into_iter().map(|package| {
        let version = package.rust_version.as_ref().unwrap_or_else(|| panic!("{} has no rust-version", package.name));
        (version.major, version.minor)
    });
    let mut versions: Vec<_> = versions.collect();
    versions.dedup();
    assert_eq!(versions.len(), 1, "all crates state the same rust-version");
    versions[0]
}

#[test]
fn dependencies_need_no_newer_compiler_than_the_workspace_states() {
    let needed = dependencies().into_iter().filter_map(|package| {
        let version = package.rust_version.as_ref()?;
        Some(((version.major, version.minor), package.name.to_string()))
    });
    let (highest, name) = needed.max().expect("some dependency states its compiler");
    assert!(highest <= promised(), "{name} needs Rust {highest:?}, the workspace states {:?}", promised());
}

#[test]
fn image_is_built_with_the_stated_compiler() {
    let dockerfile = std::fs::read_to_string(root().join("Dockerfile")).expect("there is a Dockerfile");
    let image = dockerfile.lines().find_map(|line| line.strip_prefix("FROM rust:")).expect("it builds in a Rust image");
    assert_eq!(minor(image), promised());
}
