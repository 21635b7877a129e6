use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use application::UseCaseError;
use application::command_bus::{CommandBus, UnitOfWork, UseCase};
use application::ports::{Clock, EventLog, Ids, LogEvent, StreamId};
use application::presence::{GRACE, LEASE, Presence};
use async_trait::async_trait;
use domain::agent::{Agent, AgentCommand, AgentEvent, AgentStatus, ChatLimit, Registration, Role, StatusCause};
use domain::event::AnyEvent;
use domain::ids::{AgentId, SessionId};
use domain::text::{EmailAddress, Name};
use domain::time::Timestamp;
use uuid::Uuid;

use super::SqlPresenceStore;
use crate::database::Database;
use crate::event_log::testing::start;
use crate::system::RandomIds;
use crate::testing::fresh_databases;

const ANNA: AgentId = AgentId::new(Uuid::from_u128(0xA1));
const SECOND: Duration = Duration::from_secs(1);

/// A clock that stands still until time passes, or until it is set.
#[derive(Clone, Default)]
struct Hands {
    passed: Arc<AtomicI64>,
    set: Arc<AtomicI64>,
}

impl Hands {
    fn advance(&self, duration: Duration) {
        self.passed.fetch_add(i64::try_from(duration.as_micros()).unwrap(), Ordering::SeqCst);
    }

    /// Sets the clock by these seconds.
    fn set(&self, seconds: i64) {
        self.set.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }
}

#[async_trait]
impl Clock for Hands {
    fn now(&self) -> Timestamp {
        let by = self.passed.load(Ordering::SeqCst) + self.set.load(Ordering::SeqCst);
        Timestamp::from_micros(1_700_000_000_000_000 + by)
    }

    fn elapsed(&self) -> Duration {
        Duration::from_micros(self.passed.load(Ordering::SeqCst).try_into().unwrap())
    }

    async fn sleep(&self, _: Duration) {}
}

struct Tell(AgentCommand);

impl UseCase for Tell {
    type Output = ();

    fn locks(&self) -> Vec<StreamId> {
        vec![]
    }

    async fn run(&self, work: &mut UnitOfWork) -> Result<(), UseCaseError> {
        work.execute::<Agent>(ANNA, self.0.clone()).await.map(|_| ())
    }

    fn recall(&self, _: &[Arc<LogEvent>]) -> Option<()> {
        None
    }
}

/// A node, with Anna online in the log.
struct Node {
    bus: CommandBus,
    presence: Arc<Presence>,
    database: Database,
}

impl Node {
    async fn start(database: &Database, hands: &Hands) -> Self {
        let log: Arc<dyn EventLog> = Arc::new(start(database).await);
        let bus = CommandBus::new(log, Arc::new(hands.clone()), Arc::new(RandomIds));
        let presence = Presence::new(bus.clone(), Arc::new(SqlPresenceStore::new(database.clone())));
        presence.watch();
        Self { bus, presence, database: database.clone() }
    }

    async fn tell(&self, command: AgentCommand) {
        let context = self.bus.context("system:test".to_owned(), Uuid::nil());
        self.bus.execute(context, Tell(command)).await.unwrap();
    }

    async fn register(&self) {
        let registration = Registration {
            name: Name::parse("Anna").unwrap(),
            email: EmailAddress::parse("anna@example.com").unwrap(),
            avatar: None,
            role: Role::Agent,
            status: AgentStatus::Online,
            accepting_chats: true,
            chat_limit: ChatLimit::default(),
            at: self.bus.now(),
        };
        self.tell(AgentCommand::Register(registration)).await;
    }

    async fn beat(&self, session: u128) -> AgentStatus {
        let context = self.bus.context("agent:test".to_owned(), RandomIds.new_uuid());
        let session = SessionId::new(Uuid::from_u128(session));
        self.presence.heartbeat(context, ANNA, session).await.unwrap().output.status
    }

    /// What a sweep leaves Anna as.
    async fn sweep(&self) -> AgentStatus {
        self.presence.sweep().await.unwrap();
        self.bus.read::<Agent>(ANNA).await.unwrap().status
    }

