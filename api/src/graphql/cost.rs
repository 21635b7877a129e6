//! What a document may cost at most, found before anything of it is executed.
//!
//! The cost is the number of objects that may be returned: a list counts as often as its `first` allows, for each object
//! that holds it. The values of these objects are bounded as well, because one object may be asked for one value many times. The number of fields bounds the work of validation as well, with fragments counted wherever they are
//! spread; so a few lines that spread each other, or thousands of aliases, are refused after a short walk.

use std::collections::{HashMap, HashSet};

use async_graphql::parser::types::{
    Directive, ExecutableDocument, Field, OperationDefinition, OperationType, Selection, SelectionSet,
    VariableDefinition,
};
use async_graphql::{Name, Positioned, Value, Variables};

use crate::service::reading::DEFAULT_LIMIT;

/// The most objects that an operation may return.
pub const MAX_COST: u64 = 5_000;
/// The most fields of a document, spread fragments and directives included.
pub const MAX_FIELDS: usize = 2_000;
/// The most values that an operation may return; a text that may be long counts as 20.
pub const MAX_VALUES: u64 = 100_000;
/// What a text that may be long counts as.
const LONG: u64 = 20;
/// The deepest field, outside of the introspection.
pub const MAX_DEPTH: usize = 12;
/// The most lists of the introspection that hold each other: clients need two, and each multiplies the answer.
pub const MAX_INTROSPECTED_LISTS: usize = 2;

/// The most fields of the introspection, fragments counted wherever they are spread: clients need some 300.
pub const MAX_INTROSPECTED_FIELDS: usize = 500;

/// Lists of the roots, whose arguments say how long they may be.
const ROOT_LISTS: [&str; 8] =
    ["agents", "groups", "tags", "conversations", "threadEvents", "assignments", "queue", "auditEvents"];
/// Lists of other objects, with the argument that says how long they may be.
const LISTS: [&str; 1] = ["events"];
/// Lists that no argument bounds, with the length that they have at most or as a rule.
const OTHER_LISTS: [(&str, u64); 2] = [("candidates", 25), ("results", 100)];
/// Texts that people or programs write at length.
const LONG_TEXTS: [&str; 3] = ["content", "metadata", "payload"];
/// The lists of the introspection.
const INTROSPECTED_LISTS: [&str; 5] = ["fields", "inputFields", "interfaces", "possibleTypes", "args"];
/// The items of a page, which a document may name in both ways.
const ITEMS: [&str; 2] = ["edges", "nodes"];
/// The parts of a page that are no objects of their own.
const PARTS: [&str; 2] = ["node", "pageInfo"];

/// The cost of an operation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Cost {
    /// The objects that may be returned.
    pub objects: u64,
    /// The fields of the document.
    pub fields: usize,
    /// The fields of the root, by name.
    pub roots: Vec<String>,
}

/// Why a document is not executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum TooCostly {
    #[error("The operation may return {0} objects; {MAX_COST} are allowed. Ask for shorter lists.")]
    Objects(u64),
    #[error("The operation may return {0} values; {MAX_VALUES} are allowed. Ask for shorter lists or fewer fields.")]
    Values(u64),
    #[error("The document has more than {MAX_FIELDS} fields.")]
    Fields,
    #[error("The fields are more than {MAX_DEPTH} levels deep.")]
    Depth,
    #[error(
        "The introspection has an alias, more than {MAX_INTROSPECTED_FIELDS} fields, or more than {MAX_INTROSPECTED_LISTS} \
         lists that hold each other."
    )]
    Introspection,
    #[error("The fragment spreads itself.")]
    Circle,
    // The library would make the change twice.
    #[error("The mutation has two changes of one name: give each an alias of its own.")]
    Repeated,
}

impl TooCostly {
    /// The code that clients get.
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::Repeated => super::errors::INVALID,
            Self::Objects(_) | Self::Values(_) | Self::Fields | Self::Depth | Self::Introspection | Self::Circle => {
                super::errors::TOO_COSTLY
            }
        }
    }
}

/// A variable without a value.
struct NoValue;

