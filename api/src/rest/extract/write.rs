use std::collections::BTreeMap;

use application::InstallationKey;
use application::ports::Hash;
use axum::body::{Body, Bytes, HttpBody as _, to_bytes};
use axum::extract::{FromRef, FromRequest, Request};
use axum::http::{HeaderMap, HeaderName, header};
use domain::ids::CommandId;
use http_body_util::LengthLimitError;
use hyper::body::SizeHint;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use super::json::parse_json;
use crate::rest::problem::Problem;
use crate::rest::request_id::RequestId;
use crate::service::{Caller, ChangeRequest, Code, Refusal, Wait};

/// The most bytes of a request's body: a message of 16 KiB, each byte of it escaped, and its metadata.
pub const MAX_BODY_BYTES: usize = 128 * 1024;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const PREFER: HeaderName = HeaderName::from_static("prefer");
/// The most characters of an idempotency key.
pub const MAX_KEY_LENGTH: usize = 255;

/// The body of a request that needs none.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// Distinguishes a field that is null from one that is absent.
///
/// # Errors
/// When the value has the wrong type.
pub fn double_option<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::<String>::deserialize(deserializer).map(Some)
}

/// A request that changes something: its JSON body and its headers.
#[derive(Clone, Debug)]
pub struct Write<T> {
    /// The JSON body.
    pub body: T,
    /// The headers.
    pub info: WriteInfo,
}

/// The headers of a request that changes something.
#[derive(Clone, Debug)]
pub struct WriteInfo {
    /// Sent by the client, or made here; names the request in answers and logs.
    pub request_id: RequestId,
    /// The path of the request, without the query.
    pub path: String,
    /// The digest of method, path and body. Of the body it is the values that count, not how they are written.
    pub digest: Hash,
    /// The client's own key for this change.
    pub idempotency_key: Option<String>,
    /// Whether the client does not want to wait for the read models.
    pub respond_async: bool,
    /// The key of digests and command ids.
    key: InstallationKey,
}

impl WriteInfo {
    /// The command's id if the client chose a key; the keys of different callers never meet.
    #[must_use]
    pub fn command_id(&self, scope: &str) -> Option<CommandId> {
        let key = self.idempotency_key.as_deref()?;
        Some(self.key.command_id_of_key(scope, key))
    }

    /// The request as the service sees it.
    #[must_use]
    pub fn request(&self, caller: &Caller) -> ChangeRequest {
        let command_id = self.command_id(&caller.principal.actor());
        ChangeRequest {
            request_id: self.request_id.uuid(),
            repeatable: command_id.map(|command_id| (command_id, self.digest)),
            wait: self.wait(),
        }
    }

    /// Whether the client waits for the read models.
    #[must_use]
    pub const fn wait(&self) -> Wait {
        if self.respond_async { Wait::No } else { Wait::ForViews }
    }

    /// The same for a client that waits for the read models, whatever it prefers.
    #[must_use]
    pub fn waiting(&self) -> Self {
        Self { respond_async: false, ..self.clone() }
    }
}

impl<T: DeserializeOwned, S: Sync> FromRequest<S> for Write<T>
where
    InstallationKey: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        ensure_acceptable(&parts.headers, &body.size_hint())?;
        let bytes = read_body(body).await?;
        let key = InstallationKey::from_ref(state);
        let body = if bytes.is_empty() {
            // Where every field is optional, no body is as good as an empty one.
            parse_json(b"{}")?
        } else {
            ensure_json(&parts.headers)?;
            parse_json(&bytes)?
        };
        let request_id = parts.extensions.get::<RequestId>().cloned().unwrap_or_default();
        let idempotency_key = idempotency_key(&parts.headers)?;
        let path = parts.uri.path().to_owned();
        let compared = idempotency_key.as_ref().map_or_else(Vec::new, |_| in_one_form(&bytes));
        let info = WriteInfo {
            request_id,
            digest: key.digest(&[parts.method.as_str().as_bytes(), path.as_bytes(), &compared]),
            path,
            key,
            idempotency_key,
            respond_async: prefers_async(&parts.headers),
        };
        Ok(Self { body, info })
    }
}

/// All bytes of a JSON body.
///
/// # Errors
/// 415 for another media type, and as of [`read_body`].
pub async fn read_json(request: Request) -> Result<Bytes, Problem> {
    ensure_json(request.headers())?;
    Ok(read_body(request.into_body()).await?)
}

