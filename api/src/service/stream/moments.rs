//! What is about the moment: who writes and who looks. Nobody stores it, each node passes it on to its own readers, and a
//! reader who has more important things to read misses it.

use std::sync::Arc;

use application::UseCaseError;
use application::chat::Parties;
use application::ports::Principal;
use domain::conversation::{Conversation, Participant};
use domain::ids::{AgentId, ConversationId, EntityId as _};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use super::frames::{ActivityState, Ephemeral};
use super::hub::Hub;
use super::seats::{MomentKey, Seat};

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
        /// The agent.
        agent_id: AgentId,
        /// Whether the agent looks.
        state: ActivityState,
    },
}

impl Notice {
    const fn conversation_id(&self) -> ConversationId {
        match self {
            Self::Typing { conversation_id, .. } | Self::Looking { conversation_id, .. } => *conversation_id,
        }
    }

    /// The person that it is about, who gets no frame.
    const fn person(&self) -> Participant {
        match self {
            Self::Typing { author, .. } => *author,
            Self::Looking { agent_id, .. } => Participant::Agent(*agent_id),
        }
    }

    fn key(&self) -> MomentKey {
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
    fn for_agents(&self) -> Ephemeral {
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
    fn for_visitor(&self) -> Option<Ephemeral> {
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

impl Hub {
    /// Takes a notice of this or of another node. It never waits: a notice too many is dropped.
    pub fn note(&self, message: &str) {
        match serde_json::from_str(message) {
            Ok(notice) => drop(self.notices.try_send(notice)),
            Err(error) => tracing::debug!(%error, "ignoring a notice that cannot be read"),
        }
    }

    /// Passes notices on to the readers of this node, until the task is dropped.
    pub async fn pass_on_notices(self: Arc<Self>, mut notices: mpsc::Receiver<Notice>) {
        while let Some(notice) = notices.recv().await {
            if let Err(error) = self.pass_on(&notice).await {
                tracing::debug!(error = &error as &dyn std::error::Error, "a notice could not be passed on");
            }
        }
        // The hub holds a sender: this is not reached.
        std::future::pending::<()>().await;
    }

    async fn pass_on(&self, notice: &Notice) -> Result<(), UseCaseError> {
        let seats = self.seats.all();
        if seats.is_empty() {
            return Ok(());
        }
        let conversation = self.renderer.bus.read::<Conversation>(notice.conversation_id()).await?;
        let (parties, key) = (Parties::from(&*conversation), notice.key());
        let agents: Arc<str> = notice.for_agents().to_json().into();
        let visitor: Option<Arc<str>> = notice.for_visitor().map(|frame| frame.to_json().into());
        for seat in seats.iter().filter(|seat| is_for(seat, &parties, notice.person())) {
            let frame = if seat.reader.is_agent() { Some(&agents) } else { visitor.as_ref() };
            if let Some(frame) = frame {
                seat.whisper(key, Arc::clone(frame));
            }
        }
        Ok(())
    }
}

fn is_for(seat: &Seat, parties: &Parties, person: Participant) -> bool {
    let is_the_person = match (seat.reader.principal, person) {
        (Principal::Visitor { id }, Participant::Visitor(person)) => id == person,
        (Principal::Agent { id, .. }, Participant::Agent(person)) => id == person,
        (Principal::Visitor { .. }, Participant::Agent(_)) | (Principal::Agent { .. }, Participant::Visitor(_)) => {
            false
        }
    };
    !is_the_person && seat.reader.may_read(parties)
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
        assert!(of_visitor.for_agents().to_json().contains("Hel"));
        assert!(of_visitor.for_visitor().is_none());
        // Not even one that another node should not have sent.
        let of_agent = notice(Participant::Agent(AgentId::default()), Some("a note"));
        assert!(!of_agent.for_visitor().unwrap().to_json().contains("note"));
        let conversation_id = ConversationId::default();
        let looking = Notice::Looking { conversation_id, agent_id: AgentId::default(), state: ActivityState::Started };
        assert!(looking.for_visitor().is_none());
    }
}