    async fn changes(&self) -> Vec<(AgentStatus, StatusCause)> {
        // Another one, which does not wait for news of what others have appended.
        let log = start(&self.database).await;
        let events = log.read_after(0, 1_000).await.unwrap();
        let change = |event: &Arc<LogEvent>| match &event.event {
            AnyEvent::Agent(AgentEvent::StatusChanged { status, cause, .. }) => Some((*status, *cause)),
            _ => None,
        };
        events.iter().filter_map(change).collect()
    }
}

async fn leases(database: &Database) -> usize {
    database.fetch_all("SELECT session_id FROM presence_leases", vec![]).await.unwrap().len()
}

#[tokio::test]
async fn agent_is_away_after_lease_and_grace_and_back_with_the_next_heartbeat() {
    for fresh in fresh_databases().await {
        let hands = Hands::default();
        let node = Node::start(&fresh.database, &hands).await;
        node.register().await;
        hands.advance(Duration::from_secs(600));
        assert_eq!(node.sweep().await, AgentStatus::Online, "an agent that never sent a heartbeat is left alone");
        assert_eq!(node.beat(1).await, AgentStatus::Online);
        hands.advance(LEASE + GRACE - SECOND);
        assert_eq!(node.sweep().await, AgentStatus::Online);
        hands.advance(SECOND);
        assert_eq!(node.sweep().await, AgentStatus::Away);
        assert_eq!(leases(&fresh.database).await, 0);
        assert_eq!(node.sweep().await, AgentStatus::Away);
        assert_eq!(node.beat(1).await, AgentStatus::Online);
        let expected =
            [(AgentStatus::Away, StatusCause::LeaseExpired), (AgentStatus::Online, StatusCause::LeaseRenewed)];
        assert_eq!(node.changes().await, expected);
    }
}

#[tokio::test]
async fn last_of_several_leases_counts() {
    for fresh in fresh_databases().await {
        let hands = Hands::default();
        let node = Node::start(&fresh.database, &hands).await;
        node.register().await;
        node.beat(1).await;
        for _ in 0..8 {
            node.beat(2).await;
            hands.advance(Duration::from_secs(15));
            assert_eq!(node.sweep().await, AgentStatus::Online);
        }
        assert_eq!(leases(&fresh.database).await, 1, "the other one is forgotten");
        hands.advance(LEASE + GRACE);
        assert_eq!(node.sweep().await, AgentStatus::Away);
    }
}

#[tokio::test]
async fn choice_of_a_person_stays() {
    for fresh in fresh_databases().await {
        let hands = Hands::default();
        let node = Node::start(&fresh.database, &hands).await;
        node.register().await;
        node.beat(1).await;
        hands.advance(LEASE + GRACE);
        assert_eq!(node.sweep().await, AgentStatus::Away);
        let (status, cause) = (AgentStatus::Away, StatusCause::SetBy { id: ANNA });
        node.tell(AgentCommand::SetStatus { status, cause, at: node.bus.now() }).await;
        assert_eq!(node.beat(1).await, AgentStatus::Away);
        // Online by hand and without heartbeats: nothing ends that could make them away.
        let status = AgentStatus::Online;
        hands.advance(LEASE + GRACE);
        assert_eq!(node.sweep().await, AgentStatus::Away);
        node.tell(AgentCommand::SetStatus { status, cause, at: node.bus.now() }).await;
        hands.advance(LEASE + GRACE);
        assert_eq!(node.sweep().await, AgentStatus::Online);
    }
}

