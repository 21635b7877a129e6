//! Refusals as GraphQL errors.

use async_graphql::{Error, ErrorExtensionValues, ErrorExtensions as _, Pos, ServerError, Value};
use serde_json::json;

use crate::service::Refusal;

/// The code of a document that is not GraphQL.
pub(super) const SYNTAX: &str = "graphql_syntax";
/// The code of a document that does not fit the schema.
pub(super) const INVALID: &str = "graphql_invalid";
/// The code of an operation that may return too much.
pub(super) const TOO_COSTLY: &str = "graphql_too_costly";

/// A field's error for a refusal: its code and particulars are in `extensions`.
pub(super) fn error_of(refusal: &Refusal) -> Error {
    Error::new(&refusal.detail).extend_with(|_, extensions| describe(refusal, extensions))
}

fn describe(refusal: &Refusal, extensions: &mut ErrorExtensionValues) {
    extensions.set("code", refusal.code.as_str());
    if !refusal.fields.is_empty() {
        let fields = refusal.fields.iter().map(|error| json!({ "field": error.field, "message": error.message }));
        extensions.set("fields", Value::from_json(fields.collect()).unwrap_or_default());
    }
    if let Some(seconds) = refusal.retry_after {
        extensions.set("retryAfter", seconds);
    }
    if let Some(version) = refusal.current_version {
        extensions.set("currentVersion", version);
    }
    if let Some(id) = refusal.open_conversation {
        extensions.set("openConversationId", id.to_string());
    }
}

/// The error of a whole request.
pub(super) fn request_error(code: &str, message: impl Into<String>, at: Option<Pos>) -> ServerError {
    with_code(ServerError::new(message, at), code)
}

/// The same error with a code, unless it has one.
pub(super) fn with_code(mut error: ServerError, code: &str) -> ServerError {
    let extensions = error.extensions.get_or_insert_default();
    if extensions.get("code").is_none() {
        extensions.set("code", code);
    }
    error
}
