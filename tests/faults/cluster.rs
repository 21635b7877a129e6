//! Three nodes on one database and one Redis, of which any may die at any time.

use std::time::{Duration, Instant};

use application::ports::Ids as _;
use harness::{Client, DEADLINE, History, METRICS_TOKEN, Person, Process, TestDatabase, Visitor, eventually};
use infrastructure::system::RandomIds;
use serde_json::{Value, json};

use crate::load::Load;
use crate::people::{admin, hire, program_on, wait_until_served};
use crate::recovery::{assert_clean, check, pause, rounds};
use crate::servers::Redis;

/// How often nodes are killed in the suite; `FAULT_ROUNDS` says otherwise.
const ROUNDS: usize = 3;

const NODES: usize = 3;

/// Within this time another node does the work of one that has died.
const TAKEN_OVER: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_nodes_of_which_any_may_die_work_as_one() {
    const TEST: &str = "three_nodes_of_which_any_may_die_work_as_one";
    let Some(database) = TestDatabase::mysql(TEST).await else { return };
    let Some(redis) = Redis::start(TEST).await else { return };
    let mut cluster = Cluster::start(&database, &redis).await;
    let clients = cluster.clients();
    let boss = admin(&clients[0]).await;
    // Each round begins two chats there, and an agent takes 20.
    let quiet = QuietGroup::new(&clients[0], &boss, rounds(ROUNDS).div_ceil(10)).await;
    let mut load = Load::new(&clients[1], &boss).await;
    for round in 1..=rounds(ROUNDS) {
        let deaths = async {
            for _ in 0..2 {
                pause(300..800).await;
                let victim = some_node();
                cluster.nodes[victim].kill9();
                pause(0..1_500).await;
                cluster.revive(victim).await;
            }
            pause(200..500).await;
        };
        load.endure(&clients, deaths).await;
        // What was under way when its node died is asked for again, and done once.
        for write in load.journal.repeatable().iter().rev().take(50) {
            load.journal.send(&clients[some_node()], write).await.expect("all nodes run");
        }
        let position = check(&History::open(&database).await, &load).await;
        let (acknowledged, unknown) = load.journal.counts();
        println!("round {round}: {acknowledged} writes acknowledged, {unknown} not; {position} events");

        let guest = quiet.begin_chat(&clients[0]).await;
        wait_until_served(&clients[1], std::slice::from_ref(&guest), 1, DEADLINE).await;
        let leader = cluster.find_leader(&guest).await;
        cluster.nodes[leader].kill9();
        let survivor = &clients[(leader + 1 + RandomIds.fraction().round() as usize) % NODES];
        let (routed, projected) = quiet.takes_over(survivor, &guest).await;
        println!("after the death of the one that projects: routed after {routed:?}, projected after {projected:?}");
        assert!(routed.max(projected) < TAKEN_OVER, "it took {routed:?} and {projected:?}");
        cluster.revive(leader).await;
        check(&History::open(&database).await, &load).await;
    }
    for node in &mut cluster.nodes {
        assert!(node.terminate().await.success());
        assert_clean(node);
    }
}

fn some_node() -> usize {
    (RandomIds.fraction() * NODES as f64) as usize % NODES
}

struct Cluster<'a> {
    nodes: Vec<Process>,
    start: Box<dyn Fn(u16) -> harness::ProcessBuilder + 'a>,
    ports: Vec<u16>,
}

impl<'a> Cluster<'a> {
    async fn start(database: &'a TestDatabase, redis: &'a Redis) -> Self {
        let start = move |port: u16| {
            let node = program_on(database).setting("DATA_DIR", "data").setting("REDIS_URL", redis.url());
            node.setting("METRICS_TOKEN", METRICS_TOKEN).setting("PORT", port.to_string())
        };
        let ports: Vec<u16> = (0..NODES).map(|_| harness::free_port()).collect();
        let mut nodes = vec![];
        for port in &ports {
            nodes.push(start(*port).start().await);
        }
        Self { nodes, start: Box::new(start), ports }
    }