/// Weighs the operations of a document: the fields of all of them, and the objects of the one that is wanted.
pub(super) fn weigh(
    document: &ExecutableDocument,
    operation_name: Option<&str>,
    variables: &Variables,
) -> Result<Cost, TooCostly> {
    let mut cost = Cost::default();
    for (name, operation) in document.operations.iter() {
        let operation = &operation.node;
        let is_wanted = operation_name.is_none_or(|wanted| name.is_none_or(|name| name.as_str() == wanted));
        let mut walk = Walk::new(document, operation, variables);
        walk.fields = cost.fields;
        walk.directives(&operation.directives)?;
        walk.selections(&operation.selection_set.node, Place::ROOT)?;
        cost.fields = walk.fields;
        if is_wanted && operation.ty == OperationType::Mutation && walk.repeats {
            return Err(TooCostly::Repeated);
        }
        if is_wanted {
            (cost.objects, cost.roots) = (walk.objects, walk.roots);
        }
    }
    // Fragments that nothing spreads are validated as well.
    for fragment in document.fragments.values() {
        let mut walk = Walk::default_of(document, variables);
        walk.fields = cost.fields;
        walk.own_fields(&fragment.node.selection_set.node)?;
        cost.fields = walk.fields;
    }
    Ok(cost)
}

/// The type of the wanted operation; none if the document does not have it.
pub(super) fn type_of(document: &ExecutableDocument, operation_name: Option<&str>) -> Option<OperationType> {
    let mut operations = document.operations.iter();
    let found = match operation_name {
        Some(wanted) => operations.find(|(name, _)| name.is_some_and(|name| name.as_str() == wanted)),
        None => operations.next().filter(|_| operations.next().is_none()),
    };
    found.map(|(_, operation)| operation.node.ty)
}

/// A variable that the wanted operation needs and does not get. The library would notice it only at the field that uses it,
/// when others are executed already.
pub(super) fn missing_variable(
    document: &ExecutableDocument,
    operation_name: Option<&str>,
    variables: &Variables,
) -> Option<String> {
    let mut operations = document.operations.iter();
    let is_wanted = |name: Option<&Name>| operation_name.is_none_or(|wanted| name.is_some_and(|name| name == wanted));
    let (_, operation) = operations.find(|(name, _)| is_wanted(*name))?;
    let is_given = |name: &Name| variables.get(name).is_some_and(|value| *value != Value::Null);
    let missing = operation.node.variable_definitions.iter().map(|definition| &definition.node).find(|definition| {
        !definition.var_type.node.nullable && definition.default_value.is_none() && !is_given(&definition.name.node)
    });
    missing.map(|definition| definition.name.node.to_string())
}

/// Where in the document a field stands.
#[derive(Clone, Copy)]
struct Place {
    depth: usize,
    /// How many objects hold it.
    times: u64,
    /// How many items the page has in which it stands; 1 outside of pages.
    length: u64,
    /// The lists of the introspection around it; none outside of the introspection.
    introspected: Option<usize>,
}

impl Place {
    const ROOT: Self = Self { depth: 0, times: 1, length: 1, introspected: None };
}

struct Walk<'a> {
    document: &'a ExecutableDocument,
    defaults: HashMap<&'a str, &'a Value>,
    variables: &'a Variables,
    fields: usize,
    objects: u64,
    values: u64,
    roots: Vec<String>,
    /// The names of the root's fields in the answer, and whether one is there twice.
    keys: HashSet<&'a str>,
    repeats: bool,
    introspected: usize,
    /// The fragments that are being spread.
    spread: Vec<&'a Name>,
}

impl<'a> Walk<'a> {
    fn default_of(document: &'a ExecutableDocument, variables: &'a Variables) -> Self {
        let (defaults, roots, spread, keys) = (HashMap::new(), vec![], vec![], HashSet::new());
        let (fields, objects, values, repeats, introspected) = (0, 0, 0, false, 0);
        Self { document, defaults, variables, fields, objects, values, roots, keys, repeats, introspected, spread }
    }

