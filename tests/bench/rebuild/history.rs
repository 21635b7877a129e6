//! A long log, quickly: days of chats by the program's own use cases, without HTTP.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use application::agents::{Bootstrap, RegisterAgent};
use application::chat::{AssignAgent, Chooser, CloseChat, SendMessage, StartChat};
use application::command_bus::{CommandBus, UseCase};
use application::ports::Principal;
use domain::agent::{AgentStatus, ChatLimit, Registration, Role};
use domain::ids::{AgentId, EntityId, GroupId, VisitorId};
use domain::text::{EmailAddress, MessageText, Name};
use domain::visitor::VisitorDetails;
use harness::{History, TestDatabase};
use infrastructure::database::{Database, DatabaseOptions};
use infrastructure::system::{RandomIds, SystemClock};
use uuid::Uuid;

/// How many agents serve chats, each one after the other.
const AGENTS: usize = 128;

/// How many messages follow the first of a chat.
const MESSAGES: usize = 16;

const TEXTS: [&str; 4] = [
    "Hello, my order has not arrived yet. Could you have a look where it is?",
    "Of course, let me check that. May I have the number of the order, please?",
    "It is 2026-1180. I paid by invoice, and the confirmation came on the same day.",
    "Thank you! It left our warehouse yesterday and should be with you tomorrow.",
];

/// One of the agents at work.
struct Lane {
    bus: CommandBus,
    admin: Principal,
    agent_id: AgentId,
}

/// Fills a new database with at least this number of events.
pub async fn write(database: &TestDatabase, events: i64) {
    let fresh = Database::connect(database.url(), DatabaseOptions::default()).await.expect("a database");
    fresh.migrate().await.expect("a schema");
    fresh.close().await;
    let history = History::open(database).await;
    let bus = CommandBus::new(Arc::clone(&history.log), Arc::new(SystemClock), Arc::new(RandomIds));
    let admin_id = AgentId::new(bus.new_uuid());
    let (group_id, group_name) = (GroupId::new(bus.new_uuid()), name("General"));
    let admin = registration(&bus, "admin", Role::Admin);
    act(&bus, Bootstrap { group_id, group_name, admin_id, admin }).await;
    let admin = Principal::Agent { id: admin_id, role: Role::Admin };
    let reached = Arc::new(AtomicI64::new(0));
    let mut agents = vec![];
    // Before the first chat: each of them changes the group that a chat's start rests on.
    for number in 0..AGENTS {
        let agent_id = AgentId::new(bus.new_uuid());
        let registration = registration(&bus, &format!("agent{number}"), Role::Agent);
        act(&bus, RegisterAgent { principal: admin, agent_id, registration }).await;
        agents.push(agent_id);
    }
    let mut lanes = tokio::task::JoinSet::new();
    for agent_id in agents {
        let (lane, reached) = (Lane { bus: bus.clone(), admin, agent_id }, Arc::clone(&reached));
        lanes.spawn(async move {
            while reached.load(Ordering::Relaxed) < events {
                reached.fetch_max(lane.chat().await, Ordering::Relaxed);
            }
        });
    }
    lanes.join_all().await;
    history.database.close().await;
}

impl Lane {
    /// A chat from its start to its end; returns where the log is then.
    async fn chat(&self) -> i64 {
        let visitor_id = VisitorId::from_uuid(self.bus.new_uuid());
        let email = EmailAddress::parse(&format!("{visitor_id}@example.com")).expect("an address");
        let details = VisitorDetails { name: Some(name("Vera Visitor")), email: Some(email), phone: None };
        let start =
            StartChat { visitor_id, details, group_id: None, text: text(0), client_event_id: None, metadata: None };
        let (chat, _) = act(&self.bus, start).await;
        let conversation_id = chat.conversation_id;
        let chooser = Chooser::Person { principal: self.admin, reason: None };
        act(&self.bus, AssignAgent { conversation_id, agent_id: self.agent_id, chooser }).await;
        let (visitor, agent) =
            (Principal::Visitor { id: visitor_id }, Principal::Agent { id: self.agent_id, role: Role::Agent });
        for number in 1..=MESSAGES {
            let principal = if number % 2 == 0 { visitor } else { agent };
            let (thread_id, client_event_id, metadata) = (None, None, None);
            let text = text(number);
            act(&self.bus, SendMessage { principal, conversation_id, thread_id, text, client_event_id, metadata })
                .await;
        }
        act(&self.bus, CloseChat { principal: agent, conversation_id, reason: name("solved"), notes: None }).await.1
    }
}

/// Carries out a use case; with its output, the position of its last event.
async fn act<U: UseCase>(bus: &CommandBus, use_case: U) -> (U::Output, i64) {
    let context = bus.context("system:bench".to_owned(), Uuid::nil());
    let executed = bus.execute(context, use_case).await.expect("the log takes it");
    let position = executed.position().unwrap_or_default();
    (executed.output, position)
}

fn registration(bus: &CommandBus, called: &str, role: Role) -> Registration {
    Registration {
        name: name(called),
        email: EmailAddress::parse(&format!("{called}@example.com")).expect("an address"),
        avatar: None,
        role,
        status: AgentStatus::Online,
        accepting_chats: true,
        chat_limit: ChatLimit::default(),
        at: bus.now(),
    }
}

fn name(text: &str) -> Name {
    Name::parse(text).expect("a name")
}

fn text(number: usize) -> MessageText {
    MessageText::parse(TEXTS[number % TEXTS.len()]).expect("a text")
}
