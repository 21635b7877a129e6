//! What handlers take from requests, checked once at the edge.

mod auth;
mod fields;
mod ids;
mod json;
mod query;
mod request_id;
mod version;
mod whole;
mod write;

pub use auth::{Agent, AuthenticatedAt, Caller, Session, authenticate, is_monitor, named_principal, optional_visitor};
pub use fields::Fields;
pub use ids::{Id, OneId, TwoIds};
pub use json::parse_json;
pub use query::Query;
pub use request_id::{RequestId, assign_request_id};
pub use version::KnownVersion;
pub use whole::whole;
pub use write::{MAX_BODY_BYTES, MAX_KEY_LENGTH, Nothing, Write, WriteInfo, digest, given};
