//! The GraphQL schema: complete, checked in, and not changed by accident.

use std::collections::BTreeSet;

use api::graphql::table::{FIELDS, LEFT_OUT};
use api::rest::endpoints;

use crate::layout::root;

/// The names of the fields of a type of the schema.
fn fields_of(name: &str, sdl: &str) -> BTreeSet<String> {
    let begin = format!("type {name} {{");
    let body = sdl.split_once(&begin).unwrap().1.split_once("\n}").unwrap().0;
    let mut documented = false;
    let mut found = BTreeSet::new();
    let mut depth = 0_i32;
    for line in body.lines().map(str::trim) {
        let quotes = line.matches("\"\"\"").count();
        if quotes > 0 || documented {
            documented ^= quotes % 2 == 1;
            continue;
        }
        if depth == 0
            && let Some(end) = line.find(['(', ':'])
        {
            found.insert(line[..end].to_owned());
        }
        let count = |sign| i32::try_from(line.matches(sign).count()).unwrap();
        depth += count('(') - count(')');
    }
    found
}

#[test]
fn schema_that_is_checked_in_is_that_of_the_program() {
    let checked_in = root().join("docs/schema.graphql");
    if std::env::var("UPDATE_SCHEMA").is_ok() {
        std::fs::write(&checked_in, api::graphql::sdl()).unwrap();
    }
    let found = std::fs::read_to_string(checked_in).unwrap();
    assert!(
        found == api::graphql::sdl(),
        "livechatlog graphql-schema > docs/schema.graphql, and name breaking changes in the changelog"
    );
}

#[test]
fn every_action_of_rest_is_a_field_or_left_out_for_a_reason() {
    let served: BTreeSet<_> = endpoints().into_iter().map(|endpoint| endpoint.action).collect();
    let here: BTreeSet<_> = FIELDS.iter().map(|(_, action)| *action).collect();
    let left_out: BTreeSet<_> = LEFT_OUT.iter().map(|(action, _)| *action).collect();
    let missing: Vec<_> = served.iter().filter(|action| !here.contains(action) && !left_out.contains(action)).collect();
    assert!(missing.is_empty(), "GraphQL does not have {missing:?}");
    assert!(here.is_subset(&served), "REST does not have {:?}", here.difference(&served));
    assert!(here.is_disjoint(&left_out), "{:?} are not left out", here.intersection(&left_out));
    assert!(LEFT_OUT.iter().all(|(_, reason)| reason.len() > 20));
}

#[test]
fn table_of_fields_is_that_of_the_schema() {
    let sdl = api::graphql::sdl();
    let mut of_schema = fields_of("Query", &sdl);
    of_schema.extend(fields_of("Mutation", &sdl));
    let of_table: BTreeSet<_> = FIELDS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(of_schema, of_table);
    assert_eq!(of_table.len(), FIELDS.len(), "a field stands twice");
}
