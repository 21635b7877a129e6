//! The direction between the crates, and what lies at the top of the repository.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use cargo_metadata::MetadataCommand;

/// Each crate may use those to its left.
const ORDER: [&str; 6] = ["domain", "application", "infrastructure", "projections", "api", "tests"];

const REQUIRED: [&str; 9] =
    ["Cargo.toml", "domain", "application", "infrastructure", "api", "projections", "migrations", "tests", "README.md"];
const ALLOWED: [&str; 5] = ["Cargo.lock", "Dockerfile", "compose.yaml", "docs", "findings"];

/// Made by running the program and the compiler; never committed.
const MADE: [&str; 2] = ["target", "data"];

/// A crate of the workspace, and a crate of the workspace that it uses.
type Edge = (String, String);

fn edge(from: &str, to: &str) -> Edge {
    (from.to_owned(), to.to_owned())
}

fn rank(name: &str) -> Option<usize> {
    ORDER.iter().position(|known| *known == name)
}

/// The edges that do not go to the left.
fn wrong_edges(edges: &[Edge]) -> Vec<String> {
    let is_right = |(from, to): &&Edge| rank(from).zip(rank(to)).is_some_and(|(from, to)| to < from);
    edges.iter().filter(|edge| !is_right(edge)).map(|(from, to)| format!("{from} uses {to}")).collect()
}

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate lies in the workspace").to_owned()
}

/// The crates of the workspace, and the uses between them, be it only for tests or builds.
fn workspace() -> (BTreeSet<String>, Vec<Edge>) {
    let mut command = MetadataCommand::new();
    command.manifest_path(root().join("Cargo.toml")).no_deps().other_options(["--offline".to_owned()]);
    let packages = command.exec().expect("cargo describes the workspace").packages;
    let names: BTreeSet<String> = packages.iter().map(|package| package.name.to_string()).collect();
    let uses = packages.iter().flat_map(|package| {
        let to_own = package.dependencies.iter().filter(|dependency| names.contains(&dependency.name));
        to_own.map(|dependency| edge(&package.name, &dependency.name))
    });
    let edges = uses.collect();
    (names, edges)
}

#[test]
fn crates_use_only_what_stands_to_their_left() {
    let (_, edges) = workspace();
    assert!(edges.contains(&edge("application", "domain")), "the edges were not read: {edges:?}");
    assert_eq!(wrong_edges(&edges), Vec::<String>::new());
}

#[test]
fn workspace_has_the_stated_crates_and_no_other() {
    let (names, _) = workspace();
    assert_eq!(names, ORDER.map(str::to_owned).into());
}

#[test]
fn edge_against_the_direction_is_found() {
    let right = edge("api", "domain");
    for (from, to) in [("domain", "application"), ("application", "infrastructure"), ("api", "api"), ("api", "new")] {
        assert_eq!(wrong_edges(&[right.clone(), edge(from, to)]), [format!("{from} uses {to}")]);
    }
}

/// What is at the top and should not be, and what should be and is not.
fn strays(entries: &BTreeSet<String>) -> Vec<String> {
    let is_known = |name: &str| REQUIRED.contains(&name) || ALLOWED.contains(&name) || MADE.contains(&name);
    let too_many = entries.iter().filter(|name| !name.starts_with('.') && !is_known(name));
    let missing = REQUIRED.iter().filter(|name| !entries.contains(**name));
    too_many.map(|name| format!("{name} is too many")).chain(missing.map(|name| format!("{name} is missing"))).collect()
}

#[test]
fn top_of_the_repository_holds_the_stated_entries() {
    let entries = std::fs::read_dir(root()).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(strays(&names), Vec::<String>::new());
}

#[test]
fn stray_and_missing_entries_are_found() {
    let mut entries: BTreeSet<String> = REQUIRED.map(str::to_owned).into();
    entries.extend(["target", "data", ".github", "docs", "findings"].map(str::to_owned));
    assert_eq!(strays(&entries), Vec::<String>::new());
    entries.insert("src".to_owned());
    entries.remove("README.md");
    assert_eq!(strays(&entries), ["src is too many", "README.md is missing"]);
}
