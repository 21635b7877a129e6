//! Arguments of handlers, checked once at the edge.

mod auth;
mod ids;
mod integer;
mod json;
mod position;
mod query;
mod version;
mod write;

pub use auth::{BearerToken, bearer_token, entrance};
pub use ids::{Id, OneId, TwoIds};
pub use integer::{integer, required_integer};
pub use json::parse_json;
pub use position::AtLeast;
pub use query::Query;
pub use version::KnownVersion;
pub use write::{MAX_BODY_BYTES, MAX_KEY_LENGTH, Nothing, Write, WriteInfo, double_option, read_body, read_json};
