//! An event of any aggregate, as read from the log.

use std::any::Any;
use std::sync::OnceLock;

use cqrs_es::DomainEvent;
use cqrs_es::persist::{EventUpcaster, SerializedEvent};
use serde::{Deserialize, Deserializer};

use crate::agent::{AgentEvent, EmailClaimEvent};
use crate::aggregate::{AggregateType, Root};
use crate::conversation::ConversationEvent;
use crate::group::GroupEvent;
use crate::tag::{TagEvent, TagNameClaimEvent};
use crate::thread::ThreadEvent;
use crate::visitor::VisitorEvent;
use crate::workspace::WorkspaceEvent;

/// An event, by the kind of its aggregate.
#[derive(Clone, Debug, PartialEq)]
pub enum AnyEvent {
    Conversation(ConversationEvent),
    Thread(ThreadEvent),
    Agent(AgentEvent),
    Visitor(VisitorEvent),
    Group(GroupEvent),
    Tag(TagEvent),
    EmailClaim(EmailClaimEvent),
    TagNameClaim(TagNameClaimEvent),
    Workspace(WorkspaceEvent),
}

impl AnyEvent {
    /// An event of the aggregate `A`.
    ///
    /// # Panics
    /// Never: the kind of an aggregate determines the type of its events.
    #[must_use]
    pub fn from_aggregate<A: Root>(event: &A::Event) -> Self {
        let event: &dyn Any = event;
        match A::KIND {
            AggregateType::Conversation => Self::Conversation(copy(event)),
            AggregateType::Thread => Self::Thread(copy(event)),
            AggregateType::Agent => Self::Agent(copy(event)),
            AggregateType::Visitor => Self::Visitor(copy(event)),
            AggregateType::Group => Self::Group(copy(event)),
            AggregateType::Tag => Self::Tag(copy(event)),
            AggregateType::EmailClaim => Self::EmailClaim(copy(event)),
            AggregateType::TagNameClaim => Self::TagNameClaim(copy(event)),
            AggregateType::Workspace => Self::Workspace(copy(event)),
        }
    }

    /// Decodes a payload of the newest version; run the upcasters first.
    ///
    /// # Errors
    /// If the payload is no event of that aggregate.
    pub fn decode<'de, D: Deserializer<'de>>(kind: AggregateType, payload: D) -> Result<Self, D::Error> {
        Ok(match kind {
            AggregateType::Conversation => Self::Conversation(Deserialize::deserialize(payload)?),
            AggregateType::Thread => Self::Thread(Deserialize::deserialize(payload)?),
            AggregateType::Agent => Self::Agent(Deserialize::deserialize(payload)?),
            AggregateType::Visitor => Self::Visitor(Deserialize::deserialize(payload)?),
            AggregateType::Group => Self::Group(Deserialize::deserialize(payload)?),
            AggregateType::Tag => Self::Tag(Deserialize::deserialize(payload)?),
            AggregateType::EmailClaim => Self::EmailClaim(Deserialize::deserialize(payload)?),
            AggregateType::TagNameClaim => Self::TagNameClaim(Deserialize::deserialize(payload)?),
            AggregateType::Workspace => Self::Workspace(Deserialize::deserialize(payload)?),
        })
    }

    /// The event as one of the aggregate `A`, if it is one.
    #[must_use]
    pub fn of<A: Root>(&self) -> Option<&A::Event>
    where
        A::Event: 'static,
    {
        let event: &dyn Any = match self {
            Self::Conversation(event) => event,
            Self::Thread(event) => event,
            Self::Agent(event) => event,
            Self::Visitor(event) => event,
            Self::Group(event) => event,
            Self::Tag(event) => event,
            Self::EmailClaim(event) => event,
            Self::TagNameClaim(event) => event,
            Self::Workspace(event) => event,
        };
        event.downcast_ref()
    }

    /// As in the `event_type` column.
    #[must_use]
    pub fn event_type(&self) -> String {
        match self {
            Self::Conversation(event) => event.event_type(),
            Self::Thread(event) => event.event_type(),
            Self::Agent(event) => event.event_type(),
            Self::Visitor(event) => event.event_type(),
            Self::Group(event) => event.event_type(),
            Self::Tag(event) => event.event_type(),
            Self::EmailClaim(event) => event.event_type(),
            Self::TagNameClaim(event) => event.event_type(),
            Self::Workspace(event) => event.event_type(),
        }
    }
}

fn copy<E: Clone + 'static>(event: &dyn Any) -> E {
    event.downcast_ref::<E>().cloned().expect("the kind of an aggregate determines the type of its events")
}

/// Upcasters in the order in which they run.
pub type Upcasters = Vec<Box<dyn EventUpcaster>>;

/// The upcasters that bring every stored version of every event to the newest one.
///
/// There is none yet: every event is at its first version.
#[must_use]
pub fn upcasters() -> &'static Upcasters {
    static UPCASTERS: OnceLock<Upcasters> = OnceLock::new();
    UPCASTERS.get_or_init(Vec::new)
}

/// Brings a stored event to the newest version.
#[must_use]
pub fn upcast(event: SerializedEvent, upcasters: &Upcasters) -> SerializedEvent {
    upcasters.iter().fold(event, |event, upcaster| {
        if upcaster.can_upcast(&event.event_type, &event.event_version) { upcaster.upcast(event) } else { event }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::Agent;
    use crate::fixtures::at;
    use crate::thread::Thread;

    #[test]
    fn event_is_one_of_its_own_aggregate_alone() {
        let changed = AgentEvent::PasswordChanged { at: at(1) };
        let event = AnyEvent::Agent(changed.clone());
        assert_eq!(event.of::<Agent>(), Some(&changed));
        assert_eq!(event.of::<Thread>(), None);
    }
}
