use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use application::UseCaseError;
use application::agents::{Bootstrap, RegisterAgent, SetStatus};
use application::chat::{AssignAgent, ChatReceipt, Chooser, CloseChat, MarkRead, SendMessage, StartChat};
use application::command_bus::{CommandBus, UnitOfWork, UseCase};
use application::ports::{Clock, EventLog, Ids, LogEvent, Principal, StreamId};
use application::process_managers::router::Router;
use application::testing::MemoryLog;
use async_trait::async_trait;
use domain::agent::{AgentStatus, ChatLimit, Registration, Role};
use domain::aggregate::Root;
use domain::group::{Group, GroupCommand};
use domain::ids::{AgentId, ConversationId, EntityId, GroupId, ThreadId, VisitorId};
use domain::routing::{RoutingDecision, RoutingStrategy};
use domain::text::{EmailAddress, MessageText, Name, PhoneNumber};
use domain::thread::{Messages, Thread, ThreadEvent};
use domain::time::Timestamp;
use domain::visitor::VisitorDetails;
use infrastructure::database::Database;
use uuid::Uuid;

use crate::routing::{RouterSubscriber, SqlAttemptStore};

/// A company with two groups and three agents, in which nothing happens by itself.
pub(crate) struct Desk<L = MemoryLog> {
    pub(crate) log: Arc<L>,
    pub(crate) bus: CommandBus,
    pub(crate) admin: AgentId,
    /// The first is the default group, which has all agents; the second has none.
    pub(crate) groups: [GroupId; 2],
    pub(crate) agents: [AgentId; 3],
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
}

impl Desk {
    /// The principal has read the conversation up to its last message but some.
    pub(crate) async fn read(
        &self,
        principal: Principal,
        conversation_id: ConversationId,
        but: usize,
    ) -> Result<(), UseCaseError> {
        let mut read = BTreeMap::<_, Messages>::new();
        let mut marks = vec![];
        for event in self.log.events() {
            let Some(ThreadEvent::MessageSent { conversation_id: id, author, .. }) = event.event.of::<Thread>() else {
                continue;
            };
            if *id == conversation_id {
                let thread_id = ThreadId::from_uuid(event.header.aggregate_id);
                let count = read.entry(thread_id).or_default();
                count.add(*author);
                marks.push((thread_id, event.header.position, *count));
            }
        }
        let Some((thread_id, up_to, read)) = marks.into_iter().rev().nth(but) else { return Ok(()) };
        self.act(MarkRead { principal, conversation_id, thread_id, up_to, read }).await.map(|_| ())
    }

    pub(crate) async fn open() -> Self {
        let time = Arc::new(Time::default());
        Self::over(MemoryLog::new(), time.clone(), time).await
    }
}

impl<L: EventLog> Desk<L> {
    pub(crate) async fn over(log: Arc<L>, clock: Arc<dyn Clock>, ids: Arc<dyn Ids>) -> Self {
        let bus = CommandBus::new(log.clone(), clock.clone(), ids.clone());
        let admin = AgentId::from_uuid(bus.new_uuid());
        let groups = [GroupId::from_uuid(bus.new_uuid()), GroupId::from_uuid(bus.new_uuid())];
        let agents = std::array::from_fn(|_| AgentId::from_uuid(bus.new_uuid()));
        let desk = Self { log, bus, admin, groups, agents, clock, ids };
        desk.furnish().await;
        desk
    }

    async fn furnish(&self) {
        let [group_id, other] = self.groups;
        let admin = self.registration("Ada", Role::Admin);
        let group_name = name("Support");
        self.act(Bootstrap { group_id, group_name, admin_id: self.admin, admin }).await.unwrap();
        let strategy = RoutingStrategy::RoundRobin;
        let create = GroupCommand::Create { name: name("Sales"), description: None, strategy, at: self.bus.now() };
        self.tell::<Group>(other, create).await.unwrap();
        for (agent_id, name) in self.agents.into_iter().zip(["Anna", "Ben", "Çelik"]) {
            let registration = self.registration(name, Role::Agent);
            self.act(RegisterAgent { principal: self.supervisor(), agent_id, registration }).await.unwrap();
        }
    }

    pub(crate) fn registration(&self, called: &str, role: Role) -> Registration {
        Registration {
            name: name(called),
            email: EmailAddress::parse(&format!("{called}@Example.com")).unwrap(),
            avatar: None,
            role,
            status: AgentStatus::Online,
            accepting_chats: true,
            chat_limit: ChatLimit::default(),
            at: self.bus.now(),
        }
    }

    /// Carries out a use case.
    pub(crate) async fn act<U: UseCase>(&self, use_case: U) -> Result<U::Output, UseCaseError> {
        let context = self.bus.context("system:test".to_owned(), Uuid::nil());
        self.bus.execute(context, use_case).await.map(|executed| executed.output)
    }

    /// Gives one aggregate a command.
    pub(crate) async fn tell<A: Root>(&self, id: A::Id, command: A::Command) -> Result<bool, UseCaseError>
    where
        Tell<A>: UseCase<Output = bool>,
    {
        self.act(Tell { id, command }).await
    }

    pub(crate) const fn supervisor(&self) -> Principal {
        Principal::Agent { id: self.admin, role: Role::Admin }
    }

    pub(crate) async fn start(&self, visitor_id: VisitorId, group_id: Option<GroupId>) -> ChatReceipt {
        self.try_start(visitor_id, group_id).await.unwrap()
    }

