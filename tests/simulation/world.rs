//! A company on two processes, from its first start until nothing happens any more.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use application::UseCaseError;
use application::agents::{AgentChanges, Bootstrap, ChangeAgent, DeleteAgent, RegisterAgent, SetStatus};
use application::chat::{AssignAgent, Chooser, CloseChat, ReopenChat, SendMessage, StartChat, TransferChat};
use application::command_bus::{CommandContext, Executed, UseCase};
use application::groups::{AddMembers, ChangeGroup, CreateGroup, DeleteGroup, GroupChanges, RemoveMember};
use application::ports::{Ids as _, Principal};
use domain::agent::{AgentStatus, ChatLimit, Registration, Role};
use domain::conversation::{Conversation, ConversationStatus};
use domain::ids::{AgentId, CommandId, ConversationId, GroupId, VisitorId};
use domain::routing::RoutingStrategy;
use domain::text::{EmailAddress, MessageText, Name};
use domain::time::Timestamp;
use domain::visitor::VisitorDetails;
use uuid::Uuid;

use crate::actions::{AGENTS, Action, GROUPS, Step};
use crate::clock::WorldClock;
use crate::log::Shared;
use crate::mutation::Mutation;
use crate::node::{Node, Store, WorldIds, store};
use crate::oracle::Failure;

/// What came of a world.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    pub failure: Option<Failure>,
    pub events: i64,
    pub routed: usize,
    pub failed_attempts: usize,
    pub trace: Vec<String>,
}

/// Lives a world through, the same way each time.
pub fn live(seed: u64, plan: &[Step], mutation: Option<Mutation>, traces: bool) -> Outcome {
    let clock = WorldClock::new();
    let advancing = clock.clone();
    let runtime = tokio::runtime::Builder::new_current_thread().on_thread_park(move || advancing.advance()).build();
    let runtime = runtime.expect("a runtime");
    let shared = Shared::new(clock, seed, mutation, traces);
    let plan = plan.to_vec();
    runtime.block_on(async {
        // As a task of its own: the clock goes on whenever no task can.
        tokio::spawn(async move { World::start(shared).await.live(&plan).await })
            .await
            .expect("the world does not panic")
    })
}

struct World {
    shared: Arc<Shared>,
    ids: Arc<WorldIds>,
    store: Arc<Mutex<Store>>,
    nodes: [Arc<Node>; 2],
    started: u64,
    leader: usize,
}

fn agent_id(agent: usize) -> AgentId {
    AgentId::new(Uuid::from_u128(0xA0 + agent as u128))
}

fn group_id(group: usize) -> GroupId {
    GroupId::new(Uuid::from_u128(0xE0 + group as u128))
}

fn visitor_id(visitor: usize) -> VisitorId {
    VisitorId::new(Uuid::from_u128(0xB0 + visitor as u128))
}

fn agent(agent: usize) -> Principal {
    Principal::Agent { id: agent_id(agent), role: Role::Agent }
}

/// The agent who is always an admin, and serves no chats.
fn admin() -> Principal {
    Principal::Agent { id: agent_id(99), role: Role::Admin }
}

fn name(text: &str) -> Name {
    Name::parse(text).expect("a name")
}

fn text() -> MessageText {
    MessageText::parse("Hello").expect("a text")
}

impl World {
    async fn start(shared: Arc<Shared>) -> Self {
        let ids = Arc::new(WorldIds::new(Arc::clone(&shared)));
        let store = Arc::new(Mutex::new(Store::default()));
        let nodes = [1, 2].map(|number| Node::start(number, &shared, &store, &ids));
        let world = Self { shared, ids, store, nodes, started: 2, leader: 0 };
        world.set_up().await;
        world.nodes[0].lead();
        world
    }

