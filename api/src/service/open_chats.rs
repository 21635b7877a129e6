//! A bound on the open chats of one network address: otherwise one client could take every agent's slots.

use std::sync::Arc;
use std::time::Duration;

use application::command_bus::CommandBus;
use application::ports::{PlaceLimit, Places};
use domain::conversation::{Conversation, ConversationStatus};
use domain::ids::{CommandId, ConversationId, EntityId as _, VisitorId};
use domain::visitor::Visitor;
use uuid::Uuid;

use super::{Code, Refusal};

/// How long a chat counts for its address. Chats that nobody closes must not keep an address out for good.
const COUNTED_FOR: Duration = Duration::from_secs(3_600);

/// The open chats that each network address has begun or reopened in the last hour: each has a place.
#[derive(Clone)]
pub struct OpenChats {
    /// `None` where limits are off.
    places: Option<Arc<dyn Places>>,
    most: u32,
    bus: CommandBus,
}

/// The right to begin one chat, which must be settled.
#[must_use]
pub(super) struct ChatPlace {
    places: Arc<dyn Places>,
    address: String,
    reservation: Uuid,
}

impl OpenChats {
    /// Lets an address have at most this number of open chats, or any number without places.
    #[must_use]
    pub fn new(places: Option<Arc<dyn Places>>, most: u32, bus: CommandBus) -> Self {
        Self { places, most, bus }
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
        let Some(places) = &self.places else { return Ok(None) };
        if let Some(visitor_id) = known
            && self.bus.read::<Visitor>(visitor_id).await?.open_conversation_id.is_some()
        {
            return Ok(None);
        }
        match (self.reserve(places, address).await, command_id) {
            (Ok(place), _) => Ok(Some(place)),
            (Err(_), Some(id)) if self.bus.find_command(id).await?.is_some() => Ok(None),
            (Err(refusal), _) => Err(refusal),
        }
    }

    /// Reserves a place for a chat of an address.
    ///
    /// # Errors
    /// [`Code::TooManyOpenChats`], or when the log cannot be read.
    async fn reserve(&self, places: &Arc<dyn Places>, address: String) -> Result<ChatPlace, Refusal> {
        let (reservation, limit) = (self.bus.new_uuid(), PlaceLimit { most: self.most, held_for: COUNTED_FOR });
        if !places.take(&address, reservation, limit).await {
            self.forget_closed(&**places, &address).await?;
            if !places.take(&address, reservation, limit).await {
                return Err(too_many(&address));
            }
        }
        Ok(ChatPlace { places: Arc::clone(places), address, reservation })
    }

    /// Looks at the chats of a full address. The closed ones do not count.
    async fn forget_closed(&self, places: &dyn Places, address: &str) -> Result<(), Refusal> {
        let mut closed = vec![];
        for holder in places.holders(address).await {
            let id = ConversationId::from_uuid(holder);
            if self.bus.read::<Conversation>(id).await?.status == ConversationStatus::Closed {
                closed.push(holder);
            }
        }
        if !closed.is_empty() {
            places.give_back(address, &closed).await;
        }
        Ok(())
    }
}

fn too_many(address: &str) -> Refusal {
    tracing::warn!(
        address,
        "address has as many open chats as MAX_OPEN_CHATS_OF_ADDRESS allows; if it is a proxy, name it in TRUSTED_PROXIES"
    );
    let detail = "Too many chats from this address are open. Close one of them, or try again later.";
    Refusal { retry_after: Some(60), ..Refusal::new(Code::TooManyOpenChats, detail) }
}

impl ChatPlace {
    /// Gives the place to the chat that has begun, or back if none has.
    pub(super) async fn settle(self, begun: Option<ConversationId>) {
        match begun {
            Some(id) => self.places.pass_on(&self.address, (self.reservation, id.uuid()), COUNTED_FOR).await,
            None => self.places.give_back(&self.address, &[self.reservation]).await,
        }
    }
}
