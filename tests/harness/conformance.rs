//! Compares answers with the OpenAPI document, so that every test over HTTP is also a test of the document.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use jsonschema::Validator;
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use serde_json::{Value, json};

type Key = (String, String, u16);

static VALIDATORS: LazyLock<Mutex<HashMap<Key, Arc<Validator>>>> = LazyLock::new(Mutex::default);

/// The times of answers; the document does not have the pattern, which generators of clients do not understand.
const TIME: &str = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z$";

/// The schemas of the document, which allow nothing that they do not name: clients must bear new fields, but no field may
/// come that is not documented.
static SCHEMAS: LazyLock<Value> = LazyLock::new(|| {
    let mut schemas = api::rest::document()["components"]["schemas"].clone();
    close(&mut schemas);
    schemas
});

/// What does not fit. Nothing is said of paths and methods that the document does not have.
///
/// # Errors
/// Says what does not fit.
pub fn check(method: &Method, path: &str, status: u16, headers: &HeaderMap, body: &[u8]) -> Result<(), String> {
    let Some((template, operation)) = find(method, path) else { return Ok(()) };
    let answer = resolve(&operation["responses"][status.to_string()]);
    if answer.is_null() {
        return Err(format!("{method} {template} does not answer {status}"));
    }
    for (name, header) in answer["headers"].as_object().into_iter().flatten() {
        let header = resolve(header);
        if header["required"] == true && !headers.contains_key(name.as_str()) {
            return Err(format!("{method} {template} has no header {name} with {status}"));
        }
    }
    let Some(content) = answer.get("content").and_then(Value::as_object) else {
        return if body.is_empty() { Ok(()) } else { Err(format!("{method} {template} has a body with {status}")) };
    };
    let given = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = given.split(';').next().unwrap_or_default().trim();
    let Some(media) = content.get(media_type) else {
        return Err(format!("{method} {template} is not {media_type:?} with {status}"));
    };
    if !media_type.ends_with("json") {
        return Ok(());
    }
    let value = serde_json::from_slice(body).map_err(|error| format!("{method} {template}: {error}"))?;
    let validator = validator((method.to_string(), template.to_owned(), status), &media["schema"]);
    let errors: Vec<_> =
        validator.iter_errors(&value).map(|error| format!("{}: {error}", error.instance_path())).collect();
    if errors.is_empty() { Ok(()) } else { Err(format!("{method} {template} with {status}: {}", errors.join("; "))) }
}

/// The operation that a request is for.
fn find(method: &Method, path: &str) -> Option<(&'static str, &'static Value)> {
    let path = path.split('?').next().unwrap_or_default();
    let parts: Vec<_> = path.split('/').collect();
    let fits = |template: &str| {
        let names: Vec<_> = template.split('/').collect();
        names.len() == parts.len()
            && names.iter().zip(&parts).all(|(name, part)| (name.starts_with('{') && !part.is_empty()) || name == part)
    };
    let paths = api::rest::document()["paths"].as_object()?;
    let method = method.as_str().to_lowercase();
    // A literal path wins over one with a name in it.
    let fitting = paths.iter().filter(|(template, _)| fits(template));
    let (template, methods) = fitting.min_by_key(|(template, _)| template.matches('{').count())?;
    Some((template.as_str(), methods.get(method)?))
}