    async fn set_up(&self) {
        let at = self.shared.clock.now();
        let registration = |id: AgentId, role| {
            let email = EmailAddress::parse(&format!("{id}@example.com")).expect("an address");
            Registration { accepting_chats: true, ..Registration::offline(name("Somebody"), email, role, at) }
        };
        let admin_id = agent_id(99);
        let (group_id_0, admin_registration) = (group_id(0), registration(admin_id, Role::Admin));
        let first =
            Bootstrap { group_id: group_id_0, group_name: name("Default"), admin_id, admin: admin_registration };
        self.must(first).await;
        for group in 1..GROUPS {
            let strategy = if group == 1 { RoutingStrategy::RoundRobin } else { RoutingStrategy::Sticky };
            let (group_id, name) = (group_id(group), name("Group"));
            let create =
                CreateGroup { principal: admin(), group_id, name, description: None, strategy, make_default: false };
            self.must(create).await;
        }
        for agent in 0..AGENTS {
            let agent_id = agent_id(agent);
            let mut registration = registration(agent_id, Role::Agent);
            registration.chat_limit = ChatLimit::new(1 + agent as i64 % 3).expect("a limit");
            registration.status = if agent < 3 { AgentStatus::Online } else { AgentStatus::Offline };
            self.must(RegisterAgent { principal: admin(), agent_id, registration }).await;
            let group_id = group_id(1 + agent % 2);
            self.must(AddMembers {
                principal: admin(),
                group_id,
                agent_ids: BTreeSet::from([agent_id]),
                known_version: None,
            })
            .await;
        }
    }

    async fn must<U: UseCase>(&self, use_case: U) {
        let bus = &self.nodes[0].bus;
        let context = bus.context("system:set-up".to_owned(), Uuid::nil());
        assert!(bus.execute(context, use_case).await.is_ok(), "the company begins");
    }

    async fn live(mut self, plan: &[Step]) -> Outcome {
        for step in plan {
            self.shared.clock.sleep_millis(step.millis).await;
            if self.shared.oracle().failure.is_some() {
                break;
            }
            let now = self.shared.clock.now();
            self.shared.oracle().note(now, || format!("{:?}{}", step.action, if step.twice { " twice" } else { "" }));
            self.perform(*step);
        }
        if self.shared.oracle().failure.is_none() {
            self.come_to_rest().await;
        }
        let mut oracle = self.shared.oracle();
        Outcome {
            failure: oracle.failure.clone(),
            events: oracle.invariants.position(),
            routed: oracle.routed,
            failed_attempts: oracle.failed_attempts,
            trace: oracle.take_trace(),
        }
    }

    /// The weather is fine, nobody does anything, and soon nobody waits who could be served: without the router's sweep,
    /// which comes too late.
    async fn come_to_rest(&mut self) {
        *self.shared.weather() = crate::log::Weather::default();
        let mut end = self.shared.end();
        let mut quiet = 0;
        for _ in 0..400 {
            self.shared.clock.sleep_millis(500).await;
            let now = self.shared.clock.now();
            let is_busy = self.shared.end() != end || self.has_work_left(now);
            end = self.shared.end();
            quiet = if is_busy { 0 } else { quiet + 1 };
            // Longer than what is under way takes, shorter than the sweep.
            if quiet == 8 {
                break;
            }
        }
        let now = self.shared.clock.now();
        let mut oracle = self.shared.oracle();
        if quiet < 8 {
            oracle.fail(now, "unrest", "the world does not come to rest".to_owned());
        }
        oracle.look_after_the_overtaken(now);
        oracle.nobody_waits_in_vain(now);
        let store = store(&self.store);
        oracle.compare_queues(now, &store.snapshot.waiting);
    }

    fn has_work_left(&self, now: Timestamp) -> bool {
        let store = store(&self.store);
        let retries = store.snapshot.waiting.values().filter_map(|chat| chat.next_attempt_at);
        store.checkpoint < self.shared.end()
            || retries.max().is_some_and(|at| at.plus(Duration::from_millis(100)) > now)
    }

    fn chat(&self, number: usize, wanted: impl Fn(&Conversation) -> bool) -> Option<(ConversationId, Conversation)> {
        let oracle = self.shared.oracle();
        // Sometimes any chat: refusals belong to life too.
        let any = number.is_multiple_of(8);
        let chats = oracle.invariants.conversations().iter().filter(|(_, chat)| any || wanted(chat));
        let chats: Vec<_> = chats.map(|(id, chat)| (*id, chat.clone())).collect();
        (!chats.is_empty()).then(|| chats[number % chats.len()].clone())
    }

