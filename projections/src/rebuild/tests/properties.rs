use std::collections::BTreeSet;

use application::chat::ReopenChat;
use application::ports::Principal;
use domain::agent::Role;
use domain::agent::{Agent, AgentCommand, AgentStatus, ChatLimit};
use domain::conversation::{Conversation, ConversationCommand, Participant, QueueReason};
use domain::group::{Group, GroupCommand};
use domain::ids::{ConversationId, EntityId, TagId, VisitorId, WorkspaceId};
use domain::routing::RoutingStrategy;
use domain::tag::{Tag, TagCommand};
use domain::thread::{Thread, ThreadEvent};
use domain::workspace::{Workspace, WorkspaceCommand};
use infrastructure::database::{Database, Dialect};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::agents::AgentQueries;
use crate::catalog::all_view_tables;
use crate::conversations::{ConversationQueries, ConversationView, ListBounds};
use crate::testing::{Desk, clear, compare, dump, name, project, rebuild_into};
use crate::{Deleted, PageRequest, queue_positions};
use infrastructure::testing::{Fresh, fresh_databases};

/// Something that somebody does; what the rules refuse does not happen.
#[derive(Clone, Copy, Debug)]
struct Action {
    what: u8,
    who: usize,
    whom: usize,
}

const KINDS: u8 = 22;

fn actions() -> impl Strategy<Value = Vec<Action>> {
    let action = (0..KINDS, 0..4_usize, 0..4_usize).prop_map(|(what, who, whom)| Action { what, who, whom });
    proptest::collection::vec(action, 0..80)
}

const fn side(participant: Participant) -> usize {
    match participant {
        Participant::Visitor(_) => 0,
        Participant::Agent(_) => 1,
    }
}

fn sizes() -> impl Strategy<Value = Vec<usize>> {
    proptest::collection::vec(1..25_usize, 1..6)
}

/// The people and things that the actions are about.
struct Story {
    desk: Desk,
    visitors: Vec<VisitorId>,
    tags: Vec<TagId>,
    chats: Vec<ConversationId>,
}

impl Story {
    async fn of(actions: &[Action]) -> Self {
        let desk = Desk::open().await;
        let visitors = (0..4).map(|_| desk.visitor()).collect();
        let tags = (0..4).map(|_| TagId::from_uuid(desk.bus.new_uuid())).collect();
        let mut story = Self { desk, visitors, tags, chats: vec![] };
        for action in actions {
            story.act(*action).await;
        }
        story
    }

    async fn act(&mut self, Action { what, who, whom }: Action) {
        let desk = &self.desk;
        let at = desk.bus.now();
        let agent_id = desk.agents[who % 3];
        let group_id = desk.groups[whom % 2];
        let tag_id = self.tags[whom];
        let visitor = Principal::Visitor { id: self.visitors[who] };
        let agent = Principal::Agent { id: agent_id, role: Role::Agent };
        if what == 0 {
            if let Ok(receipt) = desk.try_start(self.visitors[who], [None, Some(group_id)][whom / 2]).await {
                self.chats.push(receipt.conversation_id);
            }
            return;
        }
        let chat = self.chats.get(self.chats.len().saturating_sub(1 + whom)).copied();
        // The rules may refuse; then nothing happens.
        match (what, chat) {
            (1, Some(chat)) => drop(desk.send(visitor, chat).await),
            (2, Some(chat)) => drop(desk.send(agent, chat).await),
            (20, Some(chat)) => drop(desk.read(visitor, chat, whom).await),
            (21, Some(chat)) => drop(desk.read(agent, chat, whom).await),
            (3, Some(chat)) => drop(desk.assign(chat, agent_id).await),
            (4 | 5, Some(chat)) => drop(desk.route(chat, agent_id).await),
            (6, Some(chat)) => drop(desk.close(desk.supervisor(), chat).await),
            (7, Some(conversation_id)) => {
                drop(desk.act(ReopenChat { principal: desk.supervisor(), conversation_id }).await);
            }
            (8, Some(chat)) => {
                let transfer = ConversationCommand::ReturnToQueue {
                    reason: QueueReason::Transferred,
                    group_id: Some(desk.groups[who % 2]),
                    handover: None,
                    at,
                };
                drop(desk.tell::<Conversation>(chat, transfer).await);
            }
            (9, Some(chat)) => {
                let tag = ConversationCommand::AddTag { tag_id, by: agent_id, at };
                drop(desk.tell::<Conversation>(chat, tag).await);
            }
            (10, Some(chat)) => {
                let untag = ConversationCommand::RemoveTag { tag_id, by: agent_id, at };
                drop(desk.tell::<Conversation>(chat, untag).await);
            }
            (11, _) => drop(desk.set_status(agent_id, AgentStatus::Offline).await),
            (12, _) => drop(desk.set_status(agent_id, AgentStatus::Online).await),
            (13, _) => {
                let command = [AgentCommand::Delete { at }, AgentCommand::Restore { at }][whom % 2].clone();
                drop(desk.tell::<Agent>(agent_id, command).await);
            }
            (14, _) => {
                let change = AgentCommand::ChangeLimit { chat_limit: ChatLimit::new(1 + whom as i64).unwrap(), at };
                drop(desk.tell::<Agent>(agent_id, change).await);
            }
            (15, _) => drop(desk.add_to_group(group_id, agent_id).await),
            (16, _) => drop(desk.tell::<Group>(group_id, GroupCommand::RemoveAgent { agent_id, at }).await),
            (17, _) => {
                let command = [
                    GroupCommand::Delete { at },
                    GroupCommand::Restore { at },
                    GroupCommand::ChangeStrategy { strategy: RoutingStrategy::Sticky, at },
                    GroupCommand::Describe { name: name("Desk"), description: None, at },
                ][who]
                    .clone();
                drop(desk.tell::<Group>(group_id, command).await);
            }
            (18, _) => {
                let choose = WorkspaceCommand::ChooseDefaultGroup { group_id, at };
                drop(desk.tell::<Workspace>(WorkspaceId::ONLY, choose).await);
            }
            (19, _) => {
                let command = [
                    TagCommand::Create { name: name("vip"), color: None, at },
                    TagCommand::Restyle { name: name("VIP"), color: None, at },
                    TagCommand::Delete { at },
                    TagCommand::Restore { at },
                ][who]
                    .clone();
                drop(desk.tell::<Tag>(tag_id, command).await);
            }
            _ => {}
        }
    }

