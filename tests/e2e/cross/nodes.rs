//! What was done on one node is shown by the other.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use harness::desk::wait_for_agent;
use harness::{Client, Person, Server, TestDatabase, Visitor};
use serde_json::{Value, json};

/// Two nodes, a chat with an agent and a tag at the first of them, and those who ask the second.
struct Nodes {
    one: Server,
    _other: Server,
    agent: Person,
    tag: String,
    visitor: Visitor,
    admin: Client,
    admin_elsewhere: Client,
    visitor_elsewhere: Client,
}

impl Nodes {
    async fn open(database: &TestDatabase) -> Self {
        let (one, other) = (Server::start(database).await, Server::start(database).await);
        let (agent, admin) = (one.agent(1).await, one.admin().await.client);
        let visitor = one.visitor("Hello").await;
        wait_for_agent(&visitor, &agent.id).await;
        let tag = admin.post("/v1/tags", &json!({ "name": "0" })).await.expect(201).text("/id").to_owned();
        let tagged = format!("/v1/conversations/{}/tags", visitor.conversation_id);
        admin.post(&tagged, &json!({ "tagId": tag })).await.expect(200);
        agent.client.post(&visitor.messages(), &json!({ "content": "Good day" })).await.expect(201);
        let elsewhere = |client: &Client| other.client().with_token(client.token().unwrap());
        let (admin_elsewhere, visitor_elsewhere) = (elsewhere(&admin), elsewhere(&visitor.client));
        Self { one, _other: other, agent, tag, visitor, admin, admin_elsewhere, visitor_elsewhere }
    }

    async fn rename(&self, name: &str) -> i64 {
        let name = json!({ "name": name });
        self.admin.patch(&format!("/v1/tags/{}", self.tag), &name).await.expect(200);
        self.admin.patch(&format!("/v1/agents/{}", self.agent.id), &name).await.expect(200).position()
    }

    /// The agent's name, and the tag's, wherever the other node shows them.
    async fn shown(&self) -> Vec<Value> {
        let chat = format!("/v1/conversations/{}", self.visitor.conversation_id);
        let admin = &self.admin_elsewhere;
        let own = self.visitor_elsewhere.get(&chat).await.expect(200).body;
        let one = admin.get(&chat).await.expect(200).body;
        let all = admin.get("/v1/conversations?sort=oldest").await.expect(200).body;
        let events = self.visitor_elsewhere.get(&self.visitor.messages()).await.expect(200).body;
        let assignments = admin.get(&format!("{chat}/assignments")).await.expect(200).body;
        let said = events["data"].as_array().unwrap().iter().find(|event| event["content"] == "Good day").unwrap();
        [
            &own["assignedAgent"]["name"],
            &one["lastAgent"]["name"],
            &one["tags"][0]["name"],
            &all["data"][0]["assignedAgent"]["name"],
            &all["data"][0]["tags"][0]["name"],
            &said["authorName"],
            &assignments["data"][0]["agentName"],
        ]
        .map(Value::clone)
        .to_vec()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_node_has_acknowledged_the_other_shows() {
    let Some(database) = TestDatabase::mysql("two nodes").await else { return };
    let nodes = Nodes::open(&database).await;
    for round in 1..=20 {
        let name = format!("Number {round}");
        nodes.rename(&name).await;
        let shown = nodes.shown().await;
        assert!(shown.iter().all(|shown| *shown == json!(name)), "{name}: {shown:?}");
        let word = format!("word{round}");
        nodes.agent.client.post(&nodes.visitor.messages(), &json!({ "content": word })).await.expect(201);
        let found = nodes.admin_elsewhere.get(&format!("/v1/conversations?search={word}")).await.expect(200).body;
        assert_eq!(found["data"].as_array().unwrap().len(), 1, "{word}");
        let figures = nodes.admin_elsewhere.get(&format!("/v1/agents/{}/stats", nodes.agent.id)).await.expect(200).body;
        assert_eq!(figures["messagesSent"]["today"], json!(1 + round), "{figures}");
        // The agent is busy, so that the next visitor waits.
        nodes.one.visitor("Hello?").await;
        let queue = nodes.admin_elsewhere.get("/v1/queue").await.expect(200).body;
        assert_eq!(queue["data"].as_array().unwrap().len(), round, "{queue}");
    }
}

/// Readers demand positions that are about to be written, one of which is that of a new name.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn demanded_position_holds_for_names_too() {
    let Some(database) = TestDatabase::mysql("two nodes").await else { return };
    let nodes = Arc::new(Nodes::open(&database).await);
    let mut renamed = vec![nodes.rename("0").await];
    let (known, until) = (Arc::new(AtomicI64::new(renamed[0])), Instant::now() + Duration::from_secs(4));
    let readers: Vec<_> = (1..=6)
        .map(|ahead| {
            let (nodes, known) = (Arc::clone(&nodes), Arc::clone(&known));
            tokio::spawn(async move {
                let chat = format!("/v1/conversations/{}", nodes.visitor.conversation_id);
                let mut seen = vec![];
                while Instant::now() < until {
                    let demanded = known.load(Ordering::SeqCst) + ahead;
                    let client = nodes.visitor_elsewhere.with_header("If-Position-At-Least", &demanded.to_string());
                    let reply = client.get(&chat).await;
                    if reply.status == 200 {
                        seen.push((demanded, reply.text("/assignedAgent/name").parse::<usize>().unwrap()));
                    }
                }
                seen
            })
        })
        .collect();
    let senders: Vec<_> = (0..2)
        .map(|_| {
            let (nodes, known) = (Arc::clone(&nodes), Arc::clone(&known));
            tokio::spawn(async move {
                while Instant::now() < until {
                    let sent = nodes.visitor.client.post(&nodes.visitor.messages(), &json!({ "content": "?" })).await;
                    known.fetch_max(sent.expect(201).position(), Ordering::SeqCst);
                }
            })
        })
        .collect();
    while Instant::now() < until {
        let name = json!({ "name": renamed.len().to_string() });
        let reply = nodes.admin.patch(&format!("/v1/agents/{}", nodes.agent.id), &name).await.expect(200);
        renamed.push(reply.position());
        known.fetch_max(reply.position(), Ordering::SeqCst);
    }
    for sender in senders {
        sender.await.unwrap();
    }
    let mut reads = 0;
    for reader in readers {
        for (demanded, name) in reader.await.unwrap() {
            reads += 1;
            let least = renamed.iter().rposition(|at| *at <= demanded).unwrap();
            assert!(name >= least, "{demanded}: name {name}, which was {least} by then");
        }
    }
    assert!(reads > 50, "{reads}");
}
