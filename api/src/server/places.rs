//! Places for connections: so many in all, and so many of them for one address.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::ConnectionLimits;
use super::client_address::{TrustedProxies, network_of};

/// How often the same warning is written at most.
const WARN_EVERY: Duration = Duration::from_secs(60);

/// Hands out places.
pub(super) struct Places {
    all: Arc<Semaphore>,
    of_one_address: usize,
    trusted: TrustedProxies,
    taken: Arc<Taken>,
    full: Warning,
    greedy: Warning,
}

/// A place that is nobody's yet.
pub(super) struct FreePlace {
    _permit: OwnedSemaphorePermit,
}

/// The place of one connection, until it is dropped.
pub(super) struct Place {
    _free: FreePlace,
    counted: Option<(Arc<Taken>, IpAddr)>,
}

/// How many places each network has.
type Taken = Mutex<HashMap<IpAddr, usize>>;

impl Places {
    pub(super) fn new(limits: ConnectionLimits, trusted: TrustedProxies) -> Self {
        Self {
            all: Arc::new(Semaphore::new(limits.open)),
            of_one_address: limits.of_one_address,
            trusted,
            taken: Arc::default(),
            full: Warning::default(),
            greedy: Warning::default(),
        }
    }

    /// Waits for a free place.
    pub(super) async fn free(&mut self) -> FreePlace {
        if self.all.available_permits() == 0 && self.full.is_due() {
            tracing::warn!("as many connections are open as may be: new ones wait");
        }
        match Arc::clone(&self.all).acquire_owned().await {
            Ok(permit) => FreePlace { _permit: permit },
            // The semaphore is never closed.
            Err(_) => std::future::pending().await,
        }
    }

    /// Gives a place to an address, unless it has as many as it may have. Trusted proxies stand for many clients and may
    /// have all.
    pub(super) fn give(&mut self, free: FreePlace, peer: SocketAddr) -> Option<Place> {
        let address = peer.ip().to_canonical();
        if self.trusted.trusts(address) {
            return Some(Place { _free: free, counted: None });
        }
        let network = network_of(address);
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(network).or_insert(0);
        if *count >= self.of_one_address {
            if self.greedy.is_due() {
                tracing::warn!(%network, "an address has as many connections as it may have: more are closed");
            }
            return None;
        }
        *count += 1;
        Some(Place { _free: free, counted: Some((Arc::clone(&self.taken), network)) })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some((taken, network)) = &self.counted else { return };
        let mut taken = taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(network) {
            *count -= 1;
            if *count == 0 {
                taken.remove(network);
            }
        }
    }
}

/// A warning that clients could otherwise make fill the disk.
#[derive(Default)]
struct Warning {
    last: Option<Instant>,
}

impl Warning {
    fn is_due(&mut self) -> bool {
        let is_due = self.last.is_none_or(|last| last.elapsed() >= WARN_EVERY);
        if is_due {
            self.last = Some(Instant::now());
        }
        is_due
    }
}