    /// What the queries say is what the aggregates decided.
    async fn check(&self, database: &Database) {
        let conversations = ConversationQueries::new(database.clone()).bounded(ListBounds::SMALL);
        for chat in &self.chats {
            let state = self.desk.bus.read::<Conversation>(*chat).await.unwrap();
            let view = conversations.find_conversation(*chat).await.unwrap().unwrap();
            assert_eq!(view.status, state.status);
            assert_eq!(Some(view.group_id), state.group_id);
            assert_eq!(view.assigned_agent_id, state.agent_id);
            assert_eq!(view.last_agent_id, state.last_agent_id);
            assert_eq!(view.active_thread_id, state.active_thread_id);
            assert_eq!(view.thread_ids, state.thread_ids);
            assert!(view.tag_ids.iter().eq(&state.tag_ids));
            assert_eq!(view.closed_at, state.closed_at);
            self.check_reading(&view);
        }
        let agents = AgentQueries::new(database.clone());
        for agent_id in self.desk.agents {
            let state = self.desk.bus.read::<Agent>(agent_id).await.unwrap();
            let view = agents.find_agent(agent_id, Deleted::Shown).await.unwrap().unwrap();
            assert_eq!(view.active_chats, state.slots.len() as i64);
            assert_eq!((view.status, view.deleted), (state.status, state.deleted));
        }
        let groups = agents.list_groups(Deleted::Shown, &PageRequest::first(100)).await.unwrap().data;
        let workspace = self.desk.bus.read::<Workspace>(WorkspaceId::ONLY).await.unwrap();
        let default: Vec<_> = groups.iter().filter(|group| group.is_default).map(|group| group.id).collect();
        assert_eq!(default, Vec::from_iter(workspace.default_group_id));
        self.check_queues(database).await;
    }

    /// The view counts the messages after the furthest mark of the other side.
    fn check_reading(&self, view: &ConversationView) {
        let events = self.desk.log.events();
        let of_chat = events.iter().filter_map(|event| Some((event.header.position, event.event.of::<Thread>()?)));
        let (mut sent, mut seen) = ([vec![], vec![]], [0, 0]);
        for (position, event) in of_chat {
            match event {
                ThreadEvent::MessageSent { conversation_id, author, .. } if *conversation_id == view.id => {
                    sent[side(*author)].push(position);
                }
                ThreadEvent::MessagesRead { conversation_id, reader, up_to, .. } if *conversation_id == view.id => {
                    seen[side(*reader)] = seen[side(*reader)].max(*up_to);
                }
                ThreadEvent::ThreadStarted { .. }
                | ThreadEvent::MessageSent { .. }
                | ThreadEvent::AgentJoined { .. }
                | ThreadEvent::AgentLeft { .. }
                | ThreadEvent::GroupChanged { .. }
                | ThreadEvent::ThreadClosed { .. }
                | ThreadEvent::MessagesRead { .. } => {}
            }
        }
        let unread = |author: usize| sent[author].iter().filter(|position| **position > seen[1 - author]).count();
        assert_eq!((view.unread_by_agents, view.unread_by_visitor), (unread(0) as i64, unread(1) as i64), "{view:?}");
    }

