//! Rewrites schemas into forms that generators of clients understand; what they allow stays the same.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::responses::capitalized;

/// The keys of a schema that hold schemas by name, in a list, and alone.
const BY_NAME: [&str; 2] = ["properties", "$defs"];
const LISTS: [&str; 4] = ["oneOf", "anyOf", "allOf", "prefixItems"];
const ALONE: [&str; 2] = ["items", "additionalProperties"];

/// Rewrites all schemas of a document, and removes those that nothing refers to.
pub fn rewrite(document: &mut Value) {
    each_schema(document, &mut simplify);
    let schemas = document["components"]["schemas"].as_object_mut();
    let named: Vec<_> = schemas.into_iter().flatten().flat_map(|(name, schema)| name_branches(name, schema)).collect();
    if let Some(schemas) = document["components"]["schemas"].as_object_mut() {
        schemas.extend(named);
    }
    while remove_unused(document) {}
}

/// Calls `act` with each schema of a document, inner ones first.
pub fn each_schema(document: &mut Value, act: &mut impl FnMut(&mut Map<String, Value>)) {
    for schema in document["components"]["schemas"].as_object_mut().into_iter().flat_map(Map::values_mut) {
        walk(schema, act);
    }
    for part in ["paths", "components"] {
        each_use(&mut document[part], act);
    }
}

/// Calls `act` with the schemas of parameters, headers and bodies.
fn each_use(value: &mut Value, act: &mut impl FnMut(&mut Map<String, Value>)) {
    match value {
        Value::Object(members) => {
            for (name, member) in members.iter_mut().filter(|(name, _)| !name.starts_with("example")) {
                if name == "schema" { walk(member, act) } else { each_use(member, act) }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| each_use(item, act)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn walk(schema: &mut Value, act: &mut impl FnMut(&mut Map<String, Value>)) {
    let Value::Object(schema) = schema else { return };
    for key in BY_NAME {
        schema.get_mut(key).and_then(Value::as_object_mut).into_iter().flatten().for_each(|(_, one)| walk(one, act));
    }
    for key in LISTS {
        schema.get_mut(key).and_then(Value::as_array_mut).into_iter().flatten().for_each(|one| walk(one, act));
    }
    for key in ALONE {
        schema.get_mut(key).into_iter().for_each(|one| walk(one, act));
    }
    act(schema);
}

fn simplify(schema: &mut Map<String, Value>) {
    name_constant(schema);
    join_names(schema);
    split_null(schema);
    if of_type(schema, "object") && !schema.contains_key("properties") {
        // Without it, openapi-typescript takes the object for one that is always empty.
        schema.entry("additionalProperties").or_insert(json!(true));
    }
    if of_type(schema, "integer") && !schema.contains_key("enum") {
        // Mocks would answer with negative counts. No number of this API is negative.
        schema.entry("minimum").or_insert(json!(0));
    }
    if schema.get("format").is_some_and(|format| format == "date-time") {
        // Libraries that parse times cannot compare them with a pattern for texts.
        schema.remove("pattern");
    }
}

fn of_type(schema: &Map<String, Value>, name: &str) -> bool {
    let types = schema.get("type");
    types.is_some_and(|one| one == name || one.as_array().is_some_and(|names| names.contains(&json!(name))))
}

/// A constant becomes an enum of one name.
fn name_constant(schema: &mut Map<String, Value>) {
    let Some(value) = schema.remove("const") else { return };
    if value.is_string() {
        schema.insert("type".to_owned(), json!("string"));
    }
    schema.insert("enum".to_owned(), json!([value]));
}

/// A choice between names becomes one enum; the descriptions of the names move into its own.
fn join_names(schema: &mut Map<String, Value>) {
    let Some(branches) = schema.get("oneOf").and_then(Value::as_array) else { return };
    if !branches.iter().all(|branch| branch["type"] == "string" && branch["enum"].is_array()) {
        return;
    }
    let names: Vec<_> = branches.iter().filter_map(|branch| branch["enum"].as_array()).flatten().cloned().collect();
    let about = |branch: &Value| {
        let (name, text) = (branch["enum"][0].as_str()?, branch["description"].as_str()?);
        Some(format!("`{name}`: {text}"))
    };
    let lines = schema.get("description").and_then(Value::as_str).map(str::to_owned).into_iter();
    let lines: Vec<_> = lines.chain(branches.iter().filter_map(about)).collect();
    schema.remove("oneOf");
    schema.insert("type".to_owned(), json!("string"));
    schema.insert("enum".to_owned(), json!(names));
    if !lines.is_empty() {
        schema.insert("description".to_owned(), json!(lines.join("\n\n")));
    }
}

/// An enum that includes null becomes the enum, or null.
fn split_null(schema: &mut Map<String, Value>) {
    let includes_null = schema.get("enum").and_then(Value::as_array).is_some_and(|names| names.contains(&Value::Null));
    if !includes_null {
        return;
    }
    let Some(Value::Array(mut names)) = schema.remove("enum") else { return };
    names.retain(|name| !name.is_null());
    schema.remove("type");
    schema.insert("anyOf".to_owned(), json!([{ "type": "string", "enum": names }, { "type": "null" }]));
}

/// Gives a name to each branch of a choice between objects, and returns them. A branch is named after its schema and the
/// one name that its first property with an enum of one has: generators make up names otherwise, and other ones each time.
fn name_branches(name: &str, schema: &mut Value) -> Vec<(String, Value)> {
    let branches = schema.get_mut("oneOf").and_then(Value::as_array_mut).into_iter().flatten();
    let mut named = vec![];
    for branch in branches.filter(|branch| branch["properties"].is_object()) {
        let Some(kind) = kind_of(branch) else { continue };
        let name = format!("{name}{}", kind.split('_').map(capitalized).collect::<String>());
        let reference = json!({ "$ref": format!("#/components/schemas/{name}") });
        named.push((name, std::mem::replace(branch, reference)));
    }
    named
}

fn kind_of(branch: &Value) -> Option<String> {
    let properties = branch["properties"].as_object()?;
    let names = properties.values().filter_map(|property| property["enum"].as_array());
    names.filter(|names| names.len() == 1).find_map(|names| names[0].as_str()).map(str::to_owned)
}

/// Removes the schemas that nothing refers to, and returns whether there were any.
fn remove_unused(document: &mut Value) -> bool {
    let mut used = BTreeSet::new();
    references(document, &mut used);
    let Some(schemas) = document["components"]["schemas"].as_object_mut() else { return false };
    let count = schemas.len();
    schemas.retain(|name, _| used.contains(&format!("#/components/schemas/{name}")));
    schemas.len() < count
}

/// The references of a document to its parts.
pub(crate) fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            found.extend(members.get("$ref").and_then(Value::as_str).map(str::to_owned));
            members.values().for_each(|member| references(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
