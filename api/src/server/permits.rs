//! Permits for connections: a limit on all of them, and a lower one on those of a single address.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::ConnectionLimits;
use super::client_address::{TrustedProxies, network_of};

/// The shortest pause between two warnings of the same kind.
const WARN_EVERY: Duration = Duration::from_secs(60);

/// Issues the permits that connections need to stay open.
pub(super) struct ConnectionPermits {
    all: Arc<Semaphore>,
    of_one_address: usize,
    trusted: TrustedProxies,
    taken: Arc<Taken>,
    full: Warning,
    greedy: Warning,
}

/// A permit that no connection uses yet.
pub(super) struct FreePermit {
    _permit: OwnedSemaphorePermit,
}

/// The permit of one connection. Dropping it frees it for the next one.
pub(super) struct ConnectionPermit {
    _free: FreePermit,
    counted: Option<(Arc<Taken>, IpAddr)>,
}

/// The number of permits that each network holds.
type Taken = Mutex<HashMap<IpAddr, usize>>;

impl ConnectionPermits {
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

    /// Waits for a free permit.
    pub(super) async fn free(&mut self) -> FreePermit {
        if self.all.available_permits() == 0 && self.full.is_due() {
            tracing::warn!("connection limit reached; new connections are queued");
        }
        match Arc::clone(&self.all).acquire_owned().await {
            Ok(permit) => FreePermit { _permit: permit },
            // The semaphore is never closed.
            Err(_) => std::future::pending().await,
        }
    }

    /// Assigns a permit to a peer, unless its address already holds its share. Trusted proxies stand for many clients and
    /// may hold all permits.
    pub(super) fn assign(&mut self, free: FreePermit, peer: SocketAddr) -> Option<ConnectionPermit> {
        let address = peer.ip().to_canonical();
        if self.trusted.trusts(address) {
            return Some(ConnectionPermit { _free: free, counted: None });
        }
        let network = network_of(address);
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(network).or_insert(0);
        if *count >= self.of_one_address {
            if self.greedy.is_due() {
                tracing::warn!(%network, "connection limit of one address reached; its new connections are closed");
            }
            return None;
        }
        *count += 1;
        Some(ConnectionPermit { _free: free, counted: Some((Arc::clone(&self.taken), network)) })
    }
}

impl Drop for ConnectionPermit {
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

/// Limits a warning that clients could otherwise use to fill the disk.
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
