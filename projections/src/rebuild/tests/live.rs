//! The views of a running node: the log, the runners and the router as they are.

use std::sync::Arc;
use std::time::Duration;

use application::ports::{EventLog, Principal};
use domain::agent::{AgentStatus, Role};
use domain::ids::ConversationId;
use infrastructure::database::Database;
use infrastructure::event_log::{LogPorts, SqlEventLog};
use infrastructure::subscription::{RunnerHandle, Subscriptions};
use infrastructure::system::{RandomIds, SystemClock};

use crate::PageRequest;
use crate::catalog::all_subscribers;
use crate::conversations::{ConversationFilter, ConversationOrder, ConversationQueries, ConversationView};
use crate::testing::{Desk, compare, dump, rebuild_into};
use infrastructure::testing::fresh_databases;

const SOON: Duration = Duration::from_secs(20);

pub(super) struct Node {
    pub(super) desk: Desk<SqlEventLog>,
    pub(super) runners: Vec<RunnerHandle>,
}

pub(super) async fn start(database: &Database) -> Node {
    let (clock, ids) = (Arc::new(SystemClock), Arc::new(RandomIds));
    let ports = LogPorts::alone(clock.clone(), ids.clone());
    let log = Arc::new(SqlEventLog::start(database.clone(), ports).await.unwrap());
    let desk = Desk::over(log.clone(), clock.clone(), ids.clone()).await;
    let subscriptions = Subscriptions::new(database.clone(), log, clock, ids);
    let router = desk.router(database).0;
    let subscribers = all_subscribers(Arc::clone(router.memory())).into_iter();
    let runners = subscribers.map(|subscriber| subscriptions.start(subscriber)).collect();
    tokio::spawn(router.run());
    Node { desk, runners }
}

impl Node {
    pub(super) fn runner(&self, projector: &str) -> &RunnerHandle {
        self.runners.iter().find(|runner| runner.name() == projector).unwrap()
    }

    /// Waits until every view has everything.
    pub(super) async fn settle(&self) {
        let position = self.desk.log.head().await.unwrap().position;
        for runner in &self.runners {
            assert!(runner.wait_for(position, SOON).await, "{} {:?}", runner.name(), runner.status());
        }
    }

    /// Waits until a chat is assigned.
    pub(super) async fn wait_until_assigned(&self, database: &Database, id: ConversationId) {
        let is_assigned = |chat: &ConversationView| chat.id == id && chat.assigned_agent_id.is_some();
        self.wait_until(database, |all| all.iter().any(is_assigned)).await;
    }

    /// Waits until the router has done what it can.
    async fn wait_until(&self, database: &Database, done: impl Fn(&[ConversationView]) -> bool) {
        let mut positions = self.runner("conversations").positions();
        let settled = async {
            loop {
                positions.borrow_and_update();
                if done(&chats(database).await) {
                    return;
                }
                positions.changed().await.unwrap();
            }
        };
        tokio::time::timeout(SOON, settled).await.expect("the router assigns what it can");
        self.settle().await;
    }
}

async fn chats(database: &Database) -> Vec<ConversationView> {
    let (queries, filter) = (ConversationQueries::new(database.clone()), ConversationFilter::default());
    let first = PageRequest::first(100);
    queries.list_conversations(&filter, ConversationOrder::Newest, &first).await.unwrap().data
}

fn serving(all: &[ConversationView]) -> usize {
    all.iter().filter(|chat| chat.assigned_agent_id.is_some()).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn views_of_a_running_node_equal_their_rebuild() {
    for (live, target) in fresh_databases().await.into_iter().zip(fresh_databases().await) {
        let node = start(&live.database).await;
        let desk = &node.desk;
        // Four agents with six slots each.
        for _ in 0..30 {
            desk.chat().await;
        }
        node.wait_until(&live.database, |all| serving(all) == 24).await;
        desk.set_status(desk.agents[0], AgentStatus::Offline).await.unwrap();
        node.wait_until(&live.database, |all| serving(all) == 18).await;
        for chat in chats(&live.database).await.iter().filter(|chat| chat.assigned_agent_id == Some(desk.agents[1])) {
            desk.send(Principal::Agent { id: desk.agents[1], role: Role::Agent }, chat.id).await.unwrap();
            desk.close(desk.supervisor(), chat.id).await.unwrap();
        }
        node.wait_until(&live.database, |all| serving(all) == 18 && all.iter().any(|chat| chat.closed_at.is_some()))
            .await;
        desk.set_status(desk.agents[0], AgentStatus::Online).await.unwrap();
        node.wait_until(&live.database, |all| serving(all) == 24).await;

        let log: Arc<dyn EventLog> = desk.log.clone();
        rebuild_into(&log, &target.database).await.unwrap();
        let rebuilt = dump(&target.database).await.unwrap();
        assert_eq!(compare(&dump(&live.database).await.unwrap(), &rebuilt), []);
        for runner in &node.runners {
            runner.shut_down().await;
        }
    }
}