/// All bytes of a body.
///
/// # Errors
/// [`Code::TooLarge`], and [`Code::MalformedRequest`] when the client sends no more.
pub async fn read_body(body: Body) -> Result<Bytes, Refusal> {
    if body.size_hint().lower() > MAX_BODY_BYTES as u64 {
        // Before it comes: a client that expects a `100 Continue` then need not send it.
        return Err(too_large());
    }
    to_bytes(body, MAX_BODY_BYTES).await.map_err(|error| too_large_or_broken(&error))
}

/// Refuses what can be refused before the body comes: a client that expects a `100 Continue` then need not send it.
fn ensure_acceptable(headers: &HeaderMap, size: &SizeHint) -> Result<(), Problem> {
    idempotency_key(headers)?;
    if size.lower() > MAX_BODY_BYTES as u64 {
        return Err(too_large().into());
    }
    if size.lower() > 0 { ensure_json(headers) } else { Ok(()) }
}

fn too_large() -> Refusal {
    Refusal::new(Code::TooLarge, format!("The body must be at most {MAX_BODY_BYTES} bytes."))
}

/// A body in the one form of all bodies with the same values: a client that repeats a request may write it otherwise. Null
/// is a value of its own, because it empties a field where an absent one leaves it alone.
fn in_one_form(body: &[u8]) -> Vec<u8> {
    let Ok(value) = serde_json::from_slice::<Value>(body) else { return body.to_vec() };
    let mut form = vec![];
    write_sorted(&value, &mut form);
    form
}

fn write_sorted(value: &Value, form: &mut Vec<u8>) {
    match value {
        Value::Object(members) => {
            form.push(b'{');
            for (name, member) in members.iter().collect::<BTreeMap<_, _>>() {
                form.extend(json!(name).to_string().bytes());
                form.push(b':');
                write_sorted(member, form);
                form.push(b',');
            }
            form.push(b'}');
        }
        Value::Array(items) => {
            form.push(b'[');
            for item in items {
                write_sorted(item, form);
                form.push(b',');
            }
            form.push(b']');
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => form.extend(value.to_string().bytes()),
    }
}

fn too_large_or_broken(error: &axum::Error) -> Refusal {
    let source = std::error::Error::source(error);
    if source.is_some_and(|source| source.is::<LengthLimitError>()) {
        return too_large();
    }
    Refusal::malformed("The body ended before it was complete.")
}

fn ensure_json(headers: &HeaderMap) -> Result<(), Problem> {
    let given = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = given.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if media_type == "application/json" || (media_type.starts_with("application/") && media_type.ends_with("+json")) {
        return Ok(());
    }
    Err(Problem::unsupported_media_type())
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Refusal> {
    let Some(value) = headers.get(&IDEMPOTENCY_KEY) else { return Ok(None) };
    let key = value.to_str().ok().filter(|key| (1..=MAX_KEY_LENGTH).contains(&key.len()));
    let wrong = || Refusal::invalid_field("Idempotency-Key", "must have 1 to 255 visible ASCII characters");
    key.map(|key| Some(key.to_owned())).ok_or_else(wrong)
}

/// `Prefer: respond-async` (RFC 7240 §4.1).
fn prefers_async(headers: &HeaderMap) -> bool {
    let values = headers.get_all(&PREFER).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|preference| preference.trim().eq_ignore_ascii_case("respond-async"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(one: &str, other: &str) -> bool {
        in_one_form(one.as_bytes()) == in_one_form(other.as_bytes())
    }

    #[test]
    fn bodies_are_the_same_however_they_are_written() {
        assert!(same(r#"{"a":1,"b":{"c":[1,2],"d":"x"}}"#, "{ \"b\": {\"d\":\"x\", \"c\":[1, 2]},\r\n\t\"a\": 1 }"));
        assert!(same(r#"{"a":"\u00e9\/"}"#, r#"{"a":"é/"}"#));
        assert!(same("{}", " {} "));
    }

    #[test]
    fn bodies_with_other_values_differ() {
        let other = [
            (r#"{"a":1}"#, r#"{"a":2}"#),
            (r#"{"a":1}"#, r#"{"a":"1"}"#),
            (r#"{"a":null}"#, "{}"),
            (r#"{"a":[1,2]}"#, r#"{"a":[2,1]}"#),
            (r#"{"a":[1],"b":[2]}"#, r#"{"a":[1,2]}"#),
            (r#"{"a":{"b":1}}"#, r#"{"a":{},"b":1}"#),
            (r#"{"a":"b\":1,\"c"}"#, r#"{"a":"b","c":1}"#),
            (r#"{"a":true}"#, r#"{"a":"true"}"#),
            ("{", "{ "),
        ];
        for (one, another) in other {
            assert!(!same(one, another), "{one} and {another}");
        }
    }
}
