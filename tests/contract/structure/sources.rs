//! The production sources of the workspace.

use std::fs;
use std::path::{Path, PathBuf};

use crate::layout::root;

/// The crates whose sources are the product.
pub const CRATES: [&str; 5] = ["domain", "application", "infrastructure", "projections", "api"];

/// A source file of a crate.
pub struct Source {
    /// The module's path from the crate's root; empty for the root itself.
    pub module: Vec<String>,
    pub text: String,
}

impl Source {
    pub fn new(module: &str, text: &str) -> Self {
        let module = module.split("::").filter(|name| !name.is_empty()).map(str::to_owned).collect();
        Self { module, text: text.to_owned() }
    }
}

/// The sources of a crate.
pub fn sources_of(name: &str) -> Vec<Source> {
    let src = root().join(name).join("src");
    let files = rust_files(&src);
    files.iter().map(|file| Source { module: module_of(&src, file), text: fs::read_to_string(file).unwrap() }).collect()
}

/// Every Rust file below a folder, in stable order.
pub fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = vec![];
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn module_of(src: &Path, file: &Path) -> Vec<String> {
    let path = file.strip_prefix(src).unwrap().with_extension("");
    let mut names: Vec<String> = path.iter().map(|name| name.to_str().unwrap().to_owned()).collect();
    if names.last().is_some_and(|last| ["mod", "lib", "main"].contains(&last.as_str())) {
        names.pop();
    }
    names
}
