//! Connections that have not shown a valid token: a limit for each address.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The most connections of one address that have not shown a valid token.
pub const MAX_STRANGERS: usize = 200;

/// Counts them by address.
#[derive(Clone, Debug, Default)]
pub struct Strangers(Arc<Mutex<HashMap<String, usize>>>);

/// A counted connection, until it is dropped.
#[derive(Debug)]
pub struct Stranger {
    strangers: Strangers,
    address: String,
}

impl Strangers {
    /// Counts a connection; `None` if the address has too many.
    #[must_use]
    pub fn admit(&self, address: String) -> Option<Stranger> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(address.clone()).or_default();
        if *count >= MAX_STRANGERS {
            return None;
        }
        *count += 1;
        Some(Stranger { strangers: self.clone(), address })
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        let mut counts = self.strangers.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(count) = counts.get_mut(&self.address) else { return };
        *count -= 1;
        if *count == 0 {
            counts.remove(&self.address);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn address_has_room_again_when_a_connection_is_not_strange_any_more() {
        let strangers = Strangers::default();
        let mut held: Vec<_> = (0..MAX_STRANGERS).map(|_| strangers.admit("192.0.2.1".to_owned()).unwrap()).collect();
        assert!(strangers.admit("192.0.2.1".to_owned()).is_none());
        assert!(strangers.admit("192.0.2.2".to_owned()).is_some());
        held.pop();
        assert!(strangers.admit("192.0.2.1".to_owned()).is_some());
        drop(held);
        assert!(strangers.0.lock().unwrap().is_empty());
    }
}
