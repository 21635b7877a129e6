use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::operations::chapters;
use super::{parameters, portable};
use crate::rest::{document, endpoints};

fn documented() -> Vec<(String, String)> {
    let docs = chapters().into_iter().flat_map(|(_, _, docs)| docs);
    docs.map(|doc| (doc.method.to_string(), doc.path.to_owned())).collect()
}

#[test]
fn every_endpoint_is_documented_and_nothing_else() {
    let served: BTreeSet<_> =
        endpoints().iter().map(|endpoint| (endpoint.method.to_string(), endpoint.path.to_owned())).collect();
    let documented: BTreeSet<_> = documented().into_iter().collect();
    let missing: Vec<_> = served.difference(&documented).collect();
    assert!(missing.is_empty(), "without a Doc in api/src/rest/openapi/operations/: {missing:?}");
    let gone: Vec<_> = documented.difference(&served).collect();
    assert!(gone.is_empty(), "documented but not in the table of endpoints: {gone:?}");
}

#[test]
fn no_endpoint_is_documented_twice() {
    let mut all = documented();
    let ids = chapters().into_iter().flat_map(|(_, _, docs)| docs).map(|doc| doc.id);
    let distinct: BTreeSet<_> = ids.collect();
    assert_eq!(distinct.len(), all.len(), "an operation id is used twice");
    let count = all.len();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), count);
}

#[test]
fn document_has_every_endpoint_with_its_role() {
    for endpoint in endpoints() {
        let operation = &document()["paths"][endpoint.path][endpoint.method.as_str().to_lowercase()];
        let role = format!("{:?}", endpoint.access).to_lowercase();
        assert_eq!(operation["x-required-role"], role, "{} {}", endpoint.method, endpoint.path);
        assert_eq!(operation["security"].as_array().unwrap().is_empty(), role == "public");
        let in_path = operation["parameters"].as_array().unwrap().iter().filter(|one| one["in"] == "path").count();
        assert_eq!(in_path, parameters::names(endpoint.path).count());
    }
}

/// The operations that accept `If-Match`. The same ones may answer 412.
fn with_known_version() -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    for methods in document()["paths"].as_object().unwrap().values() {
        for operation in methods.as_object().unwrap().values() {
            let parameters = operation["parameters"].as_array().unwrap();
            let takes = parameters.iter().any(|one| one["$ref"] == "#/components/parameters/If-Match");
            let refuses = operation["responses"].get("412").is_some();
            assert_eq!(takes, refuses, "{}", operation["operationId"]);
            ids.extend(takes.then(|| operation["operationId"].as_str().unwrap().to_owned()));
        }
    }
    ids
}

#[test]
fn document_has_if_match_where_handlers_use_it() {
    let of_chats = [
        "assignConversation",
        "closeConversation",
        "reopenConversation",
        "tagConversation",
        "transferConversation",
        "untagConversation",
    ];
    let of_desks = ["addGroupAgents", "removeGroupAgent", "setAgentStatus"];
    let managed = ["Agent", "Group", "Tag"].into_iter();
    let managed = managed.flat_map(|what| ["change", "delete", "restore"].map(|verb| format!("{verb}{what}")));
    let expected: BTreeSet<_> = of_chats.into_iter().chain(of_desks).map(str::to_owned).chain(managed).collect();
    assert_eq!(with_known_version(), expected);
}

/// The schemas that a schema may stand for: itself, or the branches of its choice.
fn branches(schema: &Value) -> Vec<&'static Value> {
    let schemas = &document()["components"]["schemas"];
    let named = &schemas[schema["$ref"].as_str().unwrap().rsplit('/').next().unwrap()];
    named["oneOf"].as_array().map_or_else(|| vec![named], |choice| choice.iter().flat_map(branches).collect())
}

#[test]
fn request_bodies_refuse_unknown_fields() {
    for (path, methods) in document()["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let Some(body) = operation.get("requestBody") else { continue };
            for branch in branches(&body["content"]["application/json"]["schema"]) {
                assert_eq!(branch["additionalProperties"], false, "{method} {path}: {branch}");
            }
        }
    }
}

