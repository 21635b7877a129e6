//! Refusals and headers that endpoints share.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use super::examples;
use super::operation::Doc;
use crate::rest::route::Inputs;
use crate::service::Access;

/// Statuses with the codes that come with them.
pub type Refusals = BTreeMap<u16, Vec<&'static str>>;

/// The possible refusals of an endpoint: they follow from its access, its arguments and its documentation.
pub fn refusals(access: Access, inputs: &Inputs, doc: &Doc) -> Refusals {
    let mut refusals = Refusals::new();
    let mut add = |possible: bool, status: u16, codes: &[&'static str]| {
        if possible {
            let known: &mut Vec<_> = refusals.entry(status).or_default();
            known.extend(codes.iter().filter(|code| !known.contains(code)).collect::<Vec<_>>());
        }
    };
    let takes_body = inputs.body.is_some();
    let takes_fields = takes_body || inputs.ids || inputs.query.is_some() || inputs.known_version || inputs.position;
    add(takes_fields, 400, &["invalid_request"]);
    add(takes_body, 400, &["malformed_request"]);
    add(access != Access::Public, 401, &["unauthorized"]);
    add(!matches!(access, Access::Public | Access::Participant), 403, &["forbidden"]);
    add(inputs.ids, 404, &["not_found"]);
    add(true, 408, &["request_timeout"]);
    add(inputs.known_version, 412, &["version_moved"]);
    add(takes_body, 413, &["too_large"]);
    add(takes_body, 415, &["unsupported_media_type"]);
    add(doc.key.is_some(), 422, &["idempotency_key_reused"]);
    add(true, 429, &["rate_limited"]);
    add(true, 500, &["internal_error"]);
    add(true, 503, &["unavailable", "contended", "busy"]);
    add(inputs.position || doc.change, 503, &["position_not_reached"]);
    for (status, codes) in &doc.refusals {
        add(true, *status, codes);
    }
    for (status, ..) in &doc.others {
        refusals.remove(status);
    }
    refusals
}

/// The name of a refusal among the components, such as `Problem409ChatClosed`: an identifier in every language.
pub fn name(status: u16, codes: &[&str]) -> String {
    let words = codes.iter().flat_map(|code| code.split('_'));
    format!("Problem{status}{}", words.map(capitalized).collect::<String>())
}

/// The word with a capital letter.
pub fn capitalized(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}

/// The response for refusals with one of these codes.
pub fn refusal(status: u16, codes: &[&str]) -> Value {
    let title = title(status);
    json!({
        "description": format!("{title}: {}.", codes.join(", ")),
        "headers": headers(match status {
            401 => &["WWW-Authenticate"],
            429 | 503 => &["Retry-After"],
            _ => &[],
        }),
        "content": { "application/problem+json": {
            "schema": { "$ref": format!("#/components/schemas/{}", name(status, codes)) },
            "example": {
                "type": format!("urn:livechatlog:problem:{}", codes[0]), "title": title, "status": status,
                "code": codes[0], "detail": "The reason, for people.", "instance": examples::ID,
            },
        } },
    })
}

/// The schema of a refusal: the whole `problem` with the codes that are possible here. Generators merge no constraints of
/// single fields into another type.
pub fn refusal_schema(problem: &Value, status: u16, codes: &[&str]) -> Value {
    let mut schema = problem.clone();
    schema["description"] = json!(format!("{}: {}.", title(status), codes.join(", ")));
    schema["properties"]["code"]["enum"] = json!(codes);
    schema
}

fn title(status: u16) -> &'static str {
    StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or_default()
}

/// The headers that every response has, and the given ones.
pub fn headers(names: &[&str]) -> Value {
    let always = ["X-Request-Id", "Event-Epoch", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"];
    let refer = |name: &&str| ((*name).to_owned(), json!({ "$ref": format!("#/components/headers/{name}") }));
    Value::Object(always.iter().chain(names).map(refer).collect::<Map<_, _>>())
}

/// All headers of responses.
pub fn components() -> Value {
    let header = |description: &str, required: bool, schema: Value| json!({ "description": description, "required": required, "schema": schema });
    let seconds = || json!({ "type": "integer", "minimum": 0 });
    json!({
        "X-Request-Id": header("The request's id: the client's own, or a generated one.", true, json!({ "type": "string" })),
        "Event-Epoch": header("The name of this history of the log.", true, json!({ "type": "string", "format": "uuid" })),
        "RateLimit-Limit": header("The limit of requests per window; absent if rate limits are off.", false, seconds()),
        "RateLimit-Remaining": header("The remaining requests in this window.", false, seconds()),
        "RateLimit-Reset": header("The seconds until the window ends.", false, seconds()),
        "Retry-After": header("The seconds to wait before trying again.", true, seconds()),
        "WWW-Authenticate": header("`Bearer`.", true, json!({ "type": "string", "enum": ["Bearer"] })),
        "Event-Position": header("Of a change: its position in the log; absent if nothing changed. Of a read: a position that all of it includes.", false,
            json!({ "type": "integer", "minimum": 0 })),
        "Location": header("Where to read what was created, relative to the request.", true,
            json!({ "type": "string", "format": "uri-reference" })),
        "Idempotent-Replayed": header("An earlier request with the same key made the change.", false,
            json!({ "type": "string", "enum": ["true"] })),
        "Preference-Applied": header("`respond-async` if `Prefer` asked for it.", false,
            json!({ "type": "string", "enum": ["respond-async"] })),
    })
}
