use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::routing::RoutingState;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use super::state::fold;
use super::{RoutingPart, RoutingSnapshot};
use crate::ports::LogEvent;

/// How many choices are carried out at the same time.
const MAX_IN_FLIGHT: u32 = 64;

/// What a router knows of the log. On its own it folds events and carries nothing out; a [`Router`](super::Router) acts on it.
pub struct RouterMemory {
    /// None while another node routes.
    state: Mutex<Option<RoutingState>>,
    work: Notify,
    permits: Arc<Semaphore>,
}

impl Default for RouterMemory {
    /// Holds nothing before [`Self::load`].
    fn default() -> Self {
        let permits = Arc::new(Semaphore::new(MAX_IN_FLIGHT as usize));
        Self { state: Mutex::new(None), work: Notify::new(), permits }
    }
}

impl RouterMemory {
    /// Takes over the stored state: from now on choices follow from it.
    pub fn load(&self, snapshot: RoutingSnapshot) {
        *self.state() = Some(RoutingState::restore(snapshot));
        // Choices that were lost with the node before have no event to follow from.
        self.look_for_work();
    }

    /// Folds events and returns what to store; call [`Self::committed`] when it is. `None`: nothing was loaded.
    #[must_use]
    pub fn handle(&self, events: &[Arc<LogEvent>]) -> Option<Vec<RoutingPart>> {
        self.state().as_mut().map(|state| fold(state, events))
    }

    /// The returned parts are stored: choices may follow from them.
    pub fn committed(&self) {
        self.look_for_work();
    }

    /// Another node routes from now on: no further choice is made or carried out here.
    pub fn released(&self) {
        *self.state() = None;
    }

    /// Returns when no choice is being carried out.
    pub async fn at_rest(&self) {
        // An error would mean that the semaphore was closed, which it never is.
        drop(self.permits.acquire_many(MAX_IN_FLIGHT).await);
    }

    pub(super) fn state(&self) -> MutexGuard<'_, Option<RoutingState>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_loaded(&self) -> bool {
        self.state().is_some()
    }

    /// The right to carry out one choice. `None`: this node does not route any more.
    pub(super) async fn permit(&self) -> Option<OwnedSemaphorePermit> {
        let permit = Arc::clone(&self.permits).acquire_owned().await.ok()?;
        self.is_loaded().then_some(permit)
    }

    pub(super) fn look_for_work(&self) {
        self.work.notify_one();
    }

    pub(super) async fn work(&self) {
        self.work.notified().await;
    }
}