    fn new(document: &'a ExecutableDocument, operation: &'a OperationDefinition, variables: &'a Variables) -> Self {
        let definitions = operation.variable_definitions.iter();
        let default = |definition: &'a Positioned<VariableDefinition>| {
            Some((definition.node.name.node.as_str(), definition.node.default_value()?))
        };
        Self { defaults: definitions.filter_map(default).collect(), ..Self::default_of(document, variables) }
    }

    fn count(&mut self, number: usize) -> Result<(), TooCostly> {
        self.fields += number;
        if self.fields > MAX_FIELDS { Err(TooCostly::Fields) } else { Ok(()) }
    }

    fn directives(&mut self, directives: &[Positioned<Directive>]) -> Result<(), TooCostly> {
        self.count(directives.len())
    }

    fn selections(&mut self, set: &'a SelectionSet, place: Place) -> Result<(), TooCostly> {
        for selection in &set.items {
            self.directives(selection.node.directives())?;
            match &selection.node {
                Selection::Field(field) => self.field(&field.node, place)?,
                Selection::InlineFragment(fragment) => {
                    self.count(1)?;
                    self.selections(&fragment.node.selection_set.node, place)?;
                }
                Selection::FragmentSpread(spread) => self.spread(&spread.node.fragment_name.node, place)?,
            }
        }
        Ok(())
    }

    fn spread(&mut self, name: &'a Name, place: Place) -> Result<(), TooCostly> {
        // A spread without fields is work, too.
        self.count(1)?;
        if self.spread.contains(&name) {
            return Err(TooCostly::Circle);
        }
        // The validation names a fragment that there is not.
        let Some(fragment) = self.document.fragments.get(name) else { return Ok(()) };
        self.spread.push(name);
        self.selections(&fragment.node.selection_set.node, place)?;
        self.spread.pop();
        Ok(())
    }

    fn field(&mut self, field: &'a Field, place: Place) -> Result<(), TooCostly> {
        self.count(1)?;
        let name = field.name.node.as_str();
        if place.depth == 0 {
            self.roots.push(name.to_owned());
            self.repeats |= !self.keys.insert(field.response_key().node.as_str());
        }
        let introspected = introspected(name, place)?;
        if introspected.is_some() {
            self.count_introspected(field)?;
        }
        let depth = place.depth + 1;
        if introspected.is_none() && depth > MAX_DEPTH {
            return Err(TooCostly::Depth);
        }
        if field.selection_set.node.items.is_empty() {
            return self.add_value(name, place);
        }
        let inside = self.inside(field, place, introspected.is_some());
        if self.objects > MAX_COST {
            return Err(TooCostly::Objects(self.objects));
        }
        self.selections(&field.selection_set.node, Place { depth, introspected, ..inside })
    }

    /// An alias would repeat what the introspection says of each type.
    fn count_introspected(&mut self, field: &Field) -> Result<(), TooCostly> {
        self.introspected += 1;
        let is_too_much = field.alias.is_some() || self.introspected > MAX_INTROSPECTED_FIELDS;
        if is_too_much { Err(TooCostly::Introspection) } else { Ok(()) }
    }

    fn add_value(&mut self, name: &str, place: Place) -> Result<(), TooCostly> {
        let weight = if LONG_TEXTS.contains(&name) { LONG } else { 1 };
        self.values = self.values.saturating_add(place.times.saturating_mul(weight));
        if self.values > MAX_VALUES { Err(TooCostly::Values(self.values)) } else { Ok(()) }
    }

    /// How often the fields of a field may be returned. Its objects are added to the cost.
    fn inside(&mut self, field: &Field, place: Place, is_introspected: bool) -> Place {
        let name = field.name.node.as_str();
        if is_introspected || PARTS.contains(&name) {
            return place;
        }
        if place.depth == 0 && ROOT_LISTS.contains(&name) {
            return Place { length: self.length(field), ..place };
        }
        let other = OTHER_LISTS.iter().find(|(list, _)| *list == name).map(|(_, length)| *length);
        let length = match other {
            _ if ITEMS.contains(&name) => place.length,
            Some(length) => length,
            None if LISTS.contains(&name) => self.length(field),
            None => 1,
        };
        let times = place.times.saturating_mul(length);
        self.objects = self.objects.saturating_add(times);
        Place { times, length: 1, ..place }
    }

    /// The most items of a list. What is no number is refused later, by the list.
    fn length(&self, field: &Field) -> u64 {
        let given = ["first", "last"].into_iter().find_map(|name| field.get_argument(name));
        let given = given.and_then(|value| value.node.clone().into_const_with(|name| self.variable(&name)).ok());
        let number = given.and_then(|value| if let Value::Number(number) = value { number.as_u64() } else { None });
        number.unwrap_or_else(|| DEFAULT_LIMIT.into())
    }

    fn variable(&self, name: &Name) -> Result<Value, NoValue> {
        let value = self.variables.get(name).or_else(|| self.defaults.get(name.as_str()).copied());
        value.cloned().ok_or(NoValue)
    }

    /// Counts the fields of a fragment, and not what they spread.
    fn own_fields(&mut self, set: &SelectionSet) -> Result<(), TooCostly> {
        for selection in &set.items {
            self.count(1)?;
            self.directives(selection.node.directives())?;
            match &selection.node {
                Selection::Field(field) => self.own_fields(&field.node.selection_set.node)?,
                Selection::InlineFragment(fragment) => self.own_fields(&fragment.node.selection_set.node)?,
                Selection::FragmentSpread(_) => {}
            }
        }
        Ok(())
    }
}