#[tokio::test]
async fn whoever_begins_to_watch_waits_for_a_whole_lease_and_grace() {
    for fresh in fresh_databases().await {
        let hands = Hands::default();
        let node = Node::start(&fresh.database, &hands).await;
        node.register().await;
        node.beat(1).await;
        drop(node);
        // Nobody could take heartbeats for an hour.
        hands.advance(Duration::from_secs(3_600));
        let node = Node::start(&fresh.database, &hands).await;
        assert_eq!(node.sweep().await, AgentStatus::Online);
        hands.advance(LEASE + GRACE - SECOND);
        assert_eq!(node.sweep().await, AgentStatus::Online);
        // After an outage it begins again.
        node.presence.watch();
        hands.advance(SECOND);
        assert_eq!(node.sweep().await, AgentStatus::Online);
        hands.advance(LEASE + GRACE);
        assert_eq!(node.sweep().await, AgentStatus::Away, "an agent that does not come back becomes away all the same");
    }
}

/// Time passes, in which the watch looks every five seconds.
async fn pass(node: &Node, hands: &Hands, seconds: u32) -> AgentStatus {
    let mut status = node.sweep().await;
    for _ in 0..seconds / 5 {
        hands.advance(5 * SECOND);
        status = node.sweep().await;
    }
    status
}

#[tokio::test]
async fn clock_that_is_set_makes_nobody_away_at_once_and_keeps_nobody_who_has_gone() {
    for step in [-3_600, -7, 7, 300] {
        for fresh in fresh_databases().await {
            let hands = Hands::default();
            let node = Node::start(&fresh.database, &hands).await;
            node.register().await;
            node.beat(1).await;
            assert_eq!(pass(&node, &hands, 20).await, AgentStatus::Online, "{step}");
            hands.set(step);
            assert_eq!(pass(&node, &hands, 10).await, AgentStatus::Online, "{step}");
            node.beat(1).await;
            assert_eq!(pass(&node, &hands, 60).await, AgentStatus::Online, "{step}");
            // No heartbeat comes any more.
            assert_eq!(pass(&node, &hands, 20).await, AgentStatus::Away, "{step}");
        }
    }
}

#[tokio::test]
async fn agent_who_goes_before_the_clock_is_set_back_is_missed_in_time() {
    for fresh in fresh_databases().await {
        let hands = Hands::default();
        let node = Node::start(&fresh.database, &hands).await;
        node.register().await;
        node.beat(1).await;
        pass(&node, &hands, 80).await;
        node.beat(1).await;
        hands.set(-3_600);
        let lasts = u32::try_from((LEASE + GRACE).as_secs()).unwrap();
        assert_eq!(pass(&node, &hands, lasts + 5).await, AgentStatus::Away);
    }
}

#[tokio::test]
async fn lost_leases_make_nobody_away() {
    for fresh in fresh_databases().await {
        let hands = Hands::default();
        let node = Node::start(&fresh.database, &hands).await;
        node.register().await;
        node.beat(1).await;
        fresh.database.execute("DELETE FROM presence_leases", vec![]).await.unwrap();
        hands.advance(LEASE + GRACE);
        assert_eq!(node.sweep().await, AgentStatus::Online);
    }
}

#[tokio::test]
async fn end_that_two_nodes_notice_is_recorded_once() {
    for fresh in fresh_databases().await {
        let hands = Hands::default();
        let node = Node::start(&fresh.database, &hands).await;
        let other = Node::start(&fresh.database, &hands).await;
        node.register().await;
        node.beat(1).await;
        hands.advance(LEASE + GRACE);
        let (one, two) = tokio::join!(node.presence.sweep(), other.presence.sweep());
        one.and(two).unwrap();
        assert_eq!(node.changes().await, [(AgentStatus::Away, StatusCause::LeaseExpired)]);
        // Interrupted before the lease was forgotten, and set online by hand since.
        let (status, cause) = (AgentStatus::Online, StatusCause::SetBy { id: ANNA });
        node.tell(AgentCommand::SetStatus { status, cause, at: node.bus.now() }).await;
        let stale = "INSERT INTO presence_leases (session_id, agent_id, expires_us) VALUES (?, ?, ?)";
        let ended = node.bus.now().minus(GRACE);
        let lease = crate::sql_args![Uuid::from_u128(1), Uuid::from_u128(0xA1), ended];
        fresh.database.execute(stale, lease).await.unwrap();
        assert_eq!(other.sweep().await, AgentStatus::Online);
    }
}
