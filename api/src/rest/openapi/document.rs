//! Builds the document from its parts.

use std::collections::BTreeMap;

use axum::http::Method;
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::operation::{Content, Doc};
use super::operations::chapters;
use super::{examples, parameters, portable, responses};
use crate::rest::problem;
use crate::rest::route::{Endpoint, Inputs};
use crate::service::Access;

const DESCRIPTION: &str = "\
Times are RFC 3339 in UTC with microseconds, ids are UUIDs. Unknown fields and parameters are refused by name. \
`x-maxBytes` limits a text in bytes of UTF-8. Lists are paged: pass `nextCursor` as `cursor` to get the next page. \
Every request may carry an id in `X-Request-Id`.\n\n\
The answer to a change has its position in the log (`Event-Position`), and later reads see the change. Refusals are \
`application/problem+json`; programs may rely on their `code`. A method that a path does not support is refused with \
405, `method_not_allowed`.";

/// The generators of schemas. They differ in optional fields: a request may omit a field with a default, an answer never
/// does.
struct Generators {
    requests: SchemaGenerator,
    answers: SchemaGenerator,
}

impl Generators {
    fn new() -> Self {
        let settings = || SchemaSettings::draft2020_12().with(|s| s.definitions_path = "/components/schemas".into());
        Self {
            requests: settings().for_deserialize().into_generator(),
            answers: settings().for_serialize().into_generator(),
        }
    }

    fn definitions(mut self) -> Map<String, Value> {
        self.answers.subschema_for::<problem::Body<'static>>();
        let mut definitions = self.requests.take_definitions(true);
        definitions.extend(self.answers.take_definitions(true));
        definitions.values_mut().for_each(drop_null_defaults);
        definitions
    }
}

/// Removes the default `null` of optional fields, which says nothing.
fn drop_null_defaults(schema: &mut Value) {
    let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
    for property in properties.into_iter().flat_map(|properties| properties.values_mut()) {
        if let Some(property) = property.as_object_mut().filter(|one| one.get("default").is_some_and(Value::is_null)) {
            property.remove("default");
        }
    }
}

/// The document of these endpoints. An endpoint without documentation is left out.
pub fn build(endpoints: &[Endpoint]) -> Value {
    let mut generators = Generators::new();
    let mut refusals = BTreeMap::new();
    let mut paths = Map::new();
    let mut tags = vec![];
    for (name, description, docs) in chapters() {
        tags.push(json!({ "name": name, "description": description }));
        for doc in docs {
            let served = endpoints.iter().find(|endpoint| (&endpoint.method, endpoint.path) == (&doc.method, doc.path));
            let Some(endpoint) = served else { continue };
            let operation = operation(&mut generators, name, endpoint, &doc);
            for (status, codes) in responses::refusals(endpoint.access, &endpoint.inputs(), &doc) {
                refusals.insert(responses::name(status, &codes), (status, codes));
            }
            let methods = paths.entry(doc.path).or_insert_with(|| json!({}));
            methods[doc.method.as_str().to_lowercase()] = operation;
        }
    }
    let mut schemas = generators.definitions();
    let mut answers = Map::new();
    for (name, (status, codes)) in refusals {
        schemas.insert(name.clone(), responses::refusal_schema(&schemas["Problem"], status, &codes));
        answers.insert(name, responses::refusal(status, &codes));
    }
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "LiveChatLog", "version": env!("CARGO_PKG_VERSION"), "description": DESCRIPTION,
            "contact": { "name": "The operator of this server" },
            "license": { "name": "Proprietary", "identifier": "LicenseRef-Proprietary" },
        },
        // Relative to the document, which may lie below a path of a proxy.
        "servers": [{ "url": "." }],
        "tags": tags,
        "paths": paths,
        "components": {
            "schemas": schemas,
            "parameters": parameters::components(),
            "headers": responses::components(),
            "responses": answers,
            "securitySchemes": { "bearer": {
                "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
                "description": "Agents: `access_token` of the log-in. Visitors: `sessionToken` of the widget session.",
            } },
        },
    });
    portable::rewrite(&mut document);
    examples::add(&mut document);
    document
}

