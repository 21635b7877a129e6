//! What nodes pass on to each other about the moment, and which frames readers get of it.

use domain::conversation::Participant;
use domain::ids::{AgentId, ConversationId, EntityId as _};
use serde::{Deserialize, Serialize};

use super::frames::{ActivityState, Ephemeral};
use super::seats::MomentKey;

/// The most notices that wait to be passed on. More are dropped.
pub(super) const MOST_WAITING: usize = 256;

/// How long typing lasts without a repetition. Clients repeat it every five seconds.
const TYPING_MS: u64 = 10_000;

/// How long looking lasts without a repetition. Clients repeat it every fifteen seconds.
const LOOKING_MS: u64 = 30_000;

/// What nodes pass on to each other.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Notice {
    /// A participant writes.
    Typing {
        /// The conversation that the author writes in.
        conversation_id: ConversationId,
        /// The visitor or the agent.
        author: Participant,
        /// Whether the author writes.
        state: ActivityState,
        /// What a visitor has written so far, where agents may see it.
        draft: Option<String>,
    },
    /// An agent looks.
    Looking {
        /// The conversation that the agent looks at.
        conversation_id: ConversationId,
        /// The agent, who need not serve it.
        agent_id: AgentId,
        /// Whether the agent looks.
        state: ActivityState,
    },
}

impl Notice {
    pub(super) const fn conversation_id(&self) -> ConversationId {
        match self {
            Self::Typing { conversation_id, .. } | Self::Looking { conversation_id, .. } => *conversation_id,
        }
    }

    /// The person that it is about, who gets no frame.
    pub(super) const fn person(&self) -> Participant {
        match self {
            Self::Typing { author, .. } => *author,
            Self::Looking { agent_id, .. } => Participant::Agent(*agent_id),
        }
    }

    pub(super) fn key(&self) -> MomentKey {
        let kind = match self {
            Self::Typing { .. } => "typing",
            Self::Looking { .. } => "looking",
        };
        let person = match self.person() {
            Participant::Visitor(id) => id.uuid(),
            Participant::Agent(id) => id.uuid(),
        };
        (kind, self.conversation_id().uuid(), person)
    }

    /// The frame for agents.
    pub(super) fn for_agents(&self) -> Ephemeral {
        match self {
            Self::Typing { conversation_id, author, state, draft } => {
                typing(*conversation_id, (*author, *state), draft.clone())
            }
            Self::Looking { conversation_id, agent_id, state } => Ephemeral::Looking {
                conversation_id: *conversation_id,
                agent_id: *agent_id,
                state: *state,
                ttl_ms: LOOKING_MS,
            },
        }
    }

    /// The frame for the conversation's visitor, who sees that an agent writes and nothing else.
    pub(super) fn for_visitor(&self) -> Option<Ephemeral> {
        match self {
            Self::Typing { conversation_id, author: author @ Participant::Agent(_), state, .. } => {
                Some(typing(*conversation_id, (*author, *state), None))
            }
            Self::Typing { author: Participant::Visitor(_), .. } | Self::Looking { .. } => None,
        }
    }
}

fn typing(
    conversation_id: ConversationId,
    (author, state): (Participant, ActivityState),
    draft: Option<String>,
) -> Ephemeral {
    Ephemeral::Typing { conversation_id, author, state, draft, ttl_ms: TYPING_MS }
}

#[cfg(test)]
mod tests {
    use domain::ids::VisitorId;

    use super::*;

    fn notice(author: Participant, draft: Option<&str>) -> Notice {
        let (conversation_id, draft) = (ConversationId::default(), draft.map(str::to_owned));
        Notice::Typing { conversation_id, author, state: ActivityState::Started, draft }
    }

    #[test]
    fn draft_is_for_agents_and_no_visitor_sees_any() {
        let of_visitor = notice(Participant::Visitor(VisitorId::default()), Some("Hel"));
        assert!(of_visitor.for_agents().into_json().contains("Hel"));
        assert!(of_visitor.for_visitor().is_none());
        // Not even one that another node should not have sent.
        let of_agent = notice(Participant::Agent(AgentId::default()), Some("a note"));
        assert!(!of_agent.for_visitor().unwrap().into_json().contains("note"));
        let conversation_id = ConversationId::default();
        let looking = Notice::Looking { conversation_id, agent_id: AgentId::default(), state: ActivityState::Started };
        assert!(looking.for_visitor().is_none());
    }
}