    /// Each finds its node again after that was revived.
    fn clients(&self) -> Vec<Client> {
        self.nodes.iter().map(|node| node.client().clone()).collect()
    }

    async fn revive(&mut self, index: usize) {
        assert_clean(&self.nodes[index]);
        self.nodes[index] = (self.start)(self.ports[index]).start().await;
    }

    /// The one node that projects what happens in this chat. Two that did so would both have counted it.
    async fn find_leader(&self, guest: &Visitor) -> usize {
        let path = format!("/v1/threads/{}/events", guest.thread_id);
        let visitor = self.nodes[0].client().with_token(guest.token());
        eventually(DEADLINE, "one node projects", async || {
            let before = self.projected().await;
            for n in 0..5 {
                visitor.post(&path, &json!({ "content": format!("message {n}") })).await.expect(201);
            }
            let grown: Vec<u64> =
                self.projected().await.iter().zip(before).map(|(after, before)| after - before).collect();
            match grown.iter().position(|events| *events == 5) {
                Some(leader) if grown.iter().sum::<u64>() == 5 => Ok(leader),
                _ => Err(format!("{grown:?} events were projected for five messages")),
            }
        })
        .await
    }

    /// How many events each node has projected for the lists of messages.
    async fn projected(&self) -> Vec<u64> {
        const NAME: &str = "livechatlog_projected_events_total{projection=\"thread_events\"} ";
        let mut all = vec![];
        for node in &self.nodes {
            let text = node.client().with_token(METRICS_TOKEN).get("/metrics").await.expect(200).body;
            let count =
                text.as_str().and_then(|text| text.lines().find_map(|line| line.strip_prefix(NAME)?.parse().ok()));
            all.push(count.unwrap_or(0));
        }
        all
    }
}

/// A group of its own, in which there is always room, whatever else goes on.
struct QuietGroup {
    id: Value,
}

impl QuietGroup {
    async fn new(client: &Client, boss: &Person, agents: usize) -> Self {
        let chief = client.with_token(boss.token());
        let groups = chief.get("/v1/groups").await.expect(200).body["data"].clone();
        let id = chief.post("/v1/groups", &json!({ "name": "Quiet" })).await.expect(201).body["id"].clone();
        let path = |group: &Value| format!("/v1/groups/{}/agents", group.as_str().expect("an id"));
        for _ in 0..agents {
            let agent = hire(client, boss, ("agent", "offline", 20)).await;
            chief.post(&path(&id), &json!({ "agentIds": [agent.id] })).await.expect(200);
            for group in groups.as_array().expect("a list") {
                let left = chief.delete(&format!("{}/{}", path(&group["id"]), agent.id)).await;
                assert!([200, 204].contains(&left.status), "{left:?}");
            }
            let status = format!("/v1/agents/{}/status", agent.id);
            client.with_token(agent.token()).put(&status, &json!({ "status": "online" })).await.expect(200);
        }
        Self { id }
    }

    async fn begin_chat(&self, client: &Client) -> Visitor {
        let body = json!({ "initialMessage": "Is anybody there?", "groupId": self.id });
        client.visitor(body).await
    }

    /// How long it takes until a new chat is assigned, and until what is written in an old one is read.
    async fn takes_over(&self, client: &Client, old: &Visitor) -> (Duration, Duration) {
        let died = Instant::now();
        let routing = async {
            let new = self.begin_chat(client).await;
            wait_until_served(client, std::slice::from_ref(&new), 1, DEADLINE).await;
            died.elapsed()
        };
        let projecting = async {
            let visitor = client.with_token(old.token());
            let path = format!("/v1/threads/{}/events", old.thread_id);
            let quick = visitor.with_header("prefer", "respond-async");
            let sent = quick.post(&path, &json!({ "content": "still here" })).await.expect(201);
            visitor.with_header("if-position-at-least", &sent.position().to_string()).get(&path).await.expect(200);
            died.elapsed()
        };
        tokio::join!(routing, projecting)
    }
}
