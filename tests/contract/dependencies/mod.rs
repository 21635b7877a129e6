//! What the workspace is built from: where it comes from, under which licences, and that all of it is used.

mod compiler;
mod licences;
mod sqlite;
mod unused;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use cargo_metadata::{Metadata, MetadataCommand, Package};

/// Crates that must not be there: a second TLS provider or library, and one that needs a C library of the system.
const BANNED: [&str; 5] = ["aws-lc-rs", "aws-lc-sys", "native-tls", "openssl", "openssl-sys"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate lies in the workspace").to_owned()
}

/// The kind of machine for which the compiler builds by default, such as `x86_64-unknown-linux-gnu`.
fn host() -> String {
    let output = Command::new("rustc").arg("-vV").output().expect("the compiler runs");
    let text = String::from_utf8(output.stdout).expect("the compiler writes text");
    text.lines().find_map(|line| line.strip_prefix("host: ")).expect("the compiler names its host").to_owned()
}

/// The workspace and all that it is built from on this kind of machine. Cargo has fetched no more than that, and is not
/// asked to: the tests run without a network.
fn metadata() -> &'static Metadata {
    static METADATA: LazyLock<Metadata> = LazyLock::new(|| {
        let mut command = MetadataCommand::new();
        let platform = format!("--filter-platform={}", host());
        command.manifest_path(root().join("Cargo.toml"));
        command.other_options(["--offline".to_owned(), "--locked".to_owned(), platform]);
        command.exec().expect("cargo describes the workspace and its dependencies")
    });
    &METADATA
}

/// All packages that do not lie in this repository.
fn dependencies() -> Vec<&'static Package> {
    let own = root();
    let packages = metadata().packages.iter();
    let others: Vec<_> = packages.filter(|package| !package.manifest_path.starts_with(&own)).collect();
    assert!(others.len() > 200, "the dependencies were not read: there are {}", others.len());
    others
}

#[test]
fn dependencies_come_from_crates_io_only() {
    let elsewhere = dependencies().into_iter().filter(|package| {
        let source = package.source.as_ref();
        source.is_none_or(|source| source.repr != "registry+https://github.com/rust-lang/crates.io-index")
    });
    assert_eq!(elsewhere.map(|package| package.name.to_string()).collect::<Vec<_>>(), Vec::<String>::new());
}

#[test]
fn tls_has_one_provider_and_needs_no_library_of_the_system() {
    let metadata = metadata();
    let names: BTreeSet<&str> = dependencies().iter().map(|package| package.name.as_str()).collect();
    let banned: Vec<_> = BANNED.iter().filter(|name| names.contains(*name)).collect();
    assert_eq!(banned, Vec::<&&str>::new());
    let nodes = &metadata.resolve.as_ref().expect("the features are resolved").nodes;
    let rustls: Vec<_> = nodes.iter().filter(|node| metadata[&node.id].name == "rustls").collect();
    assert_eq!(rustls.len(), 1, "there is one rustls");
    let features: BTreeSet<&str> = rustls[0].features.iter().map(|feature| feature.as_ref()).collect();
    assert!(features.contains("ring"), "{features:?}");
    assert!(!features.contains("aws_lc_rs"), "{features:?}");
}
