//! JSON Web Tokens, signed with HMAC-SHA-256.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use application::ports::{Principal, TokenError, TokenIssuer, Verified};
use domain::agent::Role;
use domain::ids::{AgentId, EntityId, SessionId, VisitorId};
use domain::time::Timestamp;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The shortest secret that is accepted, in bytes: the length of the signature.
pub const SECRET_MIN_BYTES: usize = 32;

/// The shortest pause between two hints at another secret.
const HINT_EVERY_SECONDS: i64 = 3600;

const AGENT_LIFETIME_SECONDS: i64 = 12 * 60 * 60;
const VISITOR_LIFETIME_SECONDS: i64 = 30 * 24 * 60 * 60;

/// The secret for signing tokens is too short to be safe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the token secret has {length} bytes; it needs at least {SECRET_MIN_BYTES}")]
pub struct SecretTooShort {
    /// How long it is, in bytes.
    pub length: usize,
}

/// Issues and checks tokens: an agent's is valid for 12 hours, a visitor's for 30 days.
#[derive(Clone)]
pub struct JwtTokens {
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
    /// The second of the last hint at another secret.
    hinted: Arc<AtomicI64>,
}

impl fmt::Debug for JwtTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtTokens").finish_non_exhaustive()
    }
}

/// What a token says. The kind of its bearer decides which claims there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Claims {
    sub: Uuid,
    #[serde(flatten)]
    bearer: Bearer,
    iat: i64,
    exp: i64,
    /// Never issued, but heeded (RFC 7519 §4.1.5).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nbf: Option<i64>,
    jti: Uuid,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Bearer {
    Agent { role: Role, sid: Uuid },
    Visitor,
}

impl JwtTokens {
    /// Signs with the secret, which all nodes of an installation share.
    ///
    /// # Errors
    /// When the secret is shorter than [`SECRET_MIN_BYTES`].
    pub fn new(secret: &[u8]) -> Result<Self, SecretTooShort> {
        if secret.len() < SECRET_MIN_BYTES {
            return Err(SecretTooShort { length: secret.len() });
        }
        Ok(Self {
            encoding: EncodingKey::from_secret(secret),
            decoding: DecodingKey::from_secret(secret),
            validation: validation(),
            hinted: Arc::new(AtomicI64::new(i64::MIN)),
        })
    }

    fn issue(&self, sub: Uuid, bearer: Bearer, at: Timestamp, lifetime_seconds: i64) -> String {
        let iat = at.as_seconds();
        let exp = iat.saturating_add(lifetime_seconds);
        let jti = Uuid::new_v5(&sub, &at.as_micros().to_be_bytes());
        jsonwebtoken::encode(
            &Header::new(Algorithm::HS256),
            &Claims { sub, bearer, iat, exp, nbf: None, jti },
            &self.encoding,
        )
        .expect("these claims are plain JSON, and HMAC takes a key of any length")
    }
}

impl JwtTokens {
    /// Reports from time to time that a token which this program could have issued has another signature. Nodes with
    /// different secrets refuse each other's tokens, which nothing else shows; a forged token looks the same.
    fn hint_at_another_secret(&self, token: &str, error: &jsonwebtoken::errors::Error, now: Timestamp) {
        let now = now.as_seconds();
        let last = self.hinted.load(Ordering::Relaxed);
        if is_of_another_secret(token, error, now) && now.saturating_sub(last) >= HINT_EVERY_SECONDS {
            self.hinted.store(now, Ordering::Relaxed);
            tracing::warn!(
                "a token with valid claims was signed with another secret: JWT_SECRET must be the same on all nodes"
            );
        }
    }
}

fn is_of_another_secret(token: &str, error: &jsonwebtoken::errors::Error, now_seconds: i64) -> bool {
    let claims = || jsonwebtoken::dangerous::insecure_decode::<Claims>(token);
    matches!(error.kind(), ErrorKind::InvalidSignature) && claims().is_ok_and(|token| token.claims.exp > now_seconds)
}

/// One algorithm, whatever a token's header asks for. The expiry is left to us: the library would ask its own clock.
fn validation() -> Validation {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.required_spec_claims = HashSet::new();
    validation.validate_exp = false;
    validation
}

impl TokenIssuer for JwtTokens {
    fn issue_agent(&self, agent: AgentId, role: Role, session: SessionId, at: Timestamp) -> String {
        self.issue(agent.uuid(), Bearer::Agent { role, sid: session.uuid() }, at, AGENT_LIFETIME_SECONDS)
    }

    fn issue_visitor(&self, visitor: VisitorId, at: Timestamp) -> String {
        self.issue(visitor.uuid(), Bearer::Visitor, at, VISITOR_LIFETIME_SECONDS)
    }

    fn agent_lifetime_seconds(&self) -> i64 {
        AGENT_LIFETIME_SECONDS
    }

    fn visitor_lifetime_seconds(&self) -> i64 {
        VISITOR_LIFETIME_SECONDS
    }

    fn verify(&self, token: &str, now: Timestamp) -> Result<Verified, TokenError> {
        let token = match jsonwebtoken::decode::<Claims>(token, &self.decoding, &self.validation) {
            Ok(token) => token,
            Err(error) => {
                self.hint_at_another_secret(token, &error, now);
                return Err(TokenError);
            }
        };
        let claims = token.claims;
        // Extensions that must be understood (RFC 7515 §4.1.11), of which there are none here.
        if token.header.crit.is_some() {
            return Err(TokenError);
        }
        if claims.exp <= now.as_seconds() || claims.nbf.is_some_and(|nbf| nbf > now.as_seconds()) {
            return Err(TokenError);
        }
        let (principal, session) = match claims.bearer {
            Bearer::Agent { role, sid } => {
                (Principal::Agent { id: AgentId::new(claims.sub), role }, Some(SessionId::new(sid)))
            }
            Bearer::Visitor => (Principal::Visitor { id: VisitorId::new(claims.sub) }, None),
        };
        let expires_at = Timestamp::from_micros(claims.exp.saturating_mul(1_000_000));
        Ok(Verified { principal, session, expires_at })
    }
}

#[cfg(test)]
mod tests;