    pub(crate) async fn try_start(
        &self,
        visitor_id: VisitorId,
        group_id: Option<GroupId>,
    ) -> Result<ChatReceipt, UseCaseError> {
        let details = VisitorDetails {
            name: Some(name("Vera")),
            email: Some(EmailAddress::parse("vera@example.com").unwrap()),
            phone: Some(PhoneNumber::parse("+49 30 1").unwrap()),
        };
        self.begin(visitor_id, details, group_id, "Hello! Grüße 🦀").await
    }

    pub(crate) async fn begin(
        &self,
        visitor_id: VisitorId,
        details: VisitorDetails,
        group_id: Option<GroupId>,
        text: &str,
    ) -> Result<ChatReceipt, UseCaseError> {
        let text = MessageText::parse(text).unwrap();
        self.act(StartChat { visitor_id, details, group_id, text, client_event_id: None, metadata: None }).await
    }

    /// A chat of a new visitor with the default group.
    pub(crate) async fn chat(&self) -> ChatReceipt {
        self.start(self.visitor(), None).await
    }

    pub(crate) fn visitor(&self) -> VisitorId {
        VisitorId::from_uuid(self.bus.new_uuid())
    }

    pub(crate) async fn assign(&self, conversation_id: ConversationId, agent_id: AgentId) -> Result<(), UseCaseError> {
        let chooser = Chooser::Person { principal: self.supervisor(), reason: None };
        self.act(AssignAgent { conversation_id, agent_id, chooser }).await
    }

    /// As the router assigns.
    pub(crate) async fn route(&self, conversation_id: ConversationId, agent_id: AgentId) -> Result<(), UseCaseError> {
        let strategy = RoutingStrategy::LeastLoaded;
        let decision = RoutingDecision { strategy, candidates: vec![], omitted_candidates: 0, attempt: 1 };
        let conversation = self.bus.read::<domain::conversation::Conversation>(conversation_id).await?;
        let group_id = conversation.group_id.expect("the chat has started");
        let chooser = Chooser::Router { group_id, decision };
        self.act(AssignAgent { conversation_id, agent_id, chooser }).await
    }

    pub(crate) async fn send(&self, principal: Principal, conversation_id: ConversationId) -> Result<(), UseCaseError> {
        self.say(principal, conversation_id, "And?").await
    }

    pub(crate) async fn say(
        &self,
        principal: Principal,
        conversation_id: ConversationId,
        text: &str,
    ) -> Result<(), UseCaseError> {
        let text = MessageText::parse(text).unwrap();
        let message =
            SendMessage { principal, conversation_id, thread_id: None, text, client_event_id: None, metadata: None };
        self.act(message).await.map(|_| ())
    }

    pub(crate) async fn close(
        &self,
        principal: Principal,
        conversation_id: ConversationId,
    ) -> Result<(), UseCaseError> {
        self.act(CloseChat { principal, conversation_id, reason: name("done"), notes: None }).await
    }

    pub(crate) async fn set_status(&self, agent_id: AgentId, status: AgentStatus) -> Result<(), UseCaseError> {
        self.act(SetStatus {
            principal: self.supervisor(),
            agent_id,
            status,
            accepting_chats: None,
            known_version: None,
        })
        .await
    }

    pub(crate) async fn add_to_group(&self, group_id: GroupId, agent_id: AgentId) -> Result<bool, UseCaseError> {
        let agent_ids = BTreeSet::from([agent_id]);
        self.tell::<Group>(group_id, GroupCommand::AddAgents { agent_ids, at: self.bus.now() }).await
    }

    /// A router over this desk, which does not run yet, with its subscriber.
    pub(crate) fn router(&self, database: &Database) -> (Arc<Router>, Arc<RouterSubscriber>) {
        let attempts = Arc::new(SqlAttemptStore::new(database.clone(), self.clock.clone(), self.ids.clone()));
        let router = Router::new(self.bus.clone(), self.clock.clone(), self.ids.clone(), attempts);
        (router.clone(), Arc::new(RouterSubscriber::new(router.memory().clone())))
    }

    pub(crate) fn event_log(&self) -> Arc<dyn EventLog> {
        self.log.clone()
    }
}

pub(crate) fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

/// One command for one aggregate.
pub(crate) struct Tell<A: Root> {
    pub(crate) id: A::Id,
    pub(crate) command: A::Command,
}

impl<A: Root> UseCase for Tell<A>
where
    A::Command: Clone + Send + Sync,
    UseCaseError: From<A::Error>,
{
    type Output = bool;

    fn locks(&self) -> Vec<StreamId> {
        vec![]
    }

    async fn run(&self, work: &mut UnitOfWork) -> Result<bool, UseCaseError> {
        work.execute::<A>(self.id, self.command.clone()).await
    }

    fn recall(&self, _: &[Arc<LogEvent>]) -> Option<bool> {
        None
    }
}

/// A clock that moves a millisecond each time it is asked, and ids that count up.
#[derive(Default)]
pub(crate) struct Time {
    asked: AtomicI64,
    ids: AtomicU64,
}

#[async_trait]
impl Clock for Time {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(1_700_000_000_000_000 + self.asked.fetch_add(1_000, Ordering::Relaxed))
    }

    async fn sleep(&self, _: Duration) {
        tokio::task::yield_now().await;
    }
}

impl Ids for Time {
    fn new_uuid(&self) -> Uuid {
        Uuid::from_u128(
            0x0190_0000_0000_7000_8000_0000_0000_0000 + u128::from(self.ids.fetch_add(1, Ordering::Relaxed)),
        )
    }

    fn fraction(&self) -> f64 {
        0.5
    }
}