    fn perform(&mut self, step: Step) {
        let is_open = |chat: &Conversation| chat.status != ConversationStatus::Closed;
        let (principal, known_version) = (admin(), None);
        match step.action {
            Action::Begin { visitor, group } => {
                // No visitor asks for group 0: that is the default.
                let group_id = (group > 0).then(|| group_id(group));
                let (visitor_id, details, text) = (visitor_id(visitor), VisitorDetails::default(), text());
                self.order(
                    step,
                    StartChat { visitor_id, details, group_id, text, client_event_id: None, metadata: None },
                );
            }
            Action::Say { chat, by_agent } => {
                if let Some((conversation_id, principal)) = self.party(chat, by_agent, is_open) {
                    let (thread_id, client_event_id, metadata, text) = (None, None, None, text());
                    self.order(
                        step,
                        SendMessage { principal, conversation_id, thread_id, text, client_event_id, metadata },
                    );
                }
            }
            Action::Close { chat, by_agent } => {
                if let Some((conversation_id, principal)) = self.party(chat, by_agent, is_open) {
                    self.order(step, CloseChat { principal, conversation_id, reason: name("solved"), notes: None });
                }
            }
            Action::Reopen { chat } => {
                if let Some((conversation_id, principal)) = self.party(chat, false, |chat| !is_open(chat)) {
                    self.order(step, ReopenChat { principal, conversation_id });
                }
            }
            Action::Status { agent: number, status } => {
                let (principal, agent_id) = (agent(number), agent_id(number));
                self.order(step, SetStatus { principal, agent_id, status, accepting_chats: None, known_version: None });
            }
            Action::Accept { agent: number, accepting } => {
                let changes = AgentChanges { accepting_chats: Some(accepting), ..AgentChanges::default() };
                let (principal, agent_id) = (agent(number), agent_id(number));
                self.order(step, ChangeAgent { principal, agent_id, changes, known_version });
            }
            Action::Limit { agent, chats } => {
                let changes = AgentChanges { chat_limit: ChatLimit::new(chats), ..AgentChanges::default() };
                self.order(step, ChangeAgent { principal, agent_id: agent_id(agent), changes, known_version });
            }
            Action::DeleteAgent { agent, deleted } => {
                self.order(step, DeleteAgent { principal, agent_id: agent_id(agent), deleted, known_version });
            }
            Action::Join { group, agent } => {
                let agent_ids = BTreeSet::from([agent_id(agent)]);
                self.order(step, AddMembers { principal, group_id: group_id(group), agent_ids, known_version: None });
            }
            Action::Leave { group, agent } => {
                self.order(
                    step,
                    RemoveMember {
                        principal,
                        group_id: group_id(group),
                        agent_id: agent_id(agent),
                        known_version: None,
                    },
                );
            }
            Action::Strategy { group, strategy } => {
                let changes = GroupChanges { strategy: Some(strategy), ..GroupChanges::default() };
                self.order(step, ChangeGroup { principal, group_id: group_id(group), changes, known_version });
            }
            Action::DeleteGroup { group, deleted } => {
                self.order(step, DeleteGroup { principal, group_id: group_id(group), deleted, known_version });
            }
            Action::MakeDefault { group } => {
                let changes = GroupChanges { is_default: Some(true), ..GroupChanges::default() };
                self.order(step, ChangeGroup { principal, group_id: group_id(group), changes, known_version });
            }
            Action::Take { chat, agent: number } => {
                self.assign(step, chat, number, Chooser::Person { principal: agent(number), reason: None });
            }
            Action::Give { chat, agent } => {
                self.assign(step, chat, agent, Chooser::Person { principal, reason: None });
            }
            Action::Hand { chat, agent } => {
                if let Some((_, principal)) = self.party(chat, true, is_open) {
                    self.assign(step, chat, agent, Chooser::Transfer { principal, reason: None });
                }
            }
            Action::Transfer { chat, group } => {
                if let Some((conversation_id, _)) = self.chat(chat, is_open) {
                    self.order(
                        step,
                        TransferChat { principal, conversation_id, group_id: group_id(group), reason: None },
                    );
                }
            }
            Action::Crash { node } => self.crash(node),
            Action::Usurp => {
                // The node that leads learns of it later.
                self.leader = 1 - self.leader;
                self.nodes[self.leader].lead();
            }
            Action::Storm { millis } => self.shared.weather().storm = self.after(millis),
            Action::Deaf { millis } => self.shared.weather().deaf = self.after(millis),
            Action::Slow { millis } => self.shared.weather().slow = self.after(millis),
        }
    }

