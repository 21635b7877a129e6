//! The live stream as a WebSocket and as server-sent events: the same frames in two forms. A door translates: which frames
//! there are for whom is [`crate::service::stream`]'s to say.

mod asyncapi;
mod close;
mod inbound;
mod meters;
mod origin;
mod socket;
mod sse;

use std::sync::Arc;

use crate::edge::Edge;
use crate::server::OpenConnection;
use crate::server::client_address::ClientAddress;
use crate::service::Services;
pub use asyncapi::document;
pub use origin::ensure_allowed;
pub use socket::accept;
pub use sse::{Proof, Wanted, answer};

/// The name of this protocol among WebSocket subprotocols.
pub const PROTOCOL: &str = "livechatlog.v1";

/// What a stream works with.
pub struct Context {
    /// The application.
    pub services: Arc<Services>,
    /// The outer edge of the program.
    pub edge: Arc<Edge>,
    /// The connection, which counts towards the limits and notices a drain; absent in a router without a server.
    pub connection: Option<OpenConnection>,
    /// The network address that the connection counts for.
    pub address: ClientAddress,
}
