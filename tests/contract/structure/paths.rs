//! The paths that a source names, read from its tokens, so that paths inside macros count, too.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::UseTree;

/// A path as it is written: `crate`, `self`, `super` or the name of a child module first.
pub type Segments = Vec<String>;

/// What a file says of other modules.
#[derive(Debug, Default, PartialEq)]
pub struct Mentions {
    /// Paths that begin with `crate`, `self` or `super`, each with the inline modules around it.
    pub paths: Vec<(Vec<String>, Segments)>,
    /// What `use` brings into the file's own module: the name here, and where it comes from.
    pub imports: Vec<(String, Segments)>,
    /// Child modules that exist in tests only.
    pub test_modules: Vec<String>,
}

/// Reads a source without its tests.
pub fn mentions(text: &str) -> Mentions {
    let mut found = Mentions::default();
    let tokens = text.parse::<TokenStream>().expect("production sources are Rust");
    read(&tokens.into_iter().collect::<Vec<_>>(), &mut vec![], &mut found);
    found
}

fn read(tokens: &[TokenTree], around: &mut Vec<String>, found: &mut Mentions) {
    let mut at = 0;
    while at < tokens.len() {
        if is_test_attribute(tokens, at) {
            at = skip_test_item(tokens, at, found);
            continue;
        }
        match &tokens[at] {
            TokenTree::Ident(word) if word == "use" => {
                let end = end_of_statement(tokens, at);
                for (name, path) in use_tree(&tokens[at + 1..end - 1]) {
                    if path.first().is_some_and(|first| is_anchor(first)) {
                        found.paths.push((around.clone(), path.clone()));
                    }
                    if around.is_empty() {
                        found.imports.push((name, path));
                    }
                }
                at = end;
            }
            TokenTree::Ident(word) if word == "mod" && is_inline_module(tokens, at) => {
                around.push(tokens[at + 1].to_string());
                read(&inside(&tokens[at + 2]), around, found);
                around.pop();
                at += 3;
            }
            TokenTree::Ident(word) if is_anchor(&word.to_string()) && is_separator(tokens, at + 1) => {
                let path = plain_path(&tokens[at..]);
                at += path.len() * 3 - 2;
                found.paths.push((around.clone(), path));
            }
            TokenTree::Group(group) => {
                read(&group.stream().into_iter().collect::<Vec<_>>(), around, found);
                at += 1;
            }
            TokenTree::Ident(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => at += 1,
        }
    }
}

fn is_anchor(word: &str) -> bool {
    ["crate", "self", "super"].contains(&word)
}

fn is_punct(tokens: &[TokenTree], at: usize, character: char) -> bool {
    matches!(tokens.get(at), Some(TokenTree::Punct(punct)) if punct.as_char() == character)
}

/// Whether `::` stands here.
fn is_separator(tokens: &[TokenTree], at: usize) -> bool {
    is_punct(tokens, at, ':') && is_punct(tokens, at + 1, ':')
}

fn inside(token: &TokenTree) -> Vec<TokenTree> {
    let TokenTree::Group(group) = token else { return vec![] };
    group.stream().into_iter().collect()
}

fn is_braces(token: Option<&TokenTree>) -> bool {
    matches!(token, Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace)
}

fn is_inline_module(tokens: &[TokenTree], at: usize) -> bool {
    matches!(tokens.get(at + 1), Some(TokenTree::Ident(_))) && is_braces(tokens.get(at + 2))
}

/// Whether `#[cfg(test)]` stands here, alone or as one condition of several.
fn is_test_attribute(tokens: &[TokenTree], at: usize) -> bool {
    let Some(attribute) = tokens.get(at + 1).filter(|_| is_punct(tokens, at, '#')) else { return false };
    let attribute = inside(attribute);
    let is_cfg = attribute.first().is_some_and(|word| word.to_string() == "cfg");
    is_cfg && attribute.get(1).is_some_and(|condition| holds_word(condition, "test"))
}

fn holds_word(token: &TokenTree, word: &str) -> bool {
    match token {
        TokenTree::Ident(ident) => ident == word,
        TokenTree::Group(_) => inside(token).iter().any(|token| holds_word(token, word)),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    }
}

/// The index after the item that stands behind this attribute; a child module among them is noted.
fn skip_test_item(tokens: &[TokenTree], at: usize, found: &mut Mentions) -> usize {
    let mut at = at + 2;
    while is_punct(tokens, at, '#') {
        at += 2;
    }
    let is_word = |at: usize, word: &str| tokens.get(at).is_some_and(|token| token.to_string() == word);
    while at < tokens.len() {
        if is_word(at, "use") {
            return end_of_statement(tokens, at);
        }
        if is_word(at, "mod")
            && let Some(name) = tokens.get(at + 1)
        {
            found.test_modules.push(name.to_string());
        }
        let ends_here = is_punct(tokens, at, ';') || is_braces(tokens.get(at));
        at += 1;
        if ends_here {
            return at;
        }
    }
    at
}

fn end_of_statement(tokens: &[TokenTree], at: usize) -> usize {
    (at..tokens.len()).find(|at| is_punct(tokens, *at, ';')).map_or(tokens.len(), |end| end + 1)
}

/// The names of a path without braces.
fn plain_path(tokens: &[TokenTree]) -> Segments {
    let mut path = vec![];
    let mut at = 0;
    while let Some(TokenTree::Ident(name)) = tokens.get(at) {
        path.push(name.to_string());
        if !is_separator(tokens, at + 1) {
            break;
        }
        at += 3;
    }
    path
}

/// Each name that a `use` brings in, with its whole path.
fn use_tree(tokens: &[TokenTree]) -> Vec<(String, Segments)> {
    let mut found = vec![];
    // A leading `::` names another crate.
    if let Ok(tree) = syn::parse2::<UseTree>(tokens.iter().cloned().collect()) {
        flatten(&tree, &mut vec![], &mut found);
    }
    found
}

fn flatten(tree: &UseTree, path: &mut Segments, found: &mut Vec<(String, Segments)>) {
    let mut leaf = |name: &str, here: &str| {
        let last = Some(name.to_owned()).filter(|name| name != "self");
        let whole: Segments = path.iter().cloned().chain(last).collect();
        let here = if here == "self" { whole.last().cloned().unwrap_or_default() } else { here.to_owned() };
        found.push((here, whole));
    };
    match tree {
        UseTree::Name(name) => leaf(&name.ident.to_string(), &name.ident.to_string()),
        UseTree::Rename(rename) => leaf(&rename.ident.to_string(), &rename.rename.to_string()),
        UseTree::Glob(_) => found.push(("*".to_owned(), path.clone())),
        UseTree::Group(group) => group.items.iter().for_each(|tree| flatten(tree, path, found)),
        UseTree::Path(step) => {
            path.push(step.ident.to_string());
            flatten(&step.tree, path, found);
            path.pop();
        }
    }
}

#[test]
fn names_are_read_from_uses_bodies_and_macros_but_not_from_tests() {
    let source = "
        use std::fmt;
        use crate::{a::{B, c::D as E}, f};
        pub use child::{self, G};
        fn h() { let _ = crate::i::J::<u8>::new(self.x, macro_call!(super::k)); }
        mod inline { use super::l; }
        #[cfg(test)] mod tests { use crate::never; }
        #[cfg(any(test, feature = \"testing\"))] pub mod testing;
        #[cfg(test)] use crate::never::{self, X};
        fn m() { #[cfg(test)] { crate::never::n() } self::o() }
    ";
    let found = mentions(source);
    let paths: Vec<String> = found
        .paths
        .iter()
        .map(|(around, path)| around.iter().chain(path).cloned().collect::<Vec<_>>().join("::"))
        .collect();
    let expected =
        ["crate::a::B", "crate::a::c::D", "crate::f", "crate::i::J", "super::k", "inline::super::l", "self::o"];
    assert_eq!(paths, expected);
    let names: Vec<&str> = found.imports.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["fmt", "B", "E", "f", "child", "G"]);
    assert_eq!(found.test_modules, ["tests", "testing"]);
}
