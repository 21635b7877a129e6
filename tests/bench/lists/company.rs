//! The agents of the company, and how its chats are sorted.

use std::collections::BTreeSet;

use application::agents::{Bootstrap, RegisterAgent};
use application::command_bus::{CommandBus, UseCase};
use application::groups::{AddMembers, CreateGroup};
use application::ports::{CredentialStore, PasswordHasher, Principal};
use application::tags::CreateTag;
use domain::agent::{AgentStatus, ChatLimit, Registration, Role};
use domain::ids::{AgentId, GroupId, TagId};
use domain::routing::RoutingStrategy;
use harness::{ADMIN_EMAIL, PASSWORD};
use infrastructure::auth::{Argon2PasswordHasher, SqlCredentialStore};
use infrastructure::database::Database;

use super::texts::{email, name};

/// Serves far more chats than the others.
pub const BUSY_AGENT: &str = "agent0@example.com";
pub const TAGS: [&str; 8] = ["billing", "delivery", "returns", "bug", "vip", "complaint", "praise", "spam"];
/// Its agents have gone away, so that its chats wait.
pub const AWAY_GROUP: &str = "Overseas";

/// An agent, with what the choice among them needs.
pub struct Worker {
    pub id: AgentId,
    pub slots: usize,
    pub weight: usize,
}

pub struct Team {
    pub id: GroupId,
    /// Places in the list of workers.
    pub members: Vec<usize>,
}

pub struct Company {
    pub workers: Vec<Worker>,
    /// The default group first, the one whose agents go away last.
    pub teams: Vec<Team>,
    pub tags: Vec<TagId>,
}

/// How many chats an agent may serve at once.
pub const LIMIT: usize = 20;

impl Company {
    /// A company that is large enough for this number of conversations.
    pub async fn found(bus: &CommandBus, database: &Database, conversations: usize) -> Self {
        let founder = Founder::new(bus, database).await;
        let (admin, default_group) = founder.begin().await;
        let mut company = Self { workers: vec![], teams: vec![], tags: vec![] };
        for number in 0..(conversations / 1_000).clamp(12, 100) {
            let id = founder.hire(admin, number).await;
            company.workers.push(Worker { id, slots: 0, weight: if number == 0 { 25 } else { 1 + number % 3 } });
        }
        company.teams.push(Team { id: default_group, members: (0..company.workers.len()).collect() });
        let teams = (company.workers.len() / 8).clamp(3, 12);
        for number in 1..teams {
            let title = if number == teams - 1 { AWAY_GROUP.to_owned() } else { format!("Team {number}") };
            let members: Vec<_> = (0..company.workers.len()).filter(|worker| worker % teams == number).collect();
            let id = founder.gather(admin, &title, members.iter().map(|worker| company.workers[*worker].id)).await;
            company.teams.push(Team { id, members });
        }
        for tag in TAGS {
            company.tags.push(founder.label(admin, tag).await);
        }
        company
    }
}

struct Founder<'a> {
    bus: &'a CommandBus,
    credentials: SqlCredentialStore,
    /// One password for all: making one takes its time.
    hash: String,
}

impl<'a> Founder<'a> {
    async fn new(bus: &'a CommandBus, database: &Database) -> Self {
        let hasher = Argon2PasswordHasher::default();
        let hash = hasher.hash(PASSWORD).await.expect("a hash");
        Self { bus, credentials: SqlCredentialStore::new(database.clone()), hash }
    }

    async fn begin(&self) -> (Principal, GroupId) {
        let (group_id, admin_id) = (GroupId::new(self.bus.new_uuid()), AgentId::new(self.bus.new_uuid()));
        let admin = self.registration("Admin", ADMIN_EMAIL, Role::Admin, AgentStatus::Offline);
        self.allow(admin_id).await;
        carry_out(self.bus, "system:setup", Bootstrap { group_id, group_name: name("General"), admin_id, admin }).await;
        (Principal::Agent { id: admin_id, role: Role::Admin }, group_id)
    }

    async fn hire(&self, principal: Principal, number: usize) -> AgentId {
        let agent_id = AgentId::new(self.bus.new_uuid());
        self.allow(agent_id).await;
        let address = format!("agent{number}@example.com");
        let registration = self.registration(&format!("Agent {number}"), &address, Role::Agent, AgentStatus::Online);
        carry_out(self.bus, &principal.actor(), RegisterAgent { principal, agent_id, registration }).await;
        agent_id
    }

    async fn gather(&self, principal: Principal, title: &str, members: impl Iterator<Item = AgentId>) -> GroupId {
        let group_id = GroupId::new(self.bus.new_uuid());
        let strategy = RoutingStrategy::LeastLoaded;
        let create =
            CreateGroup { principal, group_id, name: name(title), description: None, strategy, make_default: false };
        carry_out(self.bus, &principal.actor(), create).await;
        let agent_ids: BTreeSet<_> = members.collect();
        carry_out(self.bus, &principal.actor(), AddMembers { principal, group_id, agent_ids, known_version: None })
            .await;
        group_id
    }

    async fn label(&self, principal: Principal, tag: &str) -> TagId {
        let tag_id = TagId::new(self.bus.new_uuid());
        let create = CreateTag { principal, tag_id, name: name(tag), color: None };
        carry_out(self.bus, &principal.actor(), create).await;
        tag_id
    }

    fn registration(&self, title: &str, address: &str, role: Role, status: AgentStatus) -> Registration {
        let chat_limit = ChatLimit::new(LIMIT as i64).expect("a limit");
        let (name, email, at) = (name(title), email(address), self.bus.now());
        Registration { name, email, avatar: None, role, status, accepting_chats: true, chat_limit, at }
    }

    async fn allow(&self, agent_id: AgentId) {
        self.credentials.save_hash(agent_id, &self.hash, self.bus.now()).await.expect("a password is kept");
    }
}

/// Carries out what cannot be refused.
pub async fn carry_out<U: UseCase>(bus: &CommandBus, actor: &str, use_case: U) -> U::Output {
    let context = bus.context(actor.to_owned(), bus.new_uuid());
    let done = bus.execute(context, use_case).await;
    done.unwrap_or_else(|error| panic!("{actor} is refused: {error:?}")).output
}
