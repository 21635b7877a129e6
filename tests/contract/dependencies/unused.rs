//! Dependencies that no code names, found by reading it. A dependency that only tests name is a dev-dependency.

use std::fs;
use std::path::{Path, PathBuf};

use cargo_metadata::{Dependency, DependencyKind, Package};

use super::{metadata, root};

/// The code of a crate without comments.
#[derive(Default)]
struct Code {
    shipped: String,
    tests: String,
}

impl Code {
    fn of(package: &Package) -> Self {
        let folder = package.manifest_path.parent().expect("a manifest lies in a folder").as_std_path();
        let mut code = Self::default();
        for file in rust_files(folder) {
            let text = fs::read_to_string(&file).expect("code can be read");
            let path = file.strip_prefix(folder).expect("the file lies in the folder");
            // Nothing in the crate of the tests is there for other tests only.
            let shipped = if package.name == "tests" { text.as_str() } else { shipped_part(path, &text) };
            code.shipped += &without_comments(shipped);
            code.tests += &without_comments(&text[shipped.len()..]);
        }
        code
    }

    fn uses(&self, dependency: &Dependency) -> bool {
        let name = dependency.rename.as_ref().unwrap_or(&dependency.name).replace('-', "_");
        let is_dev = dependency.kind == DependencyKind::Development;
        names(&self.shipped, &name) || is_dev && names(&self.tests, &name)
    }
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder can be read").map(|entry| entry.expect("an entry").path());
    let files = entries.flat_map(|entry| match entry.extension() {
        _ if entry.is_dir() => rust_files(&entry),
        Some(extension) if extension == "rs" => vec![entry],
        _ => vec![],
    });
    files.collect()
}

/// What comes before the tests, which stand in files of their own or at the end.
fn shipped_part<'a>(file: &Path, text: &'a str) -> &'a str {
    let is_for_tests = file.iter().filter_map(|part| part.to_str()).any(|part| {
        let name = part.trim_end_matches(".rs");
        name == "tests" || name.ends_with("_tests")
    });
    if is_for_tests {
        return "";
    }
    text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default()
}

fn without_comments(text: &str) -> String {
    let lines = text.lines().map(|line| line.split("//").next().unwrap_or_default());
    lines.map(|line| format!("{line}\n")).collect()
}

/// Whether a path begins with this name, or a `use` takes the crate in whole.
fn names(code: &str, name: &str) -> bool {
    code.match_indices(name).any(|(start, _)| {
        let before = code[..start].chars().next_back();
        let after = &code[start + name.len()..];
        let begins = !before.is_some_and(|before| before.is_alphanumeric() || before == '_' || before == ':')
            || code[..start].ends_with("(::")
            || code[..start].ends_with(" ::");
        let is_imported = code[..start].ends_with("use ") && (after.starts_with(';') || after.starts_with(" as "));
        begins && after.starts_with("::") || is_imported
    })
}

/// The names in the table of dependencies that the crates share.
fn shared_dependencies() -> Vec<String> {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).expect("the workspace has a manifest");
    let (_, table) = manifest.split_once("[workspace.dependencies]\n").expect("dependencies are shared");
    let lines = table.lines().take_while(|line| !line.starts_with('['));
    lines.filter_map(|line| line.split_once(" = ")).map(|(name, _)| name.to_owned()).collect()
}

#[test]
fn every_dependency_is_named_by_code() {
    let unused = metadata().workspace_packages().into_iter().flat_map(|package| {
        let code = Code::of(package);
        assert!(!code.shipped.is_empty(), "the code of {} was not read", package.name);
        let unused = package.dependencies.iter().filter(|dependency| !code.uses(dependency));
        unused
            .map(|dependency| format!("{}: {} ({})", package.name, dependency.name, dependency.kind))
            .collect::<Vec<_>>()
    });
    assert_eq!(unused.collect::<Vec<_>>(), Vec::<String>::new());
}

#[test]
fn every_shared_dependency_is_one_of_a_crate() {
    let packages = metadata().workspace_packages();
    let is_used = |name: &String| {
        packages.iter().flat_map(|package| &package.dependencies).any(|dependency| dependency.name == *name)
    };
    let shared = shared_dependencies();
    assert!(shared.contains(&"serde".to_owned()), "the table was not read: {shared:?}");
    assert_eq!(shared.into_iter().filter(|name| !is_used(name)).collect::<Vec<_>>(), Vec::<String>::new());
}

#[test]
fn only_a_path_or_an_import_names_a_crate() {
    for used in ["use hex::encode;", "hex::encode(a)", "use hex;", "use hex as h;", "(::hex::encode)"] {
        assert!(names(used, "hex"), "{used}");
    }
    for unused in ["let hex = 1;", "crate::hex::encode()", "use uhex::a;", "hex_of::b()", "use hexes;"] {
        assert!(!names(unused, "hex"), "{unused}");
    }
    assert!(!names(&without_comments("// hex::encode\nlet a = 1;"), "hex"));
}

#[test]
fn what_only_tests_name_is_not_shipped() {
    let text = "use a::b;\n#[cfg(test)]\nmod tests {\n    use c::d;\n}\n";
    assert_eq!(shipped_part(Path::new("src/x.rs"), text), "use a::b;\n");
    for file in ["src/x/tests.rs", "src/x_tests.rs", "src/x/tests/y.rs"] {
        assert_eq!(shipped_part(Path::new(file), text), "");
    }
}
