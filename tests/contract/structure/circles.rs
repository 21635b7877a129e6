//! No module depends on itself through others.

use std::collections::{BTreeMap, BTreeSet};

use super::graph::{Levels, levels};
use super::sources::{CRATES, Source, sources_of};

/// Each circle as `folder: its modules`.
fn circles(name: &str, levels: &Levels) -> Vec<String> {
    let mut found = vec![];
    for (folder, edges) in levels {
        let folder = [&[name.to_owned()], folder.as_slice()].concat().join("::");
        found.extend(knots(edges).iter().map(|knot| format!("{folder}: {}", knot.join(", "))));
    }
    found
}

/// Groups of modules each of which reaches all others of its group.
fn knots(edges: &BTreeSet<(String, String)>) -> BTreeSet<Vec<String>> {
    let nodes: BTreeSet<&String> = edges.iter().map(|(from, _)| from).collect();
    let reach: BTreeMap<&String, BTreeSet<&String>> =
        nodes.into_iter().map(|node| (node, reachable(node, edges))).collect();
    let back = |from: &String, to: &String| reach.get(to).is_some_and(|reached| reached.contains(from));
    let knot = |(node, reached): (&&String, &BTreeSet<&String>)| -> Vec<String> {
        reached.iter().filter(|other| back(node, other)).map(|other| (*other).clone()).collect()
    };
    reach.iter().map(knot).filter(|knot| !knot.is_empty()).collect()
}

fn reachable<'a>(start: &'a String, edges: &'a BTreeSet<(String, String)>) -> BTreeSet<&'a String> {
    let mut found = BTreeSet::new();
    let mut next = vec![start];
    while let Some(node) = next.pop() {
        for (_, to) in edges.iter().filter(|(from, _)| from == node) {
            if found.insert(to) {
                next.push(to);
            }
        }
    }
    found
}

#[test]
fn modules_form_no_circle() {
    let found: Vec<String> = CRATES.iter().flat_map(|name| circles(name, &levels(&sources_of(name)))).collect();
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn edges_are_read_from_the_sources() {
    let domain = levels(&sources_of("domain"));
    assert!(domain[&vec![]].contains(&("conversation".to_owned(), "assignment".to_owned())), "{domain:?}");
    assert!(
        domain[&vec!["routing".to_owned()]].contains(&("proposals".to_owned(), "selection".to_owned())),
        "{domain:?}"
    );
}

fn circles_in(files: &[(&str, &str)]) -> Vec<String> {
    let sources: Vec<Source> = files.iter().map(|(module, text)| Source::new(module, text)).collect();
    circles("made_up", &levels(&sources))
}

#[test]
fn circle_is_named_with_all_its_modules() {
    let files = [
        ("", "mod a; mod b; mod c; mod d;"),
        ("a", "use crate::{b::B, d::D};"),
        ("b", "fn f() { crate::c::g() }"),
        ("c", "macro_rules! m { () => { $crate::a::A } }"),
        ("d", ""),
    ];
    assert_eq!(circles_in(&files), ["made_up: a, b, c"]);
}

#[test]
fn circle_below_a_folder_is_found_through_what_the_folder_exports() {
    let files = [
        ("", ""),
        ("x", "pub use a::A; mod a; mod b;"),
        ("x::a", "use super::b::B; pub struct A;"),
        ("x::b", "use super::A;"),
    ];
    assert_eq!(circles_in(&files), ["made_up::x: a, b"]);
}

#[test]
fn parents_tests_and_other_crates_make_no_circle() {
    let files = [
        ("", "mod a; mod b; #[cfg(test)] mod fixtures;"),
        ("a", "mod c; use c::C; use crate::b::B; pub struct Own;"),
        ("a::c", "use super::Own;"),
        ("b", "use ::a::X; use a::X; #[cfg(test)] mod tests { use crate::a::Own; }"),
        ("fixtures", "use crate::a::Own;"),
    ];
    assert_eq!(circles_in(&files), Vec::<String>::new());
}
