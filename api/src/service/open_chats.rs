//! A bound on the open chats of one network address: otherwise one client could take every agent's slots.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use application::command_bus::CommandBus;
use domain::conversation::{Conversation, ConversationStatus};
use domain::ids::{CommandId, ConversationId, VisitorId};
use domain::time::Timestamp;
use domain::visitor::Visitor;

use super::{Code, Refusal};

/// How long a chat counts for its address. Chats that nobody closes must not keep an address out for good.
const COUNTED_FOR: Duration = Duration::from_secs(3_600);

/// Old chats are forgotten whenever there are this many more addresses.
const FORGET_AT: usize = 1_024;

/// The open chats of each network address that this node has begun or reopened in the last hour.
#[derive(Clone)]
pub struct OpenChats {
    /// `None` where limits are off.
    most: Option<usize>,
    bus: CommandBus,
    addresses: Arc<Mutex<HashMap<String, OfAddress>>>,
}

/// The chats of one address.
#[derive(Default)]
struct OfAddress {
    chats: HashMap<ConversationId, Timestamp>,
    /// Chats that are about to begin.
    reserved: usize,
}

/// The right to begin one chat. It is given back when it is dropped.
#[must_use]
pub(super) struct ChatPlace {
    chats: OpenChats,
    address: String,
}

impl OpenChats {
    /// Lets an address have at most this number of open chats, or any number.
    #[must_use]
    pub fn new(most: Option<u32>, bus: CommandBus) -> Self {
        Self { most: most.map(|most| most as usize), bus, addresses: Arc::default() }
    }

    /// Reserves a place for a chat that a visitor begins from an address. None is needed for a visitor who goes on with an
    /// open chat, and for a request that comes again.
    ///
    /// # Errors
    /// [`Code::TooManyOpenChats`], or when the log cannot be read.
    pub(super) async fn admit(
        &self,
        address: String,
        known: Option<VisitorId>,
        command_id: Option<CommandId>,
    ) -> Result<Option<ChatPlace>, Refusal> {
        if let Some(visitor_id) = known
            && self.bus.read::<Visitor>(visitor_id).await?.open_conversation_id.is_some()
        {
            return Ok(None);
        }
        match (self.reserve(address).await, command_id) {
            (Ok(place), _) => Ok(Some(place)),
            (Err(_), Some(id)) if self.bus.find_command(id).await?.is_some() => Ok(None),
            (Err(refusal), _) => Err(refusal),
        }
    }

    /// Reserves a place for a chat of an address.
    ///
    /// # Errors
    /// [`Code::TooManyOpenChats`], or when the log cannot be read.
    async fn reserve(&self, address: String) -> Result<ChatPlace, Refusal> {
        if self.most.is_some() && !self.try_reserve(&address) {
            self.forget_closed(&address).await?;
            if !self.try_reserve(&address) {
                tracing::warn!(
                    address,
                    "address has as many open chats as MAX_OPEN_CHATS_OF_ADDRESS allows; if it is a proxy, name it in TRUSTED_PROXIES"
                );
                let detail = "Too many chats from this address are open. Close one of them, or try again later.";
                return Err(Refusal { retry_after: Some(60), ..Refusal::new(Code::TooManyOpenChats, detail) });
            }
        }
        Ok(ChatPlace { chats: self.clone(), address })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, OfAddress>> {
        self.addresses.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn try_reserve(&self, address: &str) -> bool {
        let now = self.bus.now();
        let mut addresses = self.lock();
        // Now and then, so that the map does not grow for ever.
        if addresses.len() % FORGET_AT == FORGET_AT - 1 {
            forget_old(&mut addresses, now);
        }
        let place = addresses.entry(address.to_owned()).or_default();
        place.chats.retain(|_, begun| begun.plus(COUNTED_FOR) > now);
        let has_room = place.chats.len() + place.reserved < self.most.unwrap_or(usize::MAX);
        place.reserved += usize::from(has_room);
        has_room
    }

    /// Looks at the chats of a full address. The closed ones do not count.
    async fn forget_closed(&self, address: &str) -> Result<(), Refusal> {
        let chats: Vec<_> = self.lock().get(address).map_or_else(Vec::new, |of| of.chats.keys().copied().collect());
        let mut closed = BTreeSet::new();
        for id in chats {
            if self.bus.read::<Conversation>(id).await?.status == ConversationStatus::Closed {
                closed.insert(id);
            }
        }
        if let Some(of_address) = self.lock().get_mut(address) {
            of_address.chats.retain(|id, _| !closed.contains(id));
        }
        Ok(())
    }
}

/// Forgets the chats that do not count any more, and addresses without any.
fn forget_old(addresses: &mut HashMap<String, OfAddress>, now: Timestamp) {
    addresses.retain(|_, of_address| {
        of_address.chats.retain(|_, begun| begun.plus(COUNTED_FOR) > now);
        !of_address.chats.is_empty() || of_address.reserved > 0
    });
}

impl ChatPlace {
    /// Notes the chat that has begun.
    pub(super) fn take(self, id: ConversationId) {
        if self.chats.most.is_some() {
            let now = self.chats.bus.now();
            self.chats.lock().entry(self.address.clone()).or_default().chats.insert(id, now);
        }
    }
}

impl Drop for ChatPlace {
    fn drop(&mut self) {
        if let Some(of_address) = self.chats.lock().get_mut(&self.address) {
            of_address.reserved = of_address.reserved.saturating_sub(1);
        }
    }
}
