//! Under which licences the dependencies may be used.

use super::dependencies;

/// Licences that ask for no more than a notice. `CDLA-Permissive-2.0` covers data: the root certificates.
const ALLOWED: [&str; 11] = [
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Zlib",
];

/// Whether an SPDX expression can be met with allowed licences alone. `AND` binds tighter than `OR`; a slash is how older
/// crates write `OR`.
fn is_allowed(expression: &str) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    any_of(&mut rest) && rest.is_empty()
}

fn any_of(words: &mut &[&str]) -> bool {
    let mut allowed = all_of(words);
    while take(words, "OR") {
        allowed |= all_of(words);
    }
    allowed
}

fn all_of(words: &mut &[&str]) -> bool {
    let mut allowed = one(words);
    while take(words, "AND") {
        allowed &= one(words);
    }
    allowed
}

fn one(words: &mut &[&str]) -> bool {
    if take(words, "(") {
        let allowed = any_of(words);
        return take(words, ")") && allowed;
    }
    let Some((name, rest)) = words.split_first() else { return false };
    *words = rest;
    if take(words, "WITH") {
        let Some((exception, rest)) = words.split_first() else { return false };
        *words = rest;
        return ALLOWED.contains(&format!("{name} WITH {exception}").as_str());
    }
    ALLOWED.contains(name)
}

fn take(words: &mut &[&str], word: &str) -> bool {
    let found = words.first() == Some(&word);
    *words = &words[usize::from(found)..];
    found
}

#[test]
fn dependencies_have_allowed_licences() {
    let refused = dependencies().into_iter().filter(|package| !package.license.as_deref().is_some_and(is_allowed));
    let refused: Vec<_> = refused.map(|package| format!("{}: {:?}", package.name, package.license)).collect();
    assert_eq!(refused, Vec::<String>::new());
}

#[test]
fn expression_is_allowed_if_allowed_licences_meet_it() {
    for allowed in
        ["MIT", "GPL-3.0 OR MIT", "MPL-2.0/MIT", "(GPL-3.0 OR MIT) AND ISC", "Apache-2.0 WITH LLVM-exception"]
    {
        assert!(is_allowed(allowed), "{allowed}");
    }
    for refused in ["GPL-3.0", "MIT AND GPL-3.0", "MIT WITH LLVM-exception", "GPL-3.0 OR MIT AND MPL-2.0", "(MIT", ""] {
        assert!(!is_allowed(refused), "{refused}");
    }
}
