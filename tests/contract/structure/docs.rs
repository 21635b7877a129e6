//! Public traits, their functions and public types have doc comments, and no doc comment is filler.

use quote::ToTokens;
use syn::{Attribute, Expr, Fields, ImplItem, Item, ItemTrait, Lit, Meta, TraitItem, Visibility};

use super::comments::repeats;
use super::sources::{CRATES, sources_of};

/// Something that has a doc comment or should have one.
struct Documented {
    /// The name, and the names around it that a reader sees at the same time.
    names: Vec<String>,
    comment: Option<String>,
    is_required: bool,
}

impl Documented {
    fn new(attributes: &[Attribute], is_required: bool, names: &[&str]) -> Self {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        Self { names, comment: comment_of(attributes), is_required }
    }

    fn defect(&self) -> Option<String> {
        let names: Vec<&str> = self.names.iter().map(String::as_str).collect();
        match &self.comment {
            None if self.is_required => Some(format!("{} has no doc comment", names[0])),
            Some(comment) if repeats(comment, &names) => Some(format!("{} is only called again: {comment}", names[0])),
            None | Some(_) => None,
        }
    }
}

fn comment_of(attributes: &[Attribute]) -> Option<String> {
    let lines: Vec<String> = attributes.iter().filter_map(doc_line).collect();
    (!lines.is_empty()).then(|| lines.join(" ").trim().to_owned())
}

fn doc_line(attribute: &Attribute) -> Option<String> {
    let Meta::NameValue(meta) = &attribute.meta else { return None };
    let Expr::Lit(value) = &meta.value else { return None };
    let Lit::Str(text) = &value.lit else { return None };
    meta.path.is_ident("doc").then(|| text.value())
}

fn is_test(attributes: &[Attribute]) -> bool {
    let condition = |attribute: &Attribute| match &attribute.meta {
        Meta::List(list) if list.path.is_ident("cfg") => Some(list.tokens.to_string()),
        Meta::List(_) | Meta::Path(_) | Meta::NameValue(_) => None,
    };
    attributes.iter().filter_map(condition).any(|condition| condition.split(' ').any(|word| word.contains("test")))
}

const fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

fn read(items: &[Item], found: &mut Vec<Documented>) {
    for item in items {
        read_item(item, found);
    }
}

fn read_item(item: &Item, found: &mut Vec<Documented>) {
    let mut note = |attributes: &[Attribute], is_required, name: &syn::Ident| {
        found.push(Documented::new(attributes, is_required, &[&name.to_string()]));
    };
    match item {
        Item::Struct(item) if !is_test(&item.attrs) => {
            note(&item.attrs, is_public(&item.vis), &item.ident);
            read_fields(&item.fields, found);
        }
        Item::Enum(item) if !is_test(&item.attrs) => {
            note(&item.attrs, is_public(&item.vis), &item.ident);
            for variant in &item.variants {
                let names = [variant.ident.to_string(), item.ident.to_string()];
                found.push(Documented::new(&variant.attrs, false, &[&names[0], &names[1]]));
                read_fields(&variant.fields, found);
            }
        }
        Item::Trait(item) if !is_test(&item.attrs) => read_trait(item, found),
        Item::Type(item) => note(&item.attrs, is_public(&item.vis), &item.ident),
        Item::Fn(item) if !is_test(&item.attrs) => note(&item.attrs, false, &item.sig.ident),
        Item::Const(item) => note(&item.attrs, false, &item.ident),
        Item::Mod(item) if !is_test(&item.attrs) => {
            read(item.content.as_ref().map_or(&[], |(_, items)| items.as_slice()), found);
        }
        Item::Impl(item) if !is_test(&item.attrs) => {
            let owner = item.self_ty.to_token_stream().to_string();
            for item in &item.items {
                if let ImplItem::Fn(function) = item {
                    let names = [function.sig.ident.to_string(), owner.clone()];
                    found.push(Documented::new(&function.attrs, false, &[&names[0], &names[1]]));
                }
            }
        }
        _ => {}
    }
}

fn read_trait(item: &ItemTrait, found: &mut Vec<Documented>) {
    let is_required = is_public(&item.vis);
    let name = item.ident.to_string();
    found.push(Documented::new(&item.attrs, is_required, &[&name]));
    for part in &item.items {
        if let TraitItem::Fn(function) = part {
            let names = [function.sig.ident.to_string(), name.clone()];
            found.push(Documented::new(&function.attrs, is_required, &[&names[0], &names[1]]));
        }
    }
}

fn read_fields(fields: &Fields, found: &mut Vec<Documented>) {
    for field in fields {
        let name = field.ident.as_ref().map_or_else(String::new, ToString::to_string);
        let of_type = field.ty.to_token_stream().to_string();
        found.push(Documented::new(&field.attrs, false, &[&name, &of_type]));
    }
}

fn defects(text: &str) -> Vec<String> {
    let file = syn::parse_file(text).expect("production sources are Rust");
    let mut found = vec![];
    if !is_test(&file.attrs) {
        read(&file.items, &mut found);
    }
    found.iter().filter_map(Documented::defect).collect()
}

fn defects_of(name: &str) -> Vec<String> {
    let is_production = |module: &[String]| !module.iter().any(|part| part.contains("test"));
    let sources = sources_of(name).into_iter().filter(|source| is_production(&source.module));
    let named = |module: &[String], defect: &String| format!("{name}::{}: {defect}", module.join("::"));
    sources
        .flat_map(|source| defects(&source.text).iter().map(|defect| named(&source.module, defect)).collect::<Vec<_>>())
        .collect()
}

#[test]
fn public_types_and_traits_say_what_they_are_for() {
    let found: Vec<String> = CRATES.iter().flat_map(|name| defects_of(name)).collect();
    assert!(found.is_empty(), "{} comments:\n{}", found.len(), found.join("\n"));
}

#[test]
fn missing_and_empty_comments_are_found() {
    let source = "
        pub struct Bare { pub silent: u8 }
        struct Private;
        /// The agent's status.
        pub enum AgentStatus { /// Online.
            Online, /// Away from the desk.
            Away }
        /// Finds agents.
        pub trait Finder { fn find(&self); /// Lists the online ones first.
            fn list(&self); }
        /// When a chat began.
        pub struct Start { /// When.
            at: Timestamp }
        impl Start { /// The start.
            fn start(&self) {} }
        #[cfg(test)] pub struct OfTests;
        #[cfg(test)] mod tests { pub struct OfTests; }
    ";
    let names: Vec<String> =
        defects(source).iter().map(|defect| defect.split(' ').next().unwrap().to_owned()).collect();
    assert_eq!(names, ["Bare", "AgentStatus", "Online", "find", "at", "start"]);
}
