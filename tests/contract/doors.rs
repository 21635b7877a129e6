//! The service layer speaks no protocol, and the doors reach the application through it alone.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};

use crate::layout::root;

/// The words of a protocol.
const PROTOCOL: [&str; 10] = [
    "axum",
    "http",
    "http_body_util",
    "hyper",
    "hyper_util",
    "tower",
    "tower_http",
    "StatusCode",
    "HeaderMap",
    "HeaderName",
];

/// The words of what lies behind the service layer.
const BEHIND: [&str; 8] =
    ["command_bus", "CommandBus", "infrastructure", "projections", "ReadModel", "View", "Views", "wiring"];

/// The folders of the doors, with the files that may name what lies behind.
const DOORS: [(&str, &[&str]); 4] =
    [("api/src/rest", &["problem.rs"]), ("api/src/live", &[]), ("api/src/web", &[]), ("api/src/graphql", &[])];

/// The refusals of HTTP, as `StatusCode` names them.
const REFUSING: [&str; 18] = [
    "BAD_REQUEST",
    "UNAUTHORIZED",
    "FORBIDDEN",
    "NOT_FOUND",
    "METHOD_NOT_ALLOWED",
    "REQUEST_TIMEOUT",
    "CONFLICT",
    "GONE",
    "PRECONDITION_FAILED",
    "PAYLOAD_TOO_LARGE",
    "UNSUPPORTED_MEDIA_TYPE",
    "UNPROCESSABLE_ENTITY",
    "TOO_MANY_REQUESTS",
    "INTERNAL_SERVER_ERROR",
    "NOT_IMPLEMENTED",
    "BAD_GATEWAY",
    "SERVICE_UNAVAILABLE",
    "GATEWAY_TIMEOUT",
];

/// The words of judging who a caller is and what the caller may do.
const JUDGING: [&str; 6] = ["TokenIssuer", "bearer_of", "holder_of", "is_open", "judge", "verify"];

/// The files that judge: everything else asks them.
const JUDGES: [&str; 2] = ["access.rs", "authenticate.rs"];

/// Every name in a source; none from its comments and texts.
fn names(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    collect(text.parse().expect("sources are Rust"), &mut found);
    found
}

fn collect(tokens: TokenStream, found: &mut BTreeSet<String>) {
    for token in tokens {
        match token {
            TokenTree::Ident(name) => drop(found.insert(name.to_string())),
            TokenTree::Group(group) => collect(group.stream(), found),
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
}

fn is_behind(name: &str) -> bool {
    let is_adapter = name.ends_with("Queries") || name.ends_with("Projector") || name.starts_with("Sql");
    BEHIND.contains(&name) || is_adapter
}

/// Every Rust file below a folder.
fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let (folders, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    let mut found: Vec<_> = files.into_iter().filter(|path| path.extension().is_some_and(|end| end == "rs")).collect();
    found.extend(folders.iter().flat_map(|folder| rust_files(folder)));
    found.sort();
    found
}

/// `file: name` for each name in the files of a folder that `is_wrong` finds.
fn breaches(folder: &str, except: &[&str], is_wrong: impl Fn(&str) -> bool) -> Vec<String> {
    let folder = root().join(folder);
    let files = rust_files(&folder);
    assert!(files.len() > 3, "{} holds the sources", folder.display());
    let relative = |file: &Path| file.strip_prefix(&folder).unwrap().to_str().unwrap().to_owned();
    let checked = files.iter().filter(|file| !except.contains(&relative(file).as_str()));
    let found = checked.flat_map(|file| {
        let names = names(&fs::read_to_string(file).unwrap());
        let wrong: Vec<_> = names.into_iter().filter(|name| is_wrong(name)).collect();
        wrong.into_iter().map(|name| format!("{}: {name}", relative(file))).collect::<Vec<_>>()
    });
    found.collect()
}

#[test]
fn service_speaks_no_protocol() {
    assert_eq!(breaches("api/src/service", &[], |name| PROTOCOL.contains(&name)), Vec::<String>::new());
}

#[test]
fn doors_reach_the_application_through_the_service() {
    for (door, except) in DOORS {
        assert_eq!(breaches(door, except, is_behind), Vec::<String>::new(), "{door}");
    }
}

#[test]
fn rights_of_a_caller_are_judged_in_one_place() {
    let judges = |name: &str| JUDGING.contains(&name);
    assert_eq!(breaches("api/src/service", &JUDGES, judges), Vec::<String>::new());
    for (door, _) in DOORS {
        assert_eq!(breaches(door, &[], judges), Vec::<String>::new(), "{door}");
    }
    // The words are those that the judges use.
    let used = breaches("api/src/service", &[], judges);
    let used: BTreeSet<_> = used.iter().filter_map(|breach| breach.split(": ").nth(1)).collect();
    assert_eq!(used.into_iter().collect::<Vec<_>>(), JUDGING);
}

#[test]
fn only_problems_know_the_status_codes_of_refusals() {
    // The probes answer in the words of load balancers.
    let except = ["problem.rs", "health.rs"];
    for (door, _) in DOORS {
        assert_eq!(breaches(door, &except, |name| REFUSING.contains(&name)), Vec::<String>::new(), "{door}");
    }
}

#[test]
fn breaches_are_found_wherever_they_stand() {
    let text = "
        //! axum in a comment, and `View`.
        use axum::{http::StatusCode as Code, Json};
        fn f() { g(|| infrastructure::responses::find(\"hyper\")); println!(\"{}\", View::Tags); }
    ";
    let names = names(text);
    let found = |is_wrong: fn(&str) -> bool| names.iter().filter(|name| is_wrong(name)).cloned().collect::<Vec<_>>();
    assert_eq!(found(|name| PROTOCOL.contains(&name)), ["StatusCode", "axum", "http"]);
    assert_eq!(found(is_behind), ["View", "infrastructure"]);
    // The files that may name these do, so that the words are the right ones.
    assert!(breaches("api/src/rest", &[], |name| REFUSING.contains(&name)).len() >= REFUSING.len() - 5);
    assert!(breaches("api/src/service", &[], is_behind).iter().any(|breach| breach.ends_with(": CommandBus")));
    assert!(
        breaches("api/src/rest", &[], |name| PROTOCOL.contains(&name)).iter().any(|breach| breach.ends_with(": axum"))
    );
}