fn resolve(value: &'static Value) -> &'static Value {
    let pointer = value["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
    pointer.and_then(|pointer| api::rest::document().pointer(pointer)).unwrap_or(value)
}

fn validator(key: Key, schema: &Value) -> Arc<Validator> {
    let mut validators = VALIDATORS.lock().unwrap_or_else(PoisonError::into_inner);
    let build = || {
        let mut schema = schema.clone();
        close(&mut schema);
        let document = json!({ "allOf": [schema], "components": { "schemas": referred(&schema) } });
        let validator = jsonschema::draft202012::options().should_validate_formats(true).build(&document);
        Arc::new(validator.expect("the schemas of the document are valid"))
    };
    Arc::clone(validators.entry(key).or_insert_with(build))
}

/// The schemas that one refers to, and those that they refer to: a validator of all of them takes long to build.
fn referred(schema: &Value) -> BTreeMap<String, &'static Value> {
    let mut found = BTreeMap::new();
    let mut open = names(schema);
    while let Some(name) = open.pop() {
        if let Some(schema) = SCHEMAS.get(&name).filter(|_| !found.contains_key(&name)) {
            open.extend(names(schema));
            found.insert(name, schema);
        }
    }
    found
}

/// The names of the schemas to which there is a reference anywhere in a schema.
fn names(schema: &Value) -> Vec<String> {
    match schema {
        Value::Object(members) => {
            let own = members.get("$ref").and_then(Value::as_str).and_then(|target| target.rsplit('/').next());
            own.map(str::to_owned).into_iter().chain(members.values().flat_map(names)).collect()
        }
        Value::Array(items) => items.iter().flat_map(names).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => vec![],
    }
}

fn close(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            members.values_mut().for_each(close);
            if members.get("type").is_some_and(|kind| kind == "object") && members.contains_key("properties") {
                members.entry("additionalProperties").or_insert(json!(false));
            }
            if members.get("format").is_some_and(|format| format == "date-time") {
                members.insert("pattern".to_owned(), json!(TIME));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(method: Method, path: &str, status: u16, media_type: &str, body: &Value) -> Result<(), String> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, media_type.parse().unwrap());
        headers.insert("x-request-id", "r-1".parse().unwrap());
        headers.insert("event-epoch", "01890000-0000-7000-8000-000000000001".parse().unwrap());
        headers.insert("event-position", "1".parse().unwrap());
        check(&method, path, status, &headers, body.to_string().as_bytes())
    }

    fn tag() -> Value {
        json!({ "id": "01890000-0000-7000-8000-000000000001", "name": "Urgent", "color": null, "version": 1 })
    }

    /// Examples of answers are answers; the document's own answer, and its examples, are anything.
    #[test]
    fn examples_of_the_document_fit_it() {
        let mut count = 0;
        for (path, methods) in api::rest::document()["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                for (status, answer) in operation["responses"].as_object().unwrap() {
                    for (media_type, media) in resolve(answer)["content"].as_object().into_iter().flatten() {
                        let Some(example) = media.get("example") else { continue };
                        let mut schema = media["schema"].clone();
                        close(&mut schema);
                        let key = (method.clone(), path.clone(), status.parse().unwrap());
                        let errors: Vec<_> =
                            validator(key, &schema).iter_errors(example).map(|error| error.to_string()).collect();
                        assert!(errors.is_empty(), "{method} {path} {status} {media_type}: {errors:?}");
                        count += 1;
                    }
                }
            }
        }
        assert!(count > 400, "only {count} examples");
    }

    #[test]
    fn fitting_answers_pass() {
        let path = "/v1/tags/01890000-0000-7000-8000-000000000001?includeDeleted=true";
        checked(Method::GET, path, 200, "application/json", &tag()).unwrap();
        checked(Method::GET, "/nowhere", 404, "application/problem+json", &json!({})).unwrap();
    }

    #[test]
    fn what_does_not_fit_is_told() {
        let tag_with = |name: &str, value: Value| {
            let mut tag = tag();
            tag[name] = value;
            checked(Method::GET, "/v1/tags/x", 200, "application/json", &tag).unwrap_err()
        };
        assert!(tag_with("name", json!(5)).contains("/name"));
        assert!(tag_with("id", json!("x")).contains("/id"));
        assert!(tag_with("colour", json!("x")).contains("colour"));
        let wrong = |status, media_type| checked(Method::GET, "/v1/tags/x", status, media_type, &tag()).unwrap_err();
        assert!(wrong(418, "application/json").contains("does not answer 418"));
        assert!(wrong(200, "text/plain").contains("text/plain"));
        let problem = json!({
            "type": "urn:livechatlog:problem:odd", "title": "Not Found", "status": 404, "code": "odd", "detail": "",
            "instance": "r-1",
        });
        let odd = checked(Method::GET, "/v1/tags/x", 404, "application/problem+json", &problem);
        assert!(odd.unwrap_err().contains("odd"));
        let bare = check(&Method::GET, "/v1/tags/x", 200, &HeaderMap::new(), b"").unwrap_err();
        assert!(bare.contains("has no header"));
    }
}
