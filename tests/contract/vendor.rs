//! The libraries of the pages are those of their authors, and their words are complete in each language.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use harness::left_out_without;

use crate::layout::root;

const FOLDER: &str = "api/web/vendor";

/// Whether the files of a folder are those of the list.
fn matches_list(folder: &std::path::Path) -> bool {
    let list = root().join(FOLDER).join("SHA256SUMS");
    let check =
        Command::new("sha256sum").args(["--check", "--strict", "--status"]).arg(list).current_dir(folder).status();
    check.unwrap().success()
}

#[test]
fn vendored_files_are_those_of_the_list() {
    let folder = root().join(FOLDER);
    assert!(matches_list(&folder));
    let list = fs::read_to_string(folder.join("SHA256SUMS")).unwrap();
    let listed = |name: &str| list.lines().any(|line| line.ends_with(&format!("  {name}")));
    let entries = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let others: Vec<_> = entries.filter(|name| !listed(name) && name != "derive" && name != "SHA256SUMS").collect();
    assert_eq!(others, Vec::<String>::new());
    let modules = list.lines().filter(|line| line.ends_with(".mjs")).count();
    let licences = list.lines().filter(|line| line.ends_with(".LICENSE.txt")).count();
    assert!(modules >= 5 && licences >= 7, "each library has its licence");
}

#[test]
fn vendored_files_follow_from_the_packages_of_npm() {
    let folder = tempfile::tempdir().unwrap();
    let derived = Command::new(root().join(FOLDER).join("derive")).arg(folder.path()).status().unwrap();
    if derived.code() == Some(77) {
        left_out_without("vendored_files_follow_from_the_packages_of_npm", "npm and its registry");
        return;
    }
    assert!(derived.success(), "{derived}");
    assert!(matches_list(folder.path()));
    // A single changed byte is found.
    let file = folder.path().join("htm-3.1.1.mjs");
    fs::write(&file, fs::read_to_string(&file).unwrap() + " ").unwrap();
    assert!(!matches_list(folder.path()));
}

/// The keys of `key: 'text'` in a source.
fn keys(source: &str) -> BTreeSet<&str> {
    let before = source.split(": '").map(|text| text.rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default());
    before.filter(|key| !key.is_empty() && key.starts_with(|c: char| c.is_ascii_lowercase())).collect()
}

#[test]
fn each_language_has_every_word_of_the_widget() {
    let folder = root().join("api/web/widget");
    let english = fs::read_to_string(folder.join("texts.js")).unwrap();
    let (_, english) = english.split_once("english = {").unwrap();
    let (english, _) = english.split_once("\n};").unwrap();
    let words = keys(english);
    assert!(words.contains("greeting") && words.len() > 30, "{words:?}");
    let mut languages = 0;
    for file in fs::read_dir(folder.join("languages")).unwrap() {
        let path = file.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let missing: Vec<_> = words.difference(&keys(&text)).copied().filter(|word| *word != "direction").collect();
        assert_eq!(missing, Vec::<&str>::new(), "{}", path.display());
        languages += 1;
    }
    assert!(languages >= 4);
}
