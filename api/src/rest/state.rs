//! The state of this door: handlers take the part that they need.

use std::sync::Arc;

use application::InstallationKey;
use axum::extract::FromRef;

use super::respond::Responder;
use crate::edge::Edge;
use crate::service::Services;

/// Everything that handlers and layers share.
#[derive(Clone)]
pub struct RestState {
    /// The application.
    pub services: Arc<Services>,
    /// The outer edge of the program.
    pub edge: Arc<Edge>,
    /// Makes changes, with the first answers of this door.
    pub responder: Responder,
    /// Makes the digests and the ids of requests worthless to others.
    pub installation_key: InstallationKey,
}

impl FromRef<RestState> for Arc<Services> {
    fn from_ref(state: &RestState) -> Self {
        Self::clone(&state.services)
    }
}

impl FromRef<RestState> for Arc<Edge> {
    fn from_ref(state: &RestState) -> Self {
        Self::clone(&state.edge)
    }
}

impl FromRef<RestState> for Responder {
    fn from_ref(state: &RestState) -> Self {
        state.responder.clone()
    }
}

impl FromRef<RestState> for InstallationKey {
    fn from_ref(state: &RestState) -> Self {
        state.installation_key
    }
}
