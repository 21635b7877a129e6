use application::command_bus::CommandContext;
use application::ports::{Hash, Principal};
use axum::body::to_bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use domain::ids::CommandId;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use sha2::{Digest, Sha256};

use super::json::parse_json;
use super::request_id::RequestId;
use crate::app::App;
use crate::rest::problem::Problem;

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

/// Tells a field that is null from one that is absent.
///
/// # Errors
/// When the value has the wrong type.
pub fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::<String>::deserialize(deserializer).map(Some)
}

/// A request that changes something: its JSON body, and what decides how it is carried out.
#[derive(Clone, Debug)]
pub struct Write<T> {
    /// The body.
    pub body: T,
    /// The rest.
    pub info: WriteInfo,
}

/// What decides how a change is carried out.
#[derive(Clone, Debug)]
pub struct WriteInfo {
    /// The request's id.
    pub request_id: RequestId,
    /// The digest of method, path and body.
    pub digest: Hash,
    /// The client's name for this change.
    pub idempotency_key: Option<String>,
    /// Whether the client does not want to wait for the read models.
    pub respond_async: bool,
}

impl WriteInfo {
    /// The command's id if the client named it; names of different callers never meet.
    #[must_use]
    pub fn command_id(&self, scope: &str) -> Option<CommandId> {
        let key = self.idempotency_key.as_deref()?;
        Some(CommandId::of_key(scope, key))
    }

    /// The context of the command.
    #[must_use]
    pub fn context(&self, app: &App, principal: Principal) -> CommandContext {
        let actor = principal.actor();
        let context = app.bus.context(actor.clone(), self.request_id.uuid());
        match self.command_id(&actor) {
            Some(command_id) => context.repeatable(command_id, self.digest),
            None => context,
        }
    }
}

impl<T: DeserializeOwned> FromRequest<App> for Write<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let bytes = to_bytes(body, MAX_BODY_BYTES).await.map_err(|error| too_large_or_broken(&error))?;
        let body = if bytes.is_empty() {
            // Where every field is optional, no body is as good as an empty one.
            parse_json(b"{}")?
        } else {
            ensure_json(&parts.headers)?;
            parse_json(&bytes)?
        };
        let request_id = parts.extensions.get::<RequestId>().cloned().unwrap_or_default();
        let info = WriteInfo {
            request_id,
            digest: digest(&app.digest_key, &[parts.method.as_str().as_bytes(), parts.uri.path().as_bytes(), &bytes]),
            idempotency_key: idempotency_key(&parts.headers)?,
            respond_async: prefers_async(&parts.headers),
        };
        Ok(Self { body, info })
    }
}

fn too_large_or_broken(error: &axum::Error) -> Problem {
    let source = std::error::Error::source(error);
    if source.is_some_and(|source| source.to_string().contains("length limit")) {
        let detail = format!("The body must be at most {MAX_BODY_BYTES} bytes.");
        return Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail);
    }
    Problem::malformed("The body ended before it was complete.")
}

fn ensure_json(headers: &HeaderMap) -> Result<(), Problem> {
    let given = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = given.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if media_type == "application/json" || (media_type.starts_with("application/") && media_type.ends_with("+json")) {
        return Ok(());
    }
    let detail = "The body must be application/json.";
    Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail))
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get(&IDEMPOTENCY_KEY) else { return Ok(None) };
    let key = value.to_str().ok().filter(|key| (1..=MAX_KEY_LENGTH).contains(&key.len()));
    let wrong = || Problem::invalid_field("Idempotency-Key", "must have 1 to 255 visible ASCII characters");
    key.map(|key| Some(key.to_owned())).ok_or_else(wrong)
}

/// `Prefer: respond-async` (RFC 7240 §4.1).
fn prefers_async(headers: &HeaderMap) -> bool {
    let values = headers.get_all(&PREFER).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|preference| preference.trim().eq_ignore_ascii_case("respond-async"))
}

/// What makes requests the same: SHA-256 of all parts under a key of the installation. Without the key, nobody can try
/// from a stored digest which password or message a request held.
#[must_use]
pub fn digest(key: &Hash, parts: &[&[u8]]) -> Hash {
    let mut inner = Sha256::new();
    inner.update(key);
    for part in parts {
        inner.update((part.len() as u64).to_be_bytes());
        inner.update(part);
    }
    // Twice, so that what was hashed cannot be lengthened (as HMAC does, RFC 2104).
    Sha256::new().chain_update(key).chain_update(inner.finalize()).finalize().into()
}
