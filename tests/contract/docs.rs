//! README and docs name only what is there.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A longer README hides its beginning.
const README_LINES: usize = 150;

/// A text in backquotes that begins with one of these names a file or folder of the repository.
const FOLDERS: [&str; 9] =
    ["domain/", "application/", "infrastructure/", "projections/", "api/", "migrations/", "tests/", "docs/", ".ci/"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate lies in the workspace").to_owned()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The files below a folder whose names end in this, in order.
fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = vec![];
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("target") {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|is| is == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn documents(root: &Path) -> Vec<PathBuf> {
    let mut found = files(&root.join("docs"), "md");
    found.push(root.join("README.md"));
    found
}

/// The text without blocks of code, in which links and names mean nothing.
fn prose(text: &str) -> String {
    let mut in_code = false;
    let is_prose = |line: &&str| {
        let is_fence = line.trim_start().starts_with("```");
        in_code ^= is_fence;
        !in_code && !is_fence
    };
    text.lines().filter(is_prose).collect::<Vec<_>>().join("\n")
}

/// The targets of `[text](target)`.
fn links(prose: &str) -> Vec<&str> {
    prose.split("](").skip(1).filter_map(|rest| rest.split(')').next()).collect()
}

/// The texts in backquotes. A pair of backquotes does not span paragraphs.
fn spans(prose: &str) -> impl Iterator<Item = &str> {
    prose.split("\n\n").flat_map(|paragraph| paragraph.split('`').skip(1).step_by(2))
}

/// The name by which GitHub links to a heading.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

fn has_anchor(document: &Path, wanted: &str) -> bool {
    let text = prose(&read(document));
    let headings = text.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#'));
    headings.map(anchor).any(|found| found == wanted)
}

/// What is wrong with a link of a document.
fn broken(document: &Path, link: &str) -> Option<String> {
    if link.starts_with("https://") || link.starts_with("http://") {
        return None;
    }
    let (path, wanted) = link.split_once('#').map_or((link, None), |(path, wanted)| (path, Some(wanted)));
    let folder = document.parent().expect("a document lies in a folder");
    let target = if path.is_empty() { document.to_owned() } else { folder.join(path) };
    if !target.exists() {
        return Some(format!("{link} is not there"));
    }
    let wanted = wanted?;
    (!has_anchor(&target, wanted)).then(|| format!("{link}: no such heading"))
}

/// The path that a text in backquotes names: its first word, which arguments may follow.
fn named_path(span: &str) -> Option<&str> {
    let path = span.split_whitespace().next()?;
    let is_plain = path.chars().all(|c| c.is_ascii_alphanumeric() || "_./-".contains(c));
    (is_plain && FOLDERS.iter().any(|folder| path.starts_with(folder))).then_some(path)
}

/// Everything in a document that leads nowhere.
fn findings(root: &Path, document: &Path) -> Vec<String> {
    let text = prose(&read(document));
    let broken_links = links(&text).into_iter().filter_map(|link| broken(document, link));
    let missing = spans(&text).filter_map(named_path).filter(|path| !root.join(path).exists());
    let all = broken_links.chain(missing.map(|path| format!("`{path}` is not there")));
    let name = document.strip_prefix(root).unwrap_or(document).display().to_string();
    all.map(|finding| format!("{name}: {finding}")).collect()
}

#[test]
fn documents_name_only_what_is_there() {
    let root = root();
    let documents = documents(&root);
    assert!(documents.len() > 40, "the documents were not found: {documents:?}");
    let found: Vec<_> = documents.iter().flat_map(|document| findings(&root, document)).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn document_that_leads_nowhere_is_found() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("docs");
    fs::create_dir(&folder).unwrap();
    let text = "# What is … here?\n\
        [a](gone.md) [b](page.md#no-heading) [c](#what-is--here) [d](https://example.com/gone) [e](../docs/page.md)\n\n\
        `docs/page.md` `docs/gone.md --flag` `tests/{a,b}` `gone.md`\n\n\
        ```\n[f](code.md) `docs/code.md`\n# No heading\n```\n";
    let page = folder.join("page.md");
    fs::write(&page, text).unwrap();
    let expected = ["gone.md is not there", "page.md#no-heading: no such heading", "`docs/gone.md` is not there"];
    assert_eq!(findings(root.path(), &page), expected.map(|finding| format!("docs/page.md: {finding}")));
}

#[test]
fn readme_is_short_and_begins_with_the_commands_that_start_and_test() {
    let text = read(&root().join("README.md"));
    let lines = text.lines().count();
    assert!(lines <= README_LINES, "{lines} lines");
    let blocks = text.split("```sh\n").skip(1).filter_map(|rest| rest.split("\n```").next());
    assert_eq!(blocks.take(2).collect::<Vec<_>>(), ["cargo run --release", "tests/run"]);
}

/// What stands for a test: several words with underscores between.
fn is_test_name(span: &str) -> bool {
    span.matches('_').count() >= 3 && span.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

/// The names in a text that no function in the sources has.
fn missing_functions<'a>(text: &'a str, sources: &str) -> Vec<&'a str> {
    let names = spans(text).filter(|span| is_test_name(span));
    names.filter(|name| !sources.contains(&format!("fn {name}("))).collect()
}

#[test]
fn tests_that_prove_promises_are_there() {
    let root = root();
    let text = prose(&read(&root.join("docs/guarantees.md")));
    assert!(spans(&text).filter(|span| is_test_name(span)).count() > 30, "the names were not found");
    let folders = FOLDERS.iter().map(|folder| root.join(folder)).filter(|folder| folder.join("Cargo.toml").exists());
    let sources: String = folders.flat_map(|folder| files(&folder, "rs")).map(|file| read(&file)).collect();
    assert_eq!(missing_functions(&text, &sources), Vec::<&str>::new());
    assert_eq!(missing_functions("`it_was_never_there` `a_field`", &sources), ["it_was_never_there"]);
}

/// The tests that a text names with a file, as in "`a_test` in [`file`](link)", and that are not in that file.
fn misplaced(root: &Path, text: &str) -> Vec<String> {
    let places = text.split("` in [`").collect::<Vec<_>>();
    let named = places.windows(2).filter_map(|pair| {
        let name = pair[0].rsplit('`').next()?;
        let path = pair[1].split('`').next()?;
        is_test_name(name).then_some((name, path))
    });
    let is_there = |path: &str, name: &str| {
        fs::read_to_string(root.join(path)).is_ok_and(|source| source.contains(&format!("fn {name}(")))
    };
    named.filter(|(name, path)| !is_there(path, name)).map(|(name, path)| format!("{name} is not in {path}")).collect()
}

#[test]
fn tests_that_prove_promises_are_in_the_files_that_are_named() {
    let root = root();
    let text = read(&root.join("docs/guarantees.md"));
    assert_eq!(misplaced(&root, &text), Vec::<String>::new());
    let elsewhere = "| x | `acknowledged_writes_survive_kill9` in [`tests/faults/disk.rs`](../tests/faults/disk.rs) |";
    assert_eq!(misplaced(&root, elsewhere), ["acknowledged_writes_survive_kill9 is not in tests/faults/disk.rs"]);
}

/// The lines that each decision has, and the beginning of each.
const DECISION: [&str; 6] = ["**Status:**", "**Date:**", "**Context:**", "**Options:**", "**Choice:**", "**Cost:**"];

#[test]
fn decisions_are_numbered_complete_and_in_the_index() {
    let folder = root().join("docs/decisions");
    let index = read(&folder.join("README.md"));
    let rows = index.lines().filter(|line| line.starts_with("| [0"));
    let listed: Vec<_> = rows.filter_map(|row| links(row).first().map(|link| (*link).to_owned())).collect();
    let name = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
    let there: Vec<_> = files(&folder, "md").iter().map(name).filter(|name| name != "README.md").collect();
    assert_eq!(listed, there);
    for (name, number) in there.iter().zip(1..) {
        let text = read(&folder.join(name));
        assert!(name.starts_with(&format!("{number:04}-")), "{name} should be number {number}");
        assert!(text.starts_with(&format!("# {number:04}: ")), "{name}: the title");
        for line in DECISION {
            assert!(text.contains(&format!("\n- {line} ")), "{name}: {line}");
        }
    }
}

/// Names and defaults of the settings in `.env.example`.
fn example(text: &str) -> BTreeSet<(String, String)> {
    let lines = text.lines().filter_map(|line| line.strip_prefix('#')).filter(|line| !line.starts_with(' '));
    lines.filter_map(|line| line.split_once('=')).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// Names and defaults of the settings in the table; none where a default is words.
fn documented(text: &str) -> BTreeSet<(String, String)> {
    let table = text.split("| setting | default | meaning |").nth(1).expect("the table of settings is there");
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    let code = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    let settings = rows.flat_map(|row| {
        let cells: Vec<_> = row.split('|').collect();
        let defaults =
            if cells[2].contains("generated once") || cells[2].contains("file in") { vec![] } else { code(cells[2]) };
        code(cells[1]).into_iter().zip(defaults.into_iter().chain(std::iter::repeat(String::new())))
    });
    settings.collect()
}

/// The names of the settings, as clap takes them from the environment.
fn settings(source: &str) -> BTreeSet<String> {
    source.split("env = \"").skip(1).filter_map(|rest| rest.split('"').next()).map(str::to_owned).collect()
}

#[test]
fn settings_are_documented_and_in_the_example_of_the_environment_with_their_defaults() {
    let root = root();
    let example = example(&read(&root.join(".env.example")));
    assert!(example.contains(&("PORT".to_owned(), "3000".to_owned())), "{example:?}");
    assert_eq!(example, documented(&read(&root.join("docs/operating/configuration.md"))));
    let sources: String = files(&root.join("api/src"), "rs").iter().map(|file| read(file)).collect();
    assert_eq!(example.into_iter().map(|(name, _)| name).collect::<BTreeSet<_>>(), settings(&sources));
}
