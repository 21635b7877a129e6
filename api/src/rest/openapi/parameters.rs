//! Parameters: those of the path by name, those of the query by the fields of its type, headers by their use.

use schemars::SchemaGenerator;
use serde_json::{Value, json};

use super::examples;
use super::operation::Doc;
use crate::rest::extract::MAX_KEY_LENGTH;
use crate::rest::route::Inputs;

/// All parameters of an endpoint.
pub fn parameters(generator: &mut SchemaGenerator, inputs: &Inputs, doc: &Doc) -> Vec<Value> {
    let mut parameters: Vec<Value> = names(doc.path).map(path).collect();
    if let Some(query) = inputs.query {
        parameters.extend(fields(query(generator).as_value()));
    }
    let mut header = |name: &str| parameters.push(json!({ "$ref": format!("#/components/parameters/{name}") }));
    if inputs.position {
        header("If-Position-At-Least");
    }
    if inputs.known_version {
        header("If-Match");
    }
    if doc.change {
        header("Prefer");
    }
    if let Some(least) = doc.key {
        parameters.push(idempotency_key(least));
    }
    parameters
}

/// The names between braces in a path.
pub fn names(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

fn path(name: &str) -> Value {
    json!({
        "name": name, "in": "path", "required": true, "schema": { "type": "string", "format": "uuid" },
        "example": examples::ID,
    })
}

fn fields(query: &Value) -> Vec<Value> {
    let required = query["required"].as_array().cloned().unwrap_or_default();
    let properties = query["properties"].as_object().cloned().unwrap_or_default();
    let parameter = |(name, schema): (String, Value)| {
        let required = required.contains(&json!(name));
        let mut schema = without_null(schema);
        let description = schema.as_object_mut().and_then(|schema| schema.remove("description"));
        let mut parameter = json!({ "name": name, "in": "query", "required": required, "schema": schema });
        if let (Some(parameter), Some(description)) = (parameter.as_object_mut(), description) {
            parameter.insert("description".to_owned(), description);
        }
        parameter
    };
    properties.into_iter().map(parameter).collect()
}

/// The schema of a parameter: what is not given is absent, never null.
fn without_null(schema: Value) -> Value {
    let Value::Object(mut schema) = schema else { return schema };
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            schema.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(names)) = schema.get_mut("enum") {
        names.retain(|name| !name.is_null());
    }
    if let Some(Value::Array(choices)) = schema.remove("anyOf") {
        for choice in choices.into_iter().filter(|choice| choice["type"] != "null") {
            for (name, value) in choice.as_object().cloned().unwrap_or_default() {
                schema.entry(name).or_insert(value);
            }
        }
    }
    Value::Object(schema)
}

fn idempotency_key(least: usize) -> Value {
    json!({
        "name": "Idempotency-Key",
        "in": "header",
        "description": "The client's key for this change. A repeated request with the same key and body gets the first answer again.",
        "schema": {
            "type": "string", "minLength": least, "maxLength": MAX_KEY_LENGTH,
            "pattern": r"^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$",
        },
    })
}

/// The parameters that endpoints share.
pub fn components() -> Value {
    let header = |name: &str, description: &str, schema: Value| json!({ "name": name, "in": "header", "description": description, "schema": schema });
    json!({
        "If-Position-At-Least": header(
            "If-Position-At-Least",
            "Waits up to 5 s until the read models have reached this position of the log; otherwise 503.",
            json!({ "type": "integer", "format": "int64", "minimum": 0, "maximum": i64::MAX }),
        ),
        "If-Match": header(
            "If-Match",
            "The version that the client knows, in quotation marks; 412 if the current version differs. `*` matches any version.",
            json!({ "type": "string", "pattern": r#"^("(0|[1-9][0-9]{0,17})"|\*)$"# }),
        ),
        "Prefer": header(
            "Prefer",
            "`respond-async` asks for an answer as soon as the change is in the log, before reads show it.",
            json!({ "type": "string", "examples": ["respond-async"] }),
        ),
    })
}