    /// The view counts the places that the router keeps.
    async fn check_queues(&self, database: &Database) {
        let queues =
            crate::routing::RoutingQueries::new(database.clone()).bounded(queue_positions::PositionBounds::SMALL);
        let conversations = ConversationQueries::new(database.clone()).bounded(ListBounds::SMALL);
        let waiting = queues.list_queue(None, &PageRequest::first(1_000)).await.unwrap().data;
        for chat in &waiting {
            let view = conversations.find_conversation(chat.conversation_id).await.unwrap().unwrap();
            assert_eq!(view.queue_position, Some(chat.queue_position), "{chat:?}");
        }
        let rows = database.fetch_all("SELECT id FROM conversations WHERE status = 'pending'", vec![]).await.unwrap();
        assert_eq!(rows.len(), waiting.len());
    }
}

/// Runs a property on each database, with few cases where a case is slow.
fn on_each_database(check: impl AsyncFn(&Database, &Story, &[usize])) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let all: Vec<Fresh> = runtime.block_on(fresh_databases());
    for (fresh, cases) in all.iter().zip([48, 16]) {
        let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
        let result = runner.run(&(actions(), sizes()), |(actions, sizes)| {
            runtime.block_on(async {
                let story = Story::of(&actions).await;
                check(&fresh.database, &story, &sizes).await;
            });
            Ok(())
        });
        result.unwrap();
    }
}

#[test]
fn pages_of_any_size_give_the_same_rows() {
    on_each_database(async |database, story, sizes| {
        clear(database).await;
        project(&story.desk, database, &[usize::MAX]).await.unwrap();
        let whole = dump(database).await.unwrap();
        story.check(database).await;
        clear(database).await;
        project(&story.desk, database, sizes).await.unwrap();
        assert_eq!(compare(&whole, &dump(database).await.unwrap()), []);
    });
}

#[tokio::test]
async fn rebuilt_views_equal_live_ones_and_differences_are_told() {
    let actions: Vec<_> = (0..120_usize)
        .map(|step| Action { what: (step * 7 % usize::from(KINDS)) as u8, who: step / 3 % 4, whom: step / 5 % 4 })
        .collect();
    let story = Story::of(&actions).await;
    for (live, target) in fresh_databases().await.into_iter().zip(fresh_databases().await) {
        project(&story.desk, &live.database, &[3, 10]).await.unwrap();
        let position = rebuild_into(&story.desk.event_log(), &target.database).await.unwrap();
        assert_eq!(position, story.desk.log.events().len() as i64);
        let rebuilt = dump(&target.database).await.unwrap();
        assert!(rebuilt["thread_events"].len() > 10);
        assert_eq!(compare(&dump(&live.database).await.unwrap(), &rebuilt), []);

        live.database.execute("UPDATE agents SET active_chats = 7 WHERE name = 'Ada'", vec![]).await.unwrap();
        live.database.execute("UPDATE routing_queue SET attempts = 5", vec![]).await.unwrap();
        let differences = compare(&dump(&live.database).await.unwrap(), &rebuilt);
        assert_eq!(differences.len(), 1);
        assert_eq!((differences[0].table, differences[0].only_live.len()), ("agents", 1));
        assert_eq!(differences[0].only_rebuilt.len(), 1);
    }
}

#[tokio::test]
async fn both_databases_hold_the_same() {
    let actions: Vec<_> =
        (0..100_usize).map(|step| Action { what: (step % 20) as u8, who: step % 3, whom: step % 4 }).collect();
    let story = Story::of(&actions).await;
    let mut dumps = vec![];
    for fresh in fresh_databases().await {
        rebuild_into(&story.desk.event_log(), &fresh.database).await.unwrap();
        dumps.push(dump(&fresh.database).await.unwrap());
    }
    assert!(dumps.iter().all(|dump| dump == &dumps[0]));
}

#[tokio::test]
async fn every_table_of_the_views_is_dumped_with_all_its_columns() {
    for fresh in fresh_databases().await {
        for table in all_view_tables() {
            let sql = match fresh.database.dialect() {
                Dialect::Sqlite => format!("SELECT name AS col FROM pragma_table_info('{}')", table.name),
                Dialect::Mysql => format!(
                    "SELECT column_name AS col FROM information_schema.columns \
                     WHERE table_schema = DATABASE() AND table_name = '{}'",
                    table.name
                ),
            };
            let rows = fresh.database.fetch_all(&sql, vec![]).await.unwrap();
            // In no order: MySQL has its own.
            let columns: BTreeSet<_> = rows.iter().map(|row| row.text("col").unwrap()).collect();
            let (dumped, others) = (table.columns.iter(), not_from_log(table.name).iter());
            let expected: Vec<_> = dumped.chain(others).map(|column| (*column).to_owned()).collect();
            assert_eq!(columns.len(), expected.len(), "{}", table.name);
            assert_eq!(columns, expected.into_iter().collect(), "{}", table.name);
        }
    }
}

/// The columns that do not follow from the log: failed attempts belong to a wait of a chat, and are forgotten with it.
fn not_from_log(table: &str) -> &'static [&'static str] {
    if table == "routing_queue" { &["attempts", "next_attempt_us", "last_error"] } else { &[] }
}
