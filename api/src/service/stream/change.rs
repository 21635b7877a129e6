//! An event of the log, rendered once for each audience.

use std::sync::Arc;

use application::chat::Parties;
use application::ports::{Position, Principal};
use domain::ids::{AgentId, VisitorId};

use super::End;
use super::frames::{Content, Kind, MAX_CONTENT, Thing};
use super::reader::Reader;

/// The JSON of a [`Content`] without its first brace: the rest of a frame that begins with the reader's positions.
pub(super) type Body = Arc<str>;

/// The body of a content; `None` when it is too large for a frame.
pub(super) fn body(content: &Content) -> Option<Body> {
    let json = serde_json::to_string(content).expect("contents are plain JSON");
    (json.len() <= MAX_CONTENT).then(|| json[1..].into())
}

/// The same for the state of a thing: when it is too large, the reader is sent to read it.
pub(super) fn body_of(content: &Content, kind: Kind, id: uuid::Uuid) -> Body {
    body(content).unwrap_or_else(|| small(&Content::Changed { data: Thing { kind, id } }))
}

/// The body of a content that always fits.
pub(super) fn small(content: &Content) -> Body {
    body(content).expect("ids fit into a frame")
}

/// What an event means to whom.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) position: Position,
    pub(super) scope: Scope,
    /// The readers whose streams end here.
    pub(super) ends: Option<Ends>,
}

/// The readers of a change.
#[derive(Debug)]
pub(super) enum Scope {
    /// There are none.
    Nobody,
    /// The readers of a conversation.
    Conversation {
        /// The parties before the event; `None` where it takes the conversation from nobody.
        before: Option<Parties>,
        now: Parties,
        visitor: Body,
        agents: Body,
        /// For those who could read the conversation before the event, and cannot any more.
        removed: Option<Body>,
    },
    /// All agents, and visitors of certain conversations.
    Staff { agents: Body, visitors: Vec<(VisitorId, Body)> },
    /// Agents who may read any of these conversations.
    Erased { conversations: Vec<Parties>, agents: Body },
}

/// A change of readers' own rights.
#[derive(Debug)]
pub(super) enum Ends {
    Erased(VisitorId),
    Deleted(AgentId),
    Role(AgentId),
    Groups(Vec<AgentId>),
}

/// What a reader gets of a change.
pub(super) enum Given<'a> {
    Frame(&'a Body),
    End(End),
}

impl Change {
    /// What the reader gets of it.
    pub(super) fn given_to(&self, reader: &Reader) -> Option<Given<'_>> {
        if let Some(end) = self.ends.as_ref().and_then(|ends| ends.of(reader)) {
            return Some(Given::End(end));
        }
        self.scope.body_for(reader).map(Given::Frame)
    }
}

impl Scope {
    fn body_for(&self, reader: &Reader) -> Option<&Body> {
        match self {
            Self::Nobody => None,
            Self::Conversation { before, now, visitor, agents, removed } => {
                if reader.may_read(now) {
                    return Some(if reader.is_agent() { agents } else { visitor });
                }
                removed.as_ref().filter(|_| before.as_ref().is_some_and(|parties| reader.may_read(parties)))
            }
            Self::Staff { agents, visitors } => match reader.principal {
                Principal::Agent { .. } => Some(agents),
                Principal::Visitor { id } => visitors.iter().find(|(visitor, _)| *visitor == id).map(|(_, body)| body),
            },
            Self::Erased { conversations, agents } => {
                (reader.is_agent() && conversations.iter().any(|one| reader.may_read(one))).then_some(agents)
            }
        }
    }

    /// The bytes that it keeps in memory.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Nobody => 0,
            Self::Conversation { visitor, agents, .. } => visitor.len() + agents.len(),
            Self::Staff { agents, visitors } => agents.len() + visitors.iter().map(|(_, one)| one.len()).sum::<usize>(),
            Self::Erased { agents, .. } => agents.len(),
        }
    }
}

impl Ends {
    fn of(&self, reader: &Reader) -> Option<End> {
        match self {
            Self::Erased(id) => (reader.principal == Principal::Visitor { id: *id }).then_some(End::Revoked),
            Self::Deleted(id) => reader.is(*id).then_some(End::Revoked),
            Self::Role(id) => reader.is(*id).then_some(End::RightsChanged),
            Self::Groups(ids) => {
                let is_concerned = reader.depends_on_groups() && ids.iter().any(|id| reader.is(*id));
                is_concerned.then_some(End::RightsChanged)
            }
        }
    }
}
