//! Examples of answers, made from their schemas.

use serde_json::{Map, Value, json};

/// The id in every example.
pub const ID: &str = "01890000-0000-7000-8000-000000000001";

/// The value of a property by its name; everything else follows from the type.
const TEXTS: [(&str, &str); 22] = [
    ("name", "Anna"),
    ("authorName", "Anna"),
    ("agentName", "Anna"),
    ("previousAgentName", "Ben"),
    ("email", "anna@example.com"),
    ("phone", "+49 30 1234567"),
    ("avatarUrl", "https://example.com/anna.png"),
    ("content", "I need help with my order."),
    ("clientEventId", "m-1"),
    ("color", "#CC0000"),
    ("description", "Questions before the purchase"),
    ("reason", "answered"),
    ("notes", "Sent the link to the manual."),
    ("tag", "Urgent"),
    ("type", "assigned"),
    ("status", "ok"),
    ("service", "livechatlog"),
    ("version", env!("CARGO_PKG_VERSION")),
    ("token_type", "Bearer"),
    ("access_token", "eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl"),
    ("refresh_token", "c2Vzc2lvbg.c2VjcmV0"),
    ("sessionToken", "eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl"),
];

/// Adds an example to each answer in JSON that has none.
pub fn add(document: &mut Value) {
    let schemas = document["components"]["schemas"].clone();
    let Some(paths) = document["paths"].as_object_mut() else { return };
    let operations = paths.values_mut().filter_map(Value::as_object_mut).flat_map(Map::values_mut);
    for operation in operations {
        let answers = operation["responses"].as_object_mut().into_iter().flat_map(Map::values_mut);
        for answer in answers {
            let Some(media) = answer.get_mut("content").and_then(|content| content.get_mut("application/json")) else {
                continue;
            };
            let example = of(&schemas, &media["schema"], "");
            media["example"] = example;
        }
    }
}

/// A value that the schema of a property allows.
fn of(schemas: &Value, schema: &Value, property: &str) -> Value {
    if let Some(target) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        return of(schemas, &schemas[target], property);
    }
    if let Some(names) = schema["enum"].as_array() {
        return names[0].clone();
    }
    let choices = schema["oneOf"].as_array().or_else(|| schema["anyOf"].as_array());
    if let Some(choice) = choices.into_iter().flatten().find(|choice| choice["type"] != "null") {
        return of(schemas, choice, property);
    }
    match kind(schema) {
        // The last page.
        _ if property == "nextCursor" => Value::Null,
        "object" => object(schemas, schema),
        "array" => json!([of(schemas, &schema["items"], property)]),
        "integer" | "number" => number(schema),
        "boolean" => json!(true),
        "string" => text(schema, property),
        _ => Value::Null,
    }
}

fn kind(schema: &Value) -> &str {
    let names = schema["type"].as_array();
    let other = names.into_iter().flatten().filter_map(Value::as_str).find(|name| *name != "null");
    schema["type"].as_str().or(other).unwrap_or_default()
}

fn object(schemas: &Value, schema: &Value) -> Value {
    let properties = schema["properties"].as_object().into_iter().flatten();
    properties.map(|(name, property)| (name.clone(), of(schemas, property, name))).collect::<Map<_, _>>().into()
}

fn number(schema: &Value) -> Value {
    let least = schema["minimum"].as_i64().unwrap_or_default();
    json!(least.max(1))
}

fn text(schema: &Value, property: &str) -> Value {
    json!(match schema["format"].as_str() {
        Some("uuid") => ID,
        Some("date-time") => "2026-01-05T09:30:00.000000Z",
        Some("date") => "2026-01-05",
        _ => TEXTS.iter().find(|(name, _)| *name == property).map_or("text", |(_, text)| *text),
    })
}
