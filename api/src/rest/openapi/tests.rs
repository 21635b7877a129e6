use std::collections::BTreeSet;

use super::operations::chapters;
use super::parameters;
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

#[test]
fn request_bodies_refuse_unknown_fields() {
    let schemas = document()["components"]["schemas"].as_object().unwrap();
    for (path, methods) in document()["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let Some(body) = operation.get("requestBody") else { continue };
            let schema = &body["content"]["application/json"]["schema"];
            let name = schema["$ref"].as_str().unwrap().rsplit('/').next().unwrap();
            assert_eq!(schemas[name]["additionalProperties"], false, "{method} {path}: {name}");
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
    let missing: Vec<_> = all.symmetric_difference(&once).collect();
    assert!(
        missing.is_empty(),
        "not in the story of api/src/rest/openapi/postman/story.rs, or not served: {missing:?}"
    );
}

#[test]
fn stored_collection_equals_the_generated_one() {
    let kept: serde_json::Value =
        serde_json::from_str(include_str!("../../../../docs/postman_collection.json")).unwrap();
    let made = super::postman(document());
    let hint = "run `livechatlog openapi --postman > docs/postman_collection.json`";
    assert!(kept == made, "docs/postman_collection.json is not what the code makes: {hint}");
}
