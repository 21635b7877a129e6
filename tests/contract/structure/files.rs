//! One form for modules: a module with children is a folder with a `mod.rs`.

use std::path::PathBuf;

use super::sources::{CRATES, rust_files};
use crate::layout::root;

/// The files that lie next to a folder of the same name.
fn split_modules(files: &[PathBuf]) -> Vec<String> {
    let has_folder = |file: &&PathBuf| {
        let folder = file.with_extension("");
        files.iter().any(|other| other != *file && other.starts_with(&folder))
    };
    files.iter().filter(has_folder).map(|file| file.display().to_string()).collect()
}

#[test]
fn module_with_children_is_a_folder_with_a_mod_rs() {
    let folders = CRATES.iter().map(|name| root().join(name)).chain([root().join("tests")]);
    let files: Vec<PathBuf> = folders
        .flat_map(|folder| rust_files(&folder))
        .map(|file| file.strip_prefix(root()).unwrap().to_owned())
        .collect();
    assert!(files.contains(&PathBuf::from("domain/src/agent/mod.rs")), "the files were not read");
    assert_eq!(split_modules(&files), Vec::<String>::new());
}

#[test]
fn file_next_to_a_folder_of_its_name_is_found() {
    let files = ["src/a.rs", "src/a/b.rs", "src/ab/mod.rs", "src/c/mod.rs", "src/c/d.rs"].map(PathBuf::from);
    assert_eq!(split_modules(&files), ["src/a.rs"]);
}