/// The lists of the introspection around the fields of a field; none outside of the introspection.
fn introspected(name: &str, place: Place) -> Result<Option<usize>, TooCostly> {
    let begins = place.depth == 0 && ["__schema", "__type"].contains(&name);
    let Some(lists) = place.introspected.or_else(|| begins.then_some(0)) else { return Ok(None) };
    let lists = lists + usize::from(INTROSPECTED_LISTS.contains(&name));
    if lists > MAX_INTROSPECTED_LISTS { Err(TooCostly::Introspection) } else { Ok(Some(lists)) }
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;
    use serde_json::json;

    use super::*;

    fn cost_with(document: &str, variables: serde_json::Value) -> Result<Cost, TooCostly> {
        weigh(&parse_query(document).unwrap(), None, &Variables::from_json(variables))
    }

    fn cost(document: &str) -> Result<u64, TooCostly> {
        cost_with(document, json!({})).map(|cost| cost.objects)
    }

    #[test]
    fn list_counts_as_often_as_it_may_be_long_for_each_object_around_it() {
        assert_eq!(cost("{ me { id } }"), Ok(1));
        assert_eq!(cost("{ tags { nodes { id } pageInfo { hasNextPage } } }"), Ok(25));
        assert_eq!(cost("{ conversations(first: 10) { nodes { visitor { id } tags { id } } } }"), Ok(30));
        let nested = "{ conversations(first: 10) { nodes { events(last: 5) { content } } } }";
        assert_eq!(cost(nested), Ok(10 + 50));
    }

    #[test]
    fn variables_and_their_defaults_count_like_numbers() {
        let document = "query ($n: Int = 3) { agents(first: $n) { nodes { id } } }";
        assert_eq!(cost(document), Ok(3));
        assert_eq!(cost_with(document, json!({ "n": 50 })).unwrap().objects, 50);
    }

    #[test]
    fn operation_that_may_return_too_much_is_refused() {
        let document = "{ conversations(first: 100) { nodes { events(last: 100) { id } } } }";
        assert_eq!(cost(document), Err(TooCostly::Objects(10_100)));
        let twice = "{ tags(first: 100) { a: nodes { id } b: nodes { id } edges { node { id } } } }";
        assert_eq!(cost(twice), Ok(300));
        let candidates = "{ assignments(conversationId: 1, first: 100) { nodes { candidates { name } } } }";
        assert_eq!(cost(candidates), Ok(100 + 2_500));
        assert_eq!(cost("{ agents(first: 9999999999999999999999) { nodes { id } } }"), Ok(25));
        assert!(matches!(cost("{ agents(first: 18446744073709551615) { nodes { id } } }"), Err(TooCostly::Objects(_))));
    }

    #[test]
    fn values_count_for_each_object_and_long_texts_more() {
        let fields = |number: usize, name: &str| (0..number).map(|n| format!("a{n}: {name} ")).collect::<String>();
        let page = |number, name| format!("{{ agents(first: 100) {{ nodes {{ {} }} }} }}", fields(number, name));
        assert!(cost(&page(1_000, "id")).is_ok());
        assert_eq!(cost(&page(1_001, "id")), Err(TooCostly::Values(100_100)));
        assert_eq!(cost(&page(51, "content")), Err(TooCostly::Values(102_000)));
        let inbox =
            "{ conversations(first: 100) { nodes { id tags { id name } events(last: 20) { id content createdAt } } } }";
        assert!(cost(inbox).is_ok());
    }

    #[test]
    fn mutation_that_names_two_changes_alike_is_refused() {
        let twice = "mutation { logOut { done } ...M } fragment M on Mutation { logOut { done } }";
        assert_eq!(cost(twice), Err(TooCostly::Repeated));
        assert!(cost("mutation { logOut { done } again: logOut { done } }").is_ok());
        assert!(cost("{ me { id } me { name } }").is_ok());
    }

    #[test]
    fn aliases_count_each() {
        let aliases: String = (0..=MAX_FIELDS).map(|n| format!("a{n}: __typename ")).collect();
        assert_eq!(cost(&format!("{{ {aliases} }}")), Err(TooCostly::Fields));
    }

    #[test]
    fn fragments_count_wherever_they_are_spread() {
        let doubling: String =
            (0..40).map(|n| format!("fragment f{n} on Query {{ ...f{next} ...f{next} }} ", next = n + 1)).collect();
        let document = format!("{{ ...f0 }} {doubling} fragment f40 on Query {{ __typename }}");
        assert_eq!(cost(&document), Err(TooCostly::Fields));
        let circle = "{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }";
        assert_eq!(cost(circle), Err(TooCostly::Circle));
    }

    #[test]
    fn fragments_and_operations_that_are_not_executed_count_their_fields() {
        let fields: String = (0..=MAX_FIELDS).map(|n| format!("a{n}: id ")).collect();
        assert_eq!(cost(&format!("{{ me {{ id }} }} fragment f on Agent {{ {fields} }}")), Err(TooCostly::Fields));
        let both = format!("query A {{ me {{ id }} }} query B {{ me {{ {fields} }} }}");
        let weighed = weigh(&parse_query(both).unwrap(), Some("A"), &Variables::default());
        assert_eq!(weighed, Err(TooCostly::Fields));
    }

    #[test]
    fn depth_is_bounded_outside_of_the_introspection() {
        let deep = |levels: usize| format!("{}{}", "{ a".repeat(levels), " }".repeat(levels));
        assert!(cost(&deep(MAX_DEPTH)).is_ok());
        assert_eq!(cost(&deep(MAX_DEPTH + 1)), Err(TooCostly::Depth));
        let types = format!("{{ __schema {{ types {{ fields {{ type {} }} }} }} }}", deep(15));
        assert!(cost(&types).is_ok());
    }

    #[test]
    fn introspection_that_multiplies_is_refused() {
        for document in [
            "{ __schema { types { description again: description } } }".to_owned(),
            "{ a: __schema { types { name } } b: __schema { types { name } } }".to_owned(),
            format!("{{ __schema {{ types {{ {} }} }} }}", "description ".repeat(MAX_INTROSPECTED_FIELDS)),
        ] {
            assert_eq!(cost(&document), Err(TooCostly::Introspection), "{document}");
        }
        assert!(cost("{ __schema { types { fields { args { name } } } } }").is_ok());
        let bomb = "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }";
        assert_eq!(cost(bomb), Err(TooCostly::Introspection));
    }

    #[test]
    fn missing_variable_is_one_that_must_be_given_and_is_not() {
        let document = parse_query("query ($a: Int, $b: Int! = 1, $c: Int!) { me { id } }").unwrap();
        let missing = |json| missing_variable(&document, None, &Variables::from_json(json));
        assert_eq!(missing(json!({})), Some("c".to_owned()));
        assert_eq!(missing(json!({ "c": null })), Some("c".to_owned()));
        assert_eq!(missing(json!({ "c": 1 })), None);
    }

    #[test]
    fn wanted_operation_is_the_one_with_the_name_or_the_only_one() {
        let document = parse_query("query A { me { id } } mutation B { logOut { done } }").unwrap();
        assert_eq!(type_of(&document, Some("B")), Some(OperationType::Mutation));
        assert_eq!(type_of(&document, Some("C")), None);
        assert_eq!(type_of(&document, None), None);
        assert_eq!(type_of(&parse_query("{ me { id } }").unwrap(), None), Some(OperationType::Query));
    }
}
