//! Generates a Postman collection (v2.1) from the document: a story that runs from top to bottom.

mod story;

use serde_json::{Map, Value, json};

use story::{Save, Step};

pub use story::story;

const SCHEMA: &str = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json";

const ABOUT: &str = "Generated from the OpenAPI document by `livechatlog openapi --postman`. Set adminEmail and adminPassword, then run the \
collection from top to bottom. Variables of the collection keep the tokens of the log-in and the ids of created \
resources.";

/// The collection.
#[must_use]
pub fn postman(document: &Value) -> Value {
    let chapters = story();
    let names = chapters.iter().flat_map(|(_, steps)| steps).flat_map(|step| &step.saves);
    let saved = names.map(|save| json!({ "key": save.variable, "value": "" }));
    let mut variables = vec![
        json!({ "key": "baseUrl", "value": "http://127.0.0.1:3000" }),
        json!({ "key": "adminEmail", "value": "admin@localhost" }),
        json!({ "key": "adminPassword", "value": "" }),
    ];
    for variable in saved {
        if !variables.contains(&variable) {
            variables.push(variable);
        }
    }
    let folders = chapters.iter().map(|(name, steps)| {
        let items: Vec<_> = steps.iter().filter_map(|step| item(document, step)).collect();
        json!({ "name": name, "item": items })
    });
    json!({
        "info": { "name": "LiveChatLog", "description": ABOUT, "schema": SCHEMA },
        "auth": bearer("accessToken"),
        "variable": variables,
        "item": folders.collect::<Vec<_>>(),
    })
}

/// The operation with this id: its path, its method and its documentation.
fn find<'a>(document: &'a Value, id: &str) -> Option<(&'a str, &'a str, &'a Value)> {
    let paths = document["paths"].as_object()?;
    paths.iter().find_map(|(path, methods)| {
        let (method, operation) = methods.as_object()?.iter().find(|(_, one)| one["operationId"] == id)?;
        Some((path.as_str(), method.as_str(), operation))
    })
}

fn item(document: &Value, step: &Step) -> Option<Value> {
    let (path, method, operation) = find(document, step.operation)?;
    let mut request = Map::new();
    let mut put = |name: &str, value: Value| request.insert(name.to_owned(), value);
    put("method", json!(method.to_uppercase()));
    put("description", operation["description"].clone());
    put("url", url(path, operation));
    if operation["security"] == json!([]) {
        put("auth", json!({ "type": "noauth" }));
    } else if step.visitor {
        put("auth", bearer("visitorToken"));
    }
    let example = &operation["requestBody"]["content"]["application/json"]["example"];
    let body = step.body.as_ref().or((!example.is_null()).then_some(example));
    if let Some(body) = body {
        let language = json!({ "raw": { "language": "json" } });
        put("body", json!({ "mode": "raw", "raw": format!("{body:#}"), "options": language }));
    }
    put("header", headers(body.is_some(), operation));
    let event = json!([{ "listen": "test", "script": { "type": "text/javascript", "exec": script(operation, step) } }]);
    Some(json!({ "name": operation["summary"], "request": request, "event": event, "response": [] }))
}

fn url(path: &str, operation: &Value) -> Value {
    let parts: Vec<_> = path.split('/').skip(1).collect();
    let before = |place: usize| place.checked_sub(1).and_then(|before| parts.get(before)).copied().unwrap_or_default();
    let parts: Vec<String> = (0..).zip(&parts).map(|(place, part)| segment(before(place), part)).collect();
    let optional = |parameter: &Value| {
        let value = parameter["schema"].get("default").map(ToString::to_string).unwrap_or_default();
        let description = &parameter["description"];
        json!({ "key": parameter["name"], "value": value, "description": description, "disabled": true })
    };
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let query: Vec<_> = parameters.filter(|parameter| parameter["in"] == "query").map(optional).collect();
    json!({ "raw": format!("{{{{baseUrl}}}}/{}", parts.join("/")), "host": ["{{baseUrl}}"], "path": parts, "query": query })
}

/// `{id}` after `agents` becomes `{{agentId}}`.
fn segment(before: &str, part: &str) -> String {
    match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
        Some("id") => format!("{{{{{}Id}}}}", before.trim_end_matches('s')),
        Some(name) => format!("{{{{{name}}}}}"),
        None => part.to_owned(),
    }
}

fn headers(has_body: bool, operation: &Value) -> Value {
    let mut headers = vec![];
    if has_body {
        headers.push(json!({ "key": "Content-Type", "value": "application/json" }));
    }
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    if parameters.into_iter().any(|parameter| parameter["name"] == "Idempotency-Key") {
        headers.push(json!({ "key": "Idempotency-Key", "value": "{{$guid}}", "disabled": true }));
    }
    json!(headers)
}

/// The script that checks the answer and saves its fields in variables.
fn script(operation: &Value, step: &Step) -> Vec<String> {
    let answers = operation["responses"].as_object();
    let done = answers.and_then(|answers| answers.keys().find(|status| status.starts_with('2')));
    let status = done.map_or("200", String::as_str);
    let check = format!("pm.test(\"answers {status}\", () => pm.response.to.have.status({status}));");
    let keep = |save: &Save| {
        let Save { variable, field } = save;
        format!("pm.collectionVariables.set(\"{variable}\", pm.response.json().{field});")
    };
    std::iter::once(check).chain(step.saves.iter().map(keep)).collect()
}

fn bearer(variable: &str) -> Value {
    let token = format!("{{{{{variable}}}}}");
    json!({ "type": "bearer", "bearer": [{ "key": "token", "value": token, "type": "string" }] })
}
