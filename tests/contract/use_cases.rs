//! Use cases that tests carry out, the real ones and some of their own.

use std::sync::Arc;

use application::UseCaseError;
use application::chat::{AssignAgent, Chooser, CloseChat, SendMessage, StartChat};
use application::command_bus::{CommandBus, CommandContext, Executed, UnitOfWork, UseCase};
use application::ports::{LogEvent, Principal, StreamId};
use domain::agent::{Agent, AgentCommand, AgentStatus, ChatLimit, Registration, Role};
use domain::aggregate::Root;
use domain::group::{Group, GroupCommand};
use domain::ids::{AgentId, ConversationId, EntityId as _, GroupId, ThreadId, VisitorId};
use domain::routing::RoutingStrategy;
use domain::text::{EmailAddress, MessageText, Metadata, Name};
use domain::visitor::VisitorDetails;
use uuid::Uuid;

/// Lets one aggregate decide one command; returns whether that produced an event.
pub struct Tell<A: Root> {
    pub id: A::Id,
    pub command: A::Command,
}

impl<A: Root> UseCase for Tell<A>
where
    A::Command: Clone + Send + Sync,
    UseCaseError: From<A::Error>,
{
    type Output = bool;

    fn locks(&self) -> Vec<StreamId> {
        vec![StreamId::of::<A>(self.id)]
    }

    async fn run(&self, work: &mut UnitOfWork) -> Result<bool, UseCaseError> {
        work.execute::<A>(self.id, self.command.clone()).await
    }

    fn recall(&self, _events: &[Arc<LogEvent>]) -> Option<bool> {
        Some(true)
    }
}

pub fn context(bus: &CommandBus) -> CommandContext {
    bus.context("system:test".into(), Uuid::from_u128(5))
}

pub async fn tell<A: Root>(bus: &CommandBus, id: A::Id, command: A::Command) -> Result<Executed<bool>, UseCaseError>
where
    A::Command: Clone + Send + Sync,
    UseCaseError: From<A::Error>,
{
    bus.execute(context(bus), Tell::<A> { id, command }).await
}

pub fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

/// A chat from its start to its end, with all participants.
pub struct Chat {
    pub group_id: GroupId,
    pub agent_id: AgentId,
    pub visitor_id: VisitorId,
    pub conversation_id: ConversationId,
    pub thread_id: ThreadId,
}

impl Chat {
    pub async fn held(bus: &CommandBus) -> Self {
        let group_id = GroupId::from_uuid(bus.new_uuid());
        let agent_id = AgentId::from_uuid(bus.new_uuid());
        let visitor_id = VisitorId::from_uuid(bus.new_uuid());
        let at = bus.now();
        let group =
            GroupCommand::Create { name: name("Sales"), description: None, strategy: RoutingStrategy::LeastLoaded, at };
        tell::<Group>(bus, group_id, group).await.unwrap();
        let agent_ids = [agent_id].into();
        tell::<Group>(bus, group_id, GroupCommand::AddAgents { agent_ids, at }).await.unwrap();
        tell::<Agent>(bus, agent_id, AgentCommand::Register(registration(bus))).await.unwrap();
        let details = VisitorDetails { name: Some(name("Véra 🦊")), ..VisitorDetails::default() };
        let text = MessageText::parse("Hello?").unwrap();
        let start =
            StartChat { visitor_id, details, group_id: Some(group_id), text, client_event_id: None, metadata: None };
        let receipt = bus.execute(context(bus), start).await.unwrap().output;
        let (conversation_id, thread_id) = (receipt.conversation_id, receipt.thread_id);
        let chat = Self { group_id, agent_id, visitor_id, conversation_id, thread_id };
        chat.go_on(bus).await;
        chat
    }

    async fn go_on(&self, bus: &CommandBus) {
        let principal = Principal::Agent { id: self.agent_id, role: Role::Admin };
        let Self { conversation_id, agent_id, .. } = *self;
        let chooser = Chooser::Person { principal, reason: None };
        bus.execute(context(bus), AssignAgent { conversation_id, agent_id, chooser }).await.unwrap();
        for number in 0..3 {
            let text = MessageText::parse(&format!("Line {number}: it's \"fine\" \\o/")).unwrap();
            let metadata = serde_json::json!({"n": number, "nested": {"list": [1.5, null, "x"]}});
            let metadata = Some(Metadata::parse(&metadata.to_string()).unwrap());
            let (thread_id, client_event_id) = (None, None);
            let message = SendMessage { principal, conversation_id, thread_id, text, client_event_id, metadata };
            bus.execute(context(bus), message).await.unwrap();
        }
        let close = CloseChat { principal, conversation_id, reason: name("solved"), notes: None };
        bus.execute(context(bus), close).await.unwrap();
    }
}

fn registration(bus: &CommandBus) -> Registration {
    Registration {
        name: name("Anna"),
        email: EmailAddress::parse("anna@example.com").unwrap(),
        avatar: None,
        role: Role::Admin,
        status: AgentStatus::Online,
        accepting_chats: true,
        chat_limit: ChatLimit::default(),
        at: bus.now(),
    }
}
