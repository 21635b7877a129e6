//! What is left of stored events when a visitor's personal data is erased.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::aggregate::AggregateType;
use crate::ids::VisitorId;

/// Replaces an erased text.
pub const ERASED: &str = "[erased]";

/// The closing reason of a chat that erasure closes.
pub const CLOSED_FOR_ERASURE: &str = "Personal data erased";

/// The proof of a redacted payload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErasedPayload {
    /// Position of the event in the log.
    pub position: i64,
    /// SHA-256 of the redacted payload's text, in hexadecimal.
    pub digest: String,
}

/// A stored payload without the visitor's data; `None` when it holds none.
///
/// Works on the stored JSON of any version, not on decoded events: the stored version is part of the hash chain and
/// must stay. Keeps only fields that are known to be harmless, so that fields of later versions are removed as well.
#[must_use]
pub fn redacted(visitor_id: VisitorId, kind: AggregateType, event_type: &str, payload: &Value) -> Option<Value> {
    let redacted = match (kind, event_type) {
        (AggregateType::Visitor, "VisitorRegistered" | "VisitorReintroduced") => {
            with(kept(payload, &["type", "at"]), &[("details", json!({}))])
        }
        (AggregateType::Conversation, "ChatStarted") if names(&payload["visitor"], visitor_id) => {
            let kept = kept(payload, &["type", "groupId", "threadId", "lastAgentId", "at"]);
            with(kept, &[("visitor", json!({ "id": visitor_id }))])
        }
        (AggregateType::Conversation, "VisitorCardChanged") if names(&payload["visitor"], visitor_id) => {
            with(kept(payload, &["type", "at"]), &[("visitor", json!({ "id": visitor_id }))])
        }
        (AggregateType::Conversation, "ChatClosed") if is_visitor(&payload["by"], visitor_id) => {
            let reason = if payload["reason"] == CLOSED_FOR_ERASURE { CLOSED_FOR_ERASURE } else { ERASED };
            with(kept(payload, &["type", "by", "agentId", "threadId", "at"]), &[("reason", json!(reason))])
        }
        (AggregateType::Thread, "MessageSent") if is_visitor(&payload["author"], visitor_id) => {
            let kept = kept(payload, &["type", "conversationId", "messageId", "author", "at"]);
            with(kept, &[("text", json!(ERASED))])
        }
        _ => return None,
    };
    (redacted != *payload).then_some(redacted)
}

fn kept(payload: &Value, fields: &[&str]) -> Map<String, Value> {
    let field = |name: &&str| Some(((*name).to_owned(), payload.get(*name)?.clone()));
    fields.iter().filter_map(field).collect()
}

fn with(mut kept: Map<String, Value>, fields: &[(&str, Value)]) -> Value {
    kept.extend(fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    Value::Object(kept)
}

fn names(card: &Value, visitor_id: VisitorId) -> bool {
    card["id"] == json!(visitor_id)
}

fn is_visitor(participant: &Value, visitor_id: VisitorId) -> bool {
    participant["type"] == "visitor" && names(participant, visitor_id)
}