fn operation(generators: &mut Generators, tag: &str, endpoint: &Endpoint, doc: &Doc) -> Value {
    let inputs = endpoint.inputs();
    let role = role(endpoint.access);
    let about = [doc.about, callers(endpoint.access)].join("\n\n");
    let mut operation = json!({
        "operationId": doc.id,
        "tags": [tag],
        "summary": doc.summary,
        "description": about.trim(),
        "x-required-role": role,
        "security": if endpoint.access == Access::Public { json!([]) } else { json!([{ "bearer": [] }]) },
        "parameters": parameters::parameters(&mut generators.requests, &inputs, doc),
        "responses": answers(&mut generators.answers, endpoint.access, &inputs, doc),
    });
    if let Some(body) = request_body(&mut generators.requests, &inputs, doc) {
        operation["requestBody"] = body;
    }
    operation
}

/// The lowest role that may call.
const fn role(access: Access) -> &'static str {
    match access {
        Access::Public => "public",
        Access::Participant => "participant",
        Access::Agent => "agent",
        Access::Supervisor => "supervisor",
        Access::Admin => "admin",
        Access::Monitor => "monitor",
    }
}

const fn callers(access: Access) -> &'static str {
    match access {
        Access::Public => "Public.",
        Access::Participant => "For visitors in their own chats, and agents.",
        Access::Agent => "For agents, supervisors and admins.",
        Access::Supervisor => "For supervisors and admins.",
        Access::Admin => "For admins.",
        Access::Monitor => "For admins, and programs with the token `METRICS_TOKEN`.",
    }
}

/// The documentation of a body; none for a body without fields.
fn request_body(generator: &mut SchemaGenerator, inputs: &Inputs, doc: &Doc) -> Option<Value> {
    let schema = inputs.body?(generator).to_value();
    let definition = resolved(generator, &schema);
    let branches = definition["oneOf"].as_array().cloned().unwrap_or_else(|| vec![definition.clone()]);
    let branches: Vec<_> = branches.iter().map(|branch| resolved(generator, branch)).collect();
    if branches.iter().all(|branch| branch["properties"].as_object().is_none_or(Map::is_empty)) {
        return None;
    }
    // A body without required fields may be omitted altogether.
    let required = branches.iter().all(|branch| branch["required"].as_array().is_some_and(|fields| !fields.is_empty()));
    let mut content = json!({ "schema": schema });
    if let Some(example) = &doc.example {
        content["example"] = example.clone();
    }
    Some(json!({ "required": required, "content": { "application/json": content } }))
}

/// The schema that a reference leads to, or the schema itself.
fn resolved(generator: &SchemaGenerator, schema: &Value) -> Value {
    let target = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next());
    target.and_then(|name| generator.definitions().get(name)).unwrap_or(schema).clone()
}

fn answers(generator: &mut SchemaGenerator, access: Access, inputs: &Inputs, doc: &Doc) -> Value {
    let refusals = responses::refusals(access, inputs, doc);
    let mut answers: Map<String, Value> = refusals
        .iter()
        .map(|(status, codes)| {
            let place = format!("#/components/responses/{}", responses::name(*status, codes));
            (status.to_string(), json!({ "$ref": place }))
        })
        .collect();
    let mut headers = vec![];
    headers.extend(is_read(doc).then_some("Event-Position"));
    headers.extend(doc.change.then_some(["Event-Position", "Preference-Applied"]).into_iter().flatten());
    headers.extend(doc.key.map(|_| "Idempotent-Replayed"));
    headers.extend((doc.status == 201).then_some("Location"));
    let done = if doc.status == 201 { "Created." } else { "Success." };
    answers.insert(doc.status.to_string(), answer(generator, done, &headers, doc.content));
    for (status, description, content) in &doc.others {
        answers.insert(status.to_string(), answer(generator, description, &[], *content));
    }
    Value::Object(answers)
}

/// Whether the answer says which part of the log it includes.
fn is_read(doc: &Doc) -> bool {
    doc.method == Method::GET && doc.path.starts_with("/v1/") && matches!(doc.content, Content::Json(_))
}

fn answer(generator: &mut SchemaGenerator, description: &str, headers: &[&str], content: Content) -> Value {
    let mut answer = json!({ "description": description, "headers": responses::headers(headers) });
    match content {
        Content::Json(schema) => {
            answer["content"] = json!({ "application/json": { "schema": schema(generator).to_value() } });
        }
        Content::Text(media_type) => {
            answer["content"] = json!({ media_type: { "schema": { "type": "string" } } });
        }
        Content::Empty => {}
    }
    answer
}
