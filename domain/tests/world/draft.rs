//! Decisions on several streams that take effect together or not at all.

use domain::agent::{AgentCommand, AgentError};
use domain::aggregate::Root;
use domain::conversation::{ConversationCommand, ConversationError};
use domain::event::AnyEvent;
use domain::group::{GroupCommand, GroupError};
use domain::ids::{AgentId, ConversationId, EntityId, GroupId, ThreadId, VisitorId};
use domain::thread::{ThreadCommand, ThreadError};
use domain::visitor::{VisitorCommand, VisitorError};
use uuid::Uuid;

use super::invariants::only_a_supervisor_exceeds_the_limit;
use super::{Agents, Conversations, Groups, Map, Threads, Visitors, World};

/// Why a use case did not come about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    Conversation(ConversationError),
    Thread(ThreadError),
    Agent(AgentError),
    Group(GroupError),
    Visitor(VisitorError),
}

macro_rules! refusals {
    ($($name:ident($error:ty)),+) => {$(
        impl From<$error> for Refusal {
            fn from(error: $error) -> Self {
                Self::$name(error)
            }
        }
    )+};
}

refusals!(
    Conversation(ConversationError),
    Thread(ThreadError),
    Agent(AgentError),
    Group(GroupError),
    Visitor(VisitorError)
);

/// The state of every aggregate.
#[derive(Clone, Debug, Default)]
pub struct Streams {
    pub conversations: Conversations,
    pub threads: Threads,
    pub agents: Agents,
    pub groups: Groups,
    pub visitors: Visitors,
}

/// What a use case has decided so far.
#[derive(Debug)]
pub struct Draft {
    pub streams: Streams,
    events: Vec<(Uuid, AnyEvent)>,
}

impl Draft {
    pub fn chat(&mut self, id: ConversationId, command: ConversationCommand) -> Result<(), Refusal> {
        decide(&mut self.streams.conversations, &mut self.events, id, command, AnyEvent::Conversation)
    }

    pub fn thread(&mut self, id: ThreadId, command: ThreadCommand) -> Result<(), Refusal> {
        decide(&mut self.streams.threads, &mut self.events, id, command, AnyEvent::Thread)
    }

    pub fn agent(&mut self, id: AgentId, command: AgentCommand) -> Result<(), Refusal> {
        decide(&mut self.streams.agents, &mut self.events, id, command, AnyEvent::Agent)
    }

    pub fn group(&mut self, id: GroupId, command: GroupCommand) -> Result<(), Refusal> {
        decide(&mut self.streams.groups, &mut self.events, id, command, AnyEvent::Group)
    }

    pub fn visitor(&mut self, id: VisitorId, command: VisitorCommand) -> Result<(), Refusal> {
        decide(&mut self.streams.visitors, &mut self.events, id, command, AnyEvent::Visitor)
    }
}

fn decide<A>(
    map: &mut Map<A::Id, A>,
    events: &mut Vec<(Uuid, AnyEvent)>,
    id: A::Id,
    command: A::Command,
    any: fn(A::Event) -> AnyEvent,
) -> Result<(), Refusal>
where
    A: Root,
    A::Id: Ord,
    Refusal: From<A::Error>,
{
    let mut aggregate = map.get(&id).cloned().unwrap_or_default();
    let decided = aggregate.decide(command)?;
    for event in decided {
        aggregate.apply(event.clone());
        events.push((id.uuid(), any(event)));
        map.insert(id, aggregate.clone());
    }
    Ok(())
}

impl World {
    /// One append of all that the use case decides, or nothing.
    pub fn atomically(&mut self, use_case: impl FnOnce(&mut Draft) -> Result<(), Refusal>) -> Result<(), Refusal> {
        let mut draft = Draft { streams: self.streams.clone(), events: vec![] };
        use_case(&mut draft)?;
        if self.agents_first {
            draft.events.sort_by_key(|(_, event)| !matches!(event, AnyEvent::Agent(_)));
        }
        only_a_supervisor_exceeds_the_limit(&draft.events);
        for (id, event) in draft.events {
            self.ledger.enter(id, &event);
            self.log.push((id, event));
        }
        self.streams = draft.streams;
        Ok(())
    }
}
