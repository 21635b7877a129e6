//! The people and the group of a conversation.

use domain::conversation::{Conversation, ConversationEvent};
use domain::ids::{AgentId, GroupId, VisitorId};

/// The people and the group of a conversation, which determine who may read it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parties {
    pub visitor_id: Option<VisitorId>,
    /// The agent who serves it.
    pub agent_id: Option<AgentId>,
    /// The agent who served it last.
    pub last_agent_id: Option<AgentId>,
    pub group_id: Option<GroupId>,
}

impl From<&Conversation> for Parties {
    fn from(conversation: &Conversation) -> Self {
        let Conversation { visitor_id, agent_id, last_agent_id, group_id, .. } = *conversation;
        Self { visitor_id, agent_id, last_agent_id, group_id }
    }
}

impl Parties {
    /// The parties after an event of the conversation.
    #[must_use]
    pub fn after(self, event: &ConversationEvent) -> Self {
        match event {
            ConversationEvent::ChatStarted { visitor, group_id, .. } => {
                Self { visitor_id: Some(visitor.id), group_id: Some(*group_id), ..self }
            }
            ConversationEvent::AgentAssigned { agent_id, .. } => {
                Self { agent_id: Some(*agent_id), last_agent_id: Some(*agent_id), ..self }
            }
            ConversationEvent::ChatReturnedToQueue { group_id, .. } => {
                Self { agent_id: None, group_id: Some(*group_id), ..self }
            }
            ConversationEvent::ChatClosed { .. } => Self { agent_id: None, ..self },
            ConversationEvent::ChatReopened { .. }
            | ConversationEvent::ChatTagged { .. }
            | ConversationEvent::ChatUntagged { .. }
            | ConversationEvent::VisitorCardChanged { .. } => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use cqrs_es::Aggregate as _;
    use domain::conversation::{Assignment, Participant, QueueReason, VisitorCard};
    use domain::ids::ThreadId;
    use domain::text::Name;
    use domain::time::Timestamp;
    use domain::visitor::VisitorDetails;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn parties_after_each_event_are_those_of_the_conversation() {
        let at = Timestamp::from_micros(0);
        let (anna, ben) = (AgentId::new(Uuid::from_u128(1)), AgentId::new(Uuid::from_u128(2)));
        let (sales, support) = (GroupId::new(Uuid::from_u128(3)), GroupId::new(Uuid::from_u128(4)));
        let (thread_id, by) = (ThreadId::default(), Participant::Agent(anna));
        let visitor = VisitorCard::new(VisitorId::new(Uuid::from_u128(5)), VisitorDetails::default());
        let given = |agent_id, previous_agent_id| {
            let assignment = Assignment::Manual { by: anna, reason: None, over_limit: false };
            ConversationEvent::AgentAssigned { agent_id, previous_agent_id, thread_id, assignment, at }
        };
        let returned = ConversationEvent::ChatReturnedToQueue {
            group_id: support,
            previous_agent_id: Some(ben),
            reason: QueueReason::Transferred,
            handover: None,
            at,
        };
        let story = [
            ConversationEvent::ChatStarted { visitor, group_id: sales, thread_id, last_agent_id: None, at },
            given(anna, None),
            given(ben, Some(anna)),
            returned,
            given(anna, None),
            ConversationEvent::ChatClosed {
                by,
                reason: Name::parse("done").unwrap(),
                notes: None,
                agent_id: Some(anna),
                thread_id,
                at,
            },
            ConversationEvent::ChatReopened {
                by,
                thread_id,
                previous_thread_id: thread_id,
                group_id: support,
                last_agent_id: Some(anna),
                at,
            },
        ];
        let (mut conversation, mut parties) = (Conversation::default(), Parties::default());
        for event in story {
            parties = parties.after(&event);
            conversation.apply(event);
            assert_eq!(parties, Parties::from(&conversation));
        }
        assert_eq!((parties.group_id, parties.last_agent_id), (Some(support), Some(anna)));
    }
}