#[test]
fn bodies_are_required_where_a_field_is() {
    let required = |id: &str| {
        let operations = document()["paths"].as_object().unwrap().values().flat_map(|path| path.as_object().unwrap());
        let (_, operation) = operations.into_iter().find(|(_, operation)| operation["operationId"] == id).unwrap();
        operation.get("requestBody").map(|body| body["required"].clone())
    };
    for id in ["transferConversation", "changeConversations", "startSession", "assignConversation"] {
        assert_eq!(required(id), Some(Value::Bool(true)), "{id}");
    }
    assert_eq!(required("changeTag"), Some(Value::Bool(false)));
    for id in ["reopenConversation", "deleteAgent", "restoreGroup", "sendHeartbeat", "untagConversation"] {
        assert_eq!(required(id), None, "{id}: a body without fields is a needless argument");
    }
}

#[test]
fn names_are_identifiers_in_every_language() {
    for (kind, components) in document()["components"].as_object().unwrap() {
        if matches!(kind.as_str(), "parameters" | "headers") {
            continue;
        }
        for name in components.as_object().unwrap().keys() {
            let fits = name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(char::is_alphanumeric);
            assert!(fits, "{name} of {kind}");
            // Go calls the constructor of `Tag` `NewTag`.
            assert!(!name.starts_with("New"), "{name} of {kind}: rename it, such as TagInput");
        }
    }
}

/// The ways in which a schema keeps generators from making a type of it.
fn hindrances(schema: &Map<String, Value>) -> Vec<&'static str> {
    let choice = schema.get("oneOf").or_else(|| schema.get("anyOf")).and_then(Value::as_array);
    let is_null = |branch: &Value| *branch == json!({ "type": "null" });
    let inline = |branch: &Value| branch.get("properties").is_some() || branch.get("required").is_some();
    let values = schema.get("enum").and_then(Value::as_array);
    let is = |kind: &str| schema.get("type").is_some_and(|types| *types == kind || types.to_string().contains(kind));
    let found = [
        (schema.contains_key("const"), "a constant: write an enum of one"),
        (schema.contains_key("allOf"), "a merged type: write all its fields"),
        (schema.contains_key("discriminator"), "a discriminator: clients in Rust do not find the field any more"),
        (choice.is_some() && schema.contains_key("properties"), "fields next to a choice"),
        (choice.is_some_and(|branches| branches.iter().any(inline)), "a choice between types without names"),
        (choice.is_some_and(|branches| branches.iter().filter(|branch| !is_null(branch)).count() < 1), "no choice"),
        (choice.is_some_and(|branches| branches.iter().all(|one| one["type"] == "string")), "a choice between texts"),
        (values.is_some_and(|values| values.contains(&Value::Null)), "null in an enum"),
        (values.is_some() && !schema.contains_key("type"), "an enum without a type"),
        (schema.contains_key("pattern") && schema.contains_key("format"), "a pattern next to a format"),
        (schema.get("type").is_some_and(|one| one == "null"), "a field that is always null"),
        (
            is("object") && !schema.contains_key("properties") && !schema.contains_key("additionalProperties"),
            "an object that is open, but does not say so",
        ),
        (is("integer") && !schema.contains_key("minimum"), "a number without a minimum"),
    ];
    found.into_iter().filter_map(|(is_there, what)| is_there.then_some(what)).collect()
}

