//! A small world in memory: aggregates that change together or not at all, a log, and a router that reads it.

mod draft;
mod invariants;
mod router;
pub mod step;
mod use_cases;

use std::collections::BTreeMap;

use domain::agent::{Agent, AgentCommand, AgentStatus, ChatLimit, Registration, Role};
use domain::conversation::Conversation;
use domain::event::AnyEvent;
use domain::group::{Group, GroupCommand};
use domain::ids::{AgentId, ConversationId, GroupId, ThreadId, VisitorId};
use domain::routing::RoutingStrategy;
use domain::text::{EmailAddress, Name};
use domain::thread::Thread;
use domain::time::Timestamp;
use domain::visitor::Visitor;
use uuid::Uuid;

pub use draft::Refusal;
use draft::Streams;
use invariants::Ledger;
use router::Router;

pub const AGENTS: usize = 4;
pub const GROUPS: usize = 3;
pub const VISITORS: usize = 8;

const STRATEGIES: [RoutingStrategy; 3] =
    [RoutingStrategy::LeastLoaded, RoutingStrategy::RoundRobin, RoutingStrategy::Sticky];

/// Everything there is.
#[derive(Clone, Debug, Default)]
pub struct World {
    streams: Streams,
    /// Position 1 stands first.
    log: Vec<(Uuid, AnyEvent)>,
    ledger: Ledger,
    router: Router,
    now: Timestamp,
    /// Whether an append holds the agents' events before the conversations'.
    agents_first: bool,
    ids_given: u128,
}

impl World {
    /// Agents with these limits, online; each group holds the agents whose bits are set.
    pub fn new(limits: [i64; AGENTS], members: [u8; GROUPS]) -> Self {
        let mut world = Self::default();
        for (index, chats) in limits.into_iter().enumerate() {
            world.register(index, chats).expect("agents register once");
        }
        for (index, members) in members.into_iter().enumerate() {
            world.create_group(index, members).expect("groups are created once");
        }
        world
    }

    /// The same, but each append holds the agents' events first.
    pub fn with_agents_first(mut self, agents_first: bool) -> Self {
        self.agents_first = agents_first;
        self
    }

    fn register(&mut self, index: usize, chats: i64) -> Result<(), Refusal> {
        let registration = Registration {
            name: name("Agent"),
            email: EmailAddress::parse("agent@example.com").expect("a fine address"),
            avatar: None,
            role: Role::Agent,
            status: AgentStatus::Online,
            accepting_chats: true,
            chat_limit: ChatLimit::new(chats).expect("within 1 to 20"),
            at: self.now,
        };
        self.atomically(|draft| draft.agent(agent_id(index), AgentCommand::Register(registration)))
    }

    fn create_group(&mut self, index: usize, members: u8) -> Result<(), Refusal> {
        let (id, at) = (group_id(index), self.now);
        let agent_ids = (0..AGENTS).filter(|agent| members & (1 << agent) != 0).map(agent_id).collect();
        let create = GroupCommand::Create { name: name("Group"), description: None, strategy: STRATEGIES[index], at };
        self.atomically(|draft| {
            draft.group(id, create)?;
            draft.group(id, GroupCommand::AddAgents { agent_ids, at })
        })
    }

    fn new_id(&mut self) -> Uuid {
        self.ids_given += 1;
        // An odd factor makes ids unique, and unrelated to the order of creation.
        Uuid::from_u128(0x1_0000 + (self.ids_given * 40_503) % 0x1_0000)
    }

    /// How many chats are served.
    pub fn count_slots(&self) -> usize {
        self.streams.agents.values().map(|agent| agent.slots.len()).sum()
    }
}

pub fn agent_id(index: usize) -> AgentId {
    AgentId::new(Uuid::from_u128(0xA000 + index as u128))
}

pub fn group_id(index: usize) -> GroupId {
    GroupId::new(Uuid::from_u128(0xB000 + index as u128))
}

pub fn visitor_id(index: usize) -> VisitorId {
    VisitorId::new(Uuid::from_u128(0xC000 + index as u128))
}

fn name(text: &str) -> Name {
    Name::parse(text).expect("a fine name")
}

type Map<I, A> = BTreeMap<I, A>;
type Conversations = Map<ConversationId, Conversation>;
type Threads = Map<ThreadId, Thread>;
type Agents = Map<AgentId, Agent>;
type Groups = Map<GroupId, Group>;
type Visitors = Map<VisitorId, Visitor>;
