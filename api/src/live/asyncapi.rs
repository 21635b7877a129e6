//! The AsyncAPI 3.0 document of the stream, generated from the types of its frames.

use std::sync::LazyLock;

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::PROTOCOL;
use crate::service::stream::frames::{ClientFrame, ServerFrame};

const DESCRIPTION: &str = "\
`GET /v1/stream` as a WebSocket (subprotocol `livechatlog.v1`), one JSON object a text frame, or as server-sent events with the \
same objects as `data`. `docs/api.md` describes positions, close codes and limits.";

/// The AsyncAPI document of the stream, built once.
#[must_use]
pub fn document() -> &'static Value {
    static DOCUMENT: LazyLock<Value> = LazyLock::new(build);
    &DOCUMENT
}

fn build() -> Value {
    let message = |name: &str, summary: &str| {
        json!({
            "name": name, "summary": summary, "contentType": "application/json",
            "payload": { "$ref": format!("#/components/schemas/{name}") },
        })
    };
    let of_channel = |name: &str| json!({ "$ref": format!("#/channels/stream/messages/{name}") });
    let operation = |action: &str, name: &str| json!({ "action": action, "channel": { "$ref": "#/channels/stream" }, "messages": [of_channel(name)] });
    json!({
        "asyncapi": "3.0.0",
        "info": { "title": "LiveChatLog", "version": env!("CARGO_PKG_VERSION"), "description": DESCRIPTION },
        "defaultContentType": "application/json",
        "channels": { "stream": {
            "address": "/v1/stream",
            "description": format!("WebSocket subprotocol `{PROTOCOL}`."),
            "messages": {
                "ServerFrame": message("ServerFrame", "A frame of the server."),
                "ClientFrame": message("ClientFrame", "A frame of the client; WebSocket only."),
            },
        } },
        "operations": {
            "sendServerFrame": operation("send", "ServerFrame"),
            "receiveClientFrame": operation("receive", "ClientFrame"),
        },
        "components": { "schemas": schemas() },
    })
}

fn schemas() -> Map<String, Value> {
    let settings = || SchemaSettings::draft2020_12().with(|s| s.definitions_path = "/components/schemas".into());
    let (mut sent, mut received) =
        (settings().for_serialize().into_generator(), settings().for_deserialize().into_generator());
    sent.subschema_for::<ServerFrame>();
    received.subschema_for::<ClientFrame>();
    let mut schemas = received.take_definitions(true);
    schemas.extend(sent.take_definitions(true));
    schemas
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::rest::openapi::portable::references;

    #[test]
    fn every_reference_leads_somewhere() {
        let mut found = BTreeSet::new();
        references(document(), &mut found);
        assert!(found.len() > 10, "{found:?}");
        for reference in found {
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(document().pointer(pointer).is_some(), "{reference}");
        }
    }
}