    fn after(&self, millis: u64) -> Timestamp {
        self.shared.clock.now().plus(Duration::from_millis(millis))
    }

    fn assign(&self, step: Step, chat: usize, agent: usize, chooser: Chooser) {
        let is_open = |chat: &Conversation| chat.status != ConversationStatus::Closed;
        if let Some((conversation_id, _)) = self.chat(chat, is_open) {
            self.order(step, AssignAgent { conversation_id, agent_id: agent_id(agent), chooser });
        }
    }

    /// A chat, and its visitor or its agent.
    fn party(
        &self,
        chat: usize,
        by_agent: bool,
        wanted: impl Fn(&Conversation) -> bool,
    ) -> Option<(ConversationId, Principal)> {
        let (id, chat) = self.chat(chat, wanted)?;
        let serving = chat.agent_id.filter(|_| by_agent).map(|id| Principal::Agent { id, role: Role::Agent });
        Some((id, serving.unwrap_or(Principal::Visitor { id: chat.visitor_id? })))
    }

    /// The process dies wherever it is; one that takes its place routes, if it did.
    fn crash(&mut self, index: usize) {
        let number = self.nodes[index].number;
        self.nodes[index].life.end();
        self.shared.oracle().router_ends(number, self.shared.clock.now());
        self.started += 1;
        self.nodes[index] = Node::start(self.started, &self.shared, &self.store, &self.ids);
        // Whether the other one leads is not visible here: it would learn that it does not any more.
        self.leader = index;
        self.nodes[index].lead();
    }

    /// Gives a command to one of the processes, perhaps to both.
    fn order<U: UseCase + Clone>(&self, step: Step, use_case: U)
    where
        U::Output: std::fmt::Debug,
    {
        let first = self.shared.below(2);
        let command_id = CommandId::new(self.ids.new_uuid());
        let mut runs = vec![];
        for copy in 0..=usize::from(step.twice) {
            let node = Arc::clone(&self.nodes[(first + copy) % 2]);
            let use_case = use_case.clone();
            let shared = Arc::clone(&self.shared);
            let late = if copy == 0 { 0 } else { shared.below(60) as u64 };
            runs.push(tokio::spawn(async move {
                shared.clock.sleep_millis(late).await;
                let context: CommandContext = node.bus.context("person".to_owned(), Uuid::nil());
                node.bus.execute(context.repeatable(command_id, [1; 32]), use_case).await
            }));
        }
        let shared = Arc::clone(&self.shared);
        tokio::spawn(async move {
            let mut done = vec![];
            for run in runs {
                done.push(run.await.expect("a command does not panic"));
            }
            check_answers(&shared, &done);
        });
    }
}

/// A command that comes twice is carried out once.
fn check_answers<T: std::fmt::Debug>(shared: &Shared, answers: &[Result<Executed<T>, UseCaseError>]) {
    let now = shared.clock.now();
    let mut oracle = shared.oracle();
    for answer in answers {
        if let Err(error @ (UseCaseError::Aborted | UseCaseError::CommandReused | UseCaseError::Serialisation(_))) =
            answer
        {
            oracle.fail(now, "broken command", error.to_string());
        }
        let told = answer.as_ref().err().map(ToString::to_string);
        if let Some(told) = told {
            oracle.note(now, || format!("refused: {told}"));
        }
    }
    let receipts = answers.iter().filter_map(|answer| answer.as_ref().ok()?.receipt.as_ref());
    let positions: BTreeSet<_> = receipts.map(|receipt| receipt.first_position).collect();
    if positions.len() > 1 {
        oracle.fail(now, "carried out twice", format!("a command is at {positions:?}"));
    }
}