#[test]
fn schemas_have_the_forms_that_generators_of_clients_understand() {
    let mut document = document().clone();
    let (mut looked_at, mut found) = (0, vec![]);
    portable::each_schema(&mut document, &mut |schema| {
        looked_at += 1;
        if schema.get("type").is_some_and(|one| one == "null") && schema.len() == 1 {
            return;
        }
        found.extend(hindrances(schema).into_iter().map(|what| format!("{what}: {}", json!(schema))));
    });
    assert!(looked_at > 500, "only {looked_at} schemas were found");
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn forms_that_generators_stumble_over_are_rewritten() {
    let mut document = json!({
        "paths": { "/x": { "get": {
            "parameters": [{ "schema": { "enum": ["a", null], "type": ["string", "null"] } }],
            "example": { "schema": { "const": 1 } },
        } } },
        "components": { "schemas": {
            "Odd": { "$ref": "#/components/schemas/Odd", "properties": {
                "kind": { "const": "x" },
                "free": { "type": ["object", "null"] },
                "at": { "type": "string", "format": "date-time", "pattern": "Z$" },
                "sort": { "oneOf": [
                    { "const": "up", "type": "string", "description": "First." }, { "const": "down", "type": "string" },
                ] },
            } },
            "Event": { "$ref": "#/components/schemas/Event", "oneOf": [
                { "type": "object", "properties": { "kind": { "const": "chat_closed" }, "count": { "type": "integer" } } },
            ] },
            "Unused": { "type": "string" },
        } },
    });
    portable::rewrite(&mut document);
    let schemas = &document["components"]["schemas"];
    let odd = &schemas["Odd"]["properties"];
    assert_eq!(odd["kind"], json!({ "type": "string", "enum": ["x"] }));
    assert_eq!(odd["free"], json!({ "type": ["object", "null"], "additionalProperties": true }));
    assert_eq!(odd["at"], json!({ "type": "string", "format": "date-time" }));
    assert_eq!(odd["sort"], json!({ "type": "string", "enum": ["up", "down"], "description": "`up`: First." }));
    assert_eq!(schemas["Event"]["oneOf"], json!([{ "$ref": "#/components/schemas/EventChatClosed" }]));
    assert_eq!(schemas["EventChatClosed"]["properties"]["count"], json!({ "type": "integer", "minimum": 0 }));
    assert_eq!(schemas["Unused"], Value::Null);
    let operation = &document["paths"]["/x"]["get"];
    let split = json!({ "anyOf": [{ "type": "string", "enum": ["a"] }, { "type": "null" }] });
    assert_eq!(operation["parameters"][0]["schema"], split);
    assert_eq!(operation["example"]["schema"], json!({ "const": 1 }), "an example is no schema");
}

#[test]
fn every_answer_in_json_has_an_example() {
    let operations = document()["paths"].as_object().unwrap().values().flat_map(|path| path.as_object().unwrap());
    for (_, operation) in operations {
        for (status, answer) in operation["responses"].as_object().unwrap() {
            let Some(media) = answer["content"].get("application/json") else { continue };
            assert!(!media["example"].is_null(), "{} {status}", operation["operationId"]);
        }
    }
}

#[test]
fn types_have_names_of_their_own() {
    // schemars numbers types that have the same name.
    for name in document()["components"]["schemas"].as_object().unwrap().keys() {
        assert!(!name.ends_with(|c: char| c.is_ascii_digit()), "{name} is the name of several types; rename them");
    }
}

#[test]
fn collection_has_every_operation_once() {
    let steps = super::postman::story().into_iter().flat_map(|(_, steps)| steps);
    let listed: Vec<_> = steps.map(|step| step.operation).collect();
    let docs = chapters().into_iter().flat_map(|(_, _, docs)| docs);
    let (once, all): (BTreeSet<_>, BTreeSet<_>) = (listed.iter().copied().collect(), docs.map(|doc| doc.id).collect());
    assert_eq!(once.len(), listed.len(), "an operation is listed twice");
    // Collections hold requests with an end.
    let missing: Vec<_> = all.symmetric_difference(&once).filter(|id| **id != "stream").collect();
    assert!(
        missing.is_empty(),
        "not in the story of api/src/rest/openapi/postman/story.rs, or not served: {missing:?}"
    );
}

#[test]
fn stored_collection_equals_the_generated_one() {
    let kept: Value = serde_json::from_str(include_str!("../../../../docs/postman_collection.json")).unwrap();
    let made = super::postman(document());
    let hint = "run `livechatlog openapi --postman > docs/postman_collection.json`";
    assert!(kept == made, "docs/postman_collection.json is not what the code makes: {hint}");
}
