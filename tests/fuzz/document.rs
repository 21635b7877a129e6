//! What the OpenAPI document says can be called.

use reqwest::Method;
use serde_json::Value;

/// An operation of the document.
#[derive(Debug)]
pub struct Operation {
    /// Its `operationId`.
    pub id: &'static str,
    pub method: Method,
    /// The path with names in braces.
    pub path: &'static str,
    pub parameters: Vec<Parameter>,
    /// The schema of the JSON that it takes.
    pub body: Option<&'static Value>,
    /// The media type of its answer.
    pub accept: &'static str,
    /// The word of `x-required-role`.
    pub least_role: &'static str,
}

/// A parameter of an operation.
#[derive(Debug)]
pub struct Parameter {
    pub name: &'static str,
    /// `path`, `query` or `header`.
    pub place: &'static str,
    pub schema: &'static Value,
}

/// All operations, in the document's order.
pub fn operations() -> Vec<Operation> {
    let paths = api::rest::document()["paths"].as_object().expect("the document has paths");
    let of_path = |(path, methods): (&'static String, &'static Value)| {
        let methods = methods.as_object().expect("a path has methods");
        methods.iter().map(move |(method, operation)| read(path, method, operation))
    };
    paths.iter().flat_map(of_path).collect()
}

fn read(path: &'static str, method: &str, operation: &'static Value) -> Operation {
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    Operation {
        id: text(&operation["operationId"]),
        method: method.to_uppercase().parse().expect("a method of HTTP"),
        path,
        parameters: parameters.map(parameter).collect(),
        body: operation["requestBody"]["content"].get("application/json").map(|media| &media["schema"]),
        accept: answer(&operation["responses"]),
        least_role: text(&operation["x-required-role"]),
    }
}

fn answer(responses: &'static Value) -> &'static str {
    let media = responses["200"]["content"].as_object().and_then(|content| content.keys().next());
    media.map_or("application/json", String::as_str)
}

fn parameter(value: &'static Value) -> Parameter {
    let value = resolve(value);
    Parameter { name: text(&value["name"]), place: text(&value["in"]), schema: &value["schema"] }
}

fn text(value: &'static Value) -> &'static str {
    value.as_str().expect("the document has a text here")
}

/// What a `$ref` refers to; other values are returned as they are.
pub fn resolve(value: &'static Value) -> &'static Value {
    let pointer = value["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
    pointer.map_or(value, |pointer| api::rest::document().pointer(pointer).expect("references lead somewhere"))
}
