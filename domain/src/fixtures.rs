//! Fixed people, chats and moments for the tests of the rules.

use uuid::Uuid;

use crate::assignment::{Candidate, RoutingDecision, RoutingStrategy, Verdict};
use crate::ids::{AgentId, ConversationId, EventId, GroupId, TagId, ThreadId, VisitorId};
use crate::text::{EmailAddress, Name, Note};
use crate::time::Timestamp;

pub(crate) const ANNA: AgentId = AgentId::new(Uuid::from_u128(0xA1));
pub(crate) const BERT: AgentId = AgentId::new(Uuid::from_u128(0xA2));
pub(crate) const CARA: AgentId = AgentId::new(Uuid::from_u128(0xA3));

pub(crate) const VERA: VisitorId = VisitorId::new(Uuid::from_u128(0xB1));
pub(crate) const STRANGER: VisitorId = VisitorId::new(Uuid::from_u128(0xB2));

pub(crate) const CHAT: ConversationId = ConversationId::new(Uuid::from_u128(0xC1));
pub(crate) const OTHER_CHAT: ConversationId = ConversationId::new(Uuid::from_u128(0xC2));

pub(crate) const THREAD: ThreadId = ThreadId::new(Uuid::from_u128(0xD1));
pub(crate) const NEXT_THREAD: ThreadId = ThreadId::new(Uuid::from_u128(0xD2));

pub(crate) const SALES: GroupId = GroupId::new(Uuid::from_u128(0xE1));
pub(crate) const SUPPORT: GroupId = GroupId::new(Uuid::from_u128(0xE2));

pub(crate) const VIP: TagId = TagId::new(Uuid::from_u128(0xF1));
pub(crate) const SPAM: TagId = TagId::new(Uuid::from_u128(0xF2));

pub(crate) const MESSAGE: EventId = EventId::new(Uuid::from_u128(0x51));

/// Seconds after a fixed moment.
pub(crate) const fn at(second: i64) -> Timestamp {
    Timestamp::from_micros(1_700_000_000_000_000 + second * 1_000_000)
}

pub(crate) fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

pub(crate) fn note(text: &str) -> Note {
    Note::parse(text).unwrap()
}

pub(crate) fn email(text: &str) -> EmailAddress {
    EmailAddress::parse(text).unwrap()
}

/// A routing decision for this agent.
pub(crate) fn decision(agent_id: AgentId) -> RoutingDecision {
    RoutingDecision {
        strategy: RoutingStrategy::LeastLoaded,
        candidates: vec![Candidate {
            agent_id,
            verdict: Verdict::Chosen,
            active_chats: 0,
            chat_limit: 6,
            gave_back: false,
        }],
        omitted_candidates: 0,
        attempt: 1,
    }
}
