use std::sync::Arc;

use domain::agent::{AgentStatus, ChatLimit, NewPassword, Registration, Role};
use domain::conversation::Conversation;
use domain::ids::{AgentId, ConversationId, GroupId, VisitorId};
use domain::text::{EmailAddress, MessageText, Name};
use domain::visitor::VisitorDetails;
use uuid::Uuid;

use super::MemoryLog;
use super::stores::{MemoryCredentials, MemorySessions, PlainHasher, PlainTokens, TestClock, TestIds};
use crate::InstallationKey;
use crate::agents::{Accounts, FailureRates, GuessingBrake, LogIn, Sessions};
use crate::chat::StartChat;
use crate::command_bus::{CommandBus, CommandContext, UseCase};
use crate::ports::{Principal, RateLimiter};

/// The first admin's address.
pub(crate) const ADMIN: &str = "admin@example.com";

/// An installation after its first start, with the parts that its use cases need.
pub(crate) struct Company {
    pub(crate) log: Arc<MemoryLog>,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) bus: CommandBus,
    pub(crate) credentials: Arc<MemoryCredentials>,
    pub(crate) sessions: Arc<MemorySessions>,
    pub(crate) tokens: Arc<PlainTokens>,
    pub(crate) accounts: Accounts,
    pub(crate) admin_id: AgentId,
}

impl Company {
    /// Before the first start.
    pub(crate) fn empty() -> Self {
        let (log, clock) = (MemoryLog::new(), Arc::new(TestClock::default()));
        let credentials = Arc::new(MemoryCredentials::default());
        let (sessions, tokens) = (Arc::new(MemorySessions::default()), Arc::new(PlainTokens));
        let ids = Arc::new(TestIds::default());
        let bus = CommandBus::with_sessions(log.clone(), clock.clone(), ids, sessions.clone());
        let accounts = Accounts {
            bus: bus.clone(),
            credentials: credentials.clone(),
            hasher: Arc::new(PlainHasher),
            sessions: Sessions {
                bus: bus.clone(),
                store: sessions.clone(),
                tokens: tokens.clone(),
                renewal_key: InstallationKey::new("refresh tokens", b"a secret"),
            },
        };
        let admin_id = AgentId::default();
        Self { log, clock, bus, credentials, sessions, tokens, accounts, admin_id }
    }

    pub(crate) async fn open() -> Self {
        let company = Self::empty();
        let (context, group_name) = (company.context(), Name::parse("General").unwrap());
        let admin = (company.registration(ADMIN, Role::Admin), &password("the first admin's"));
        assert!(company.accounts.bootstrap(context, group_name, admin).await.unwrap());
        let admin_id = company.credentials.agents()[0];
        Self { admin_id, ..company }
    }

    pub(crate) fn log_in(&self, limiter: Option<Arc<dyn RateLimiter>>) -> LogIn {
        let Accounts { bus, credentials, hasher, sessions } = self.accounts.clone();
        LogIn { bus, credentials, hasher, sessions, brake: GuessingBrake { limiter, rates: FailureRates::default() } }
    }

    pub(crate) fn context(&self) -> CommandContext {
        self.bus.context("system:test".to_owned(), Uuid::from_u128(1))
    }

    pub(crate) const fn admin(&self) -> Principal {
        Principal::Agent { id: self.admin_id, role: Role::Admin }
    }

    pub(crate) fn registration(&self, email: &str, role: Role) -> Registration {
        let (name, email) = (Name::parse("Somebody").unwrap(), EmailAddress::parse(email).unwrap());
        Registration::offline(name, email, role, self.bus.now())
    }

    /// An agent who is online and takes this number of chats at once.
    pub(crate) async fn agent_with_slots(&self, slots: i64) -> AgentId {
        let usual = self.registration(&format!("{}@example.com", self.bus.new_uuid()), Role::Agent);
        let chat_limit = ChatLimit::new(slots).unwrap();
        let registration = Registration { chat_limit, status: AgentStatus::Online, ..usual };
        let executed =
            self.accounts.register(self.context(), self.admin(), registration, &password("an agent's")).await;
        executed.unwrap().output
    }

    /// A chat of a new visitor in the default group.
    pub(crate) async fn chat(&self) -> ConversationId {
        self.chat_of(VisitorId::new(self.bus.new_uuid()), None).await
    }

    pub(crate) async fn chat_of(&self, visitor_id: VisitorId, group_id: Option<GroupId>) -> ConversationId {
        let (details, text) = (VisitorDetails::default(), MessageText::parse("Hello").unwrap());
        self.act(StartChat { visitor_id, details, group_id, text, client_event_id: None, metadata: None })
            .await
            .conversation_id
    }

    pub(crate) async fn act<U: UseCase>(&self, use_case: U) -> U::Output {
        self.bus.execute(self.context(), use_case).await.unwrap().output
    }

    pub(crate) async fn is_open(&self, id: ConversationId) -> bool {
        self.bus.read::<Conversation>(id).await.unwrap().active_thread_id.is_some()
    }
}

/// A password that nobody else has.
pub(crate) fn password(text: &str) -> NewPassword {
    NewPassword::parse(text).unwrap()
}
