//! A company at work: everything that people can change, at random, until the program dies.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use application::ports::{Clock as _, Ids as _};
use harness::{Client, Person, Reply, Visitor};
use infrastructure::system::{RandomIds, SystemClock};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::journal::{Journal, Write};
use crate::people::hire;

const VISITOR_LOOPS: usize = 6;
const VISITORS_OF_A_LOOP: usize = 8;

/// How long a patient client waits before it tries again.
const SHORT_PAUSE: Duration = Duration::from_millis(50);

/// The company and all that was asked of the program.
pub struct Load {
    pub journal: Journal,
    agents: Arc<Vec<Person>>,
    supervisor: Person,
    loops: Vec<VisitorLoop>,
}

/// The nodes at which requests arrive.
#[derive(Clone)]
struct Entrance {
    clients: Arc<[Client]>,
    /// Whether an unanswered request is sent again.
    patient: bool,
}

impl Entrance {
    fn client(&self) -> &Client {
        pick(&self.clients)
    }

    async fn goes_on_after(&self, outcome: Option<()>) -> bool {
        if outcome.is_none() && self.patient {
            SystemClock.sleep(SHORT_PAUSE).await;
        }
        outcome.is_some() || self.patient
    }
}

/// One of several workers that act for visitors, one action after the other.
#[derive(Default)]
struct VisitorLoop {
    visitors: Vec<Visitor>,
    /// What has no answer yet and may be sent again.
    open: Option<Write>,
}

impl Load {
    pub async fn new(client: &Client, admin: &Person) -> Self {
        let mut agents = vec![];
        for limit in [1, 2, 3, 4] {
            agents.push(hire(client, admin, ("agent", "online", limit)).await);
        }
        let supervisor = hire(client, admin, ("supervisor", "offline", 1)).await;
        let loops = (0..VISITOR_LOOPS).map(|_| VisitorLoop::default()).collect();
        Self { journal: Journal::default(), agents: Arc::new(agents), supervisor, loops }
    }

    /// Lets all workers work until `until` has ended and all have noticed; one that finds the program gone stops.
    pub async fn run(&mut self, client: &Client, until: impl Future<Output = ()>) {
        self.work(Entrance { clients: Arc::new([client.clone()]), patient: false }, until).await;
    }

    /// Lets everybody work until `until` has ended. Each turns to any node, and to another one when there is no answer, or
    /// none that says what became of the request.
    pub async fn endure(&mut self, nodes: &[Client], until: impl Future<Output = ()>) {
        self.work(Entrance { clients: nodes.into(), patient: true }, until).await;
    }

    async fn work(&mut self, entrance: Entrance, until: impl Future<Output = ()>) {
        let stop = Arc::new(AtomicBool::new(false));
        let mut visitors = JoinSet::new();
        for mut one in std::mem::take(&mut self.loops) {
            let (entrance, journal, stop) = (entrance.clone(), self.journal.clone(), Arc::clone(&stop));
            visitors.spawn(async move {
                while !stop.load(Ordering::Relaxed)
                    && entrance.goes_on_after(one.act(entrance.client(), &journal).await).await
                {}
                one
            });
        }
        let mut staff = JoinSet::new();
        for work in [Self::come_and_go, Self::choose, Self::answer] as [fn(&Self, &Entrance) -> Job; 3] {
            let (job, entrance, stop) = (work(self, &entrance), entrance.clone(), Arc::clone(&stop));
            staff.spawn(
                async move { while !stop.load(Ordering::Relaxed) && entrance.goes_on_after(job().await).await {} },
            );
        }
        until.await;
        stop.store(true, Ordering::Relaxed);
        self.loops = visitors.join_all().await;
        staff.join_all().await;
    }

    /// An agent goes online, away or offline.
    fn come_and_go(&self, entrance: &Entrance) -> Job {
        let (entrance, journal, agents) = (entrance.clone(), self.journal.clone(), Arc::clone(&self.agents));
        Box::new(move || {
            let agent = pick(&agents).clone();
            let status = *pick(&["online", "online", "online", "away", "offline"]);
            let path = format!("/v1/agents/{}/status", agent.id);
            let write = Write::new(Method::PUT, path, json!({ "status": status }), Some(agent.token()));
            send(entrance.client().clone(), journal.clone(), write)
        })
    }

    /// A supervisor hands some chat to some agent, whatever the limit.
    fn choose(&self, entrance: &Entrance) -> Job {
        let (entrance, journal, agents) = (entrance.clone(), self.journal.clone(), Arc::clone(&self.agents));
        let supervisor = self.supervisor.clone();
        Box::new(move || {
            let (client, journal, supervisor) = (entrance.client().clone(), journal.clone(), supervisor.clone());
            let agent_id = pick(&agents).id.clone();
            Box::pin(async move {
                let chat = some_chat(&client, &supervisor, "status=pending&limit=5").await?;
                let Some(chat) = chat else { return Some(()) };
                let path = format!("/v1/conversations/{chat}/assign");
                let write = Write::new(Method::POST, path, json!({ "agentId": agent_id }), Some(supervisor.token()));
                send(client, journal, write.keyed()).await
            })
        })
    }

    /// An agent answers in one of the chats they serve.
    fn answer(&self, entrance: &Entrance) -> Job {
        let (entrance, journal, agents) = (entrance.clone(), self.journal.clone(), Arc::clone(&self.agents));
        Box::new(move || {
            let (client, journal, agent) = (entrance.client().clone(), journal.clone(), pick(&agents).clone());
            Box::pin(async move {
                let query = format!("status=active&agentId={}", agent.id);
                let chat = some_chat(&client, &agent, &query).await?;
                let Some(chat) = chat else { return Some(()) };
                let path = format!("/v1/conversations/{chat}/events");
                send(client, journal, message(path, agent.token())).await
            })
        })
    }
}

type Step = std::pin::Pin<Box<dyn Future<Output = Option<()>> + Send>>;
type Job = Box<dyn Fn() -> Step + Send + Sync>;

fn send(client: Client, journal: Journal, write: Write) -> Step {
    Box::pin(async move { journal.send(&client, &write).await.map(drop) })
}

/// None when the program is gone; within, none when there is no such chat.
async fn some_chat(client: &Client, who: &Person, query: &str) -> Option<Option<String>> {
    let path = format!("/v1/conversations?{query}");
    let reply = client.with_token(who.token()).try_request(Method::GET, &path, None).await.ok()?;
    let chats = reply.body["data"].as_array().cloned().unwrap_or_default();
    Some((!chats.is_empty()).then(|| pick(&chats)["id"].as_str().unwrap_or_default().to_owned()))
}

/// A message, with or without an id of the client.
fn message(path: String, token: &str) -> Write {
    let text = format!("message {}", RandomIds.new_uuid());
    let body = if RandomIds.fraction() < 0.5 {
        json!({ "content": text })
    } else {
        json!({ "content": text, "clientEventId": text })
    };
    Write::new(Method::POST, path, body, Some(token))
}

fn pick<T>(all: &[T]) -> &T {
    &all[((all.len() as f64 * RandomIds.fraction()) as usize).min(all.len() - 1)]
}

impl VisitorLoop {
    /// One action of one visitor. None when the program is gone.
    async fn act(&mut self, client: &Client, journal: &Journal) -> Option<()> {
        let write = match self.open.take() {
            Some(unanswered) => unanswered,
            None => self.next_write(),
        };
        let can_be_repeated = write.key.is_some() || !write.body["clientEventId"].is_null();
        match journal.send(client, &write).await {
            Some(reply) => {
                self.learn(client, &write, &reply);
                Some(())
            }
            None => {
                self.open = can_be_repeated.then_some(write);
                None
            }
        }
    }

    fn next_write(&self) -> Write {
        let kind = RandomIds.fraction();
        if self.visitors.is_empty() || (kind < 0.2 && self.visitors.len() < VISITORS_OF_A_LOOP) {
            let body = json!({ "initialMessage": "Hello", "name": "Vera" });
            let write = Write::new(Method::POST, "/v1/widget/session".to_owned(), body, None);
            return if kind < 0.1 { write.keyed() } else { write };
        }
        let visitor = pick(&self.visitors);
        let token = visitor.token();
        let chat = visitor.chat("");
        let change = |what: &str, body: Value| {
            let write = Write::new(Method::POST, format!("{chat}/{what}"), body, Some(token));
            if RandomIds.fraction() < 0.5 { write.keyed() } else { write }
        };
        match kind {
            0.9.. => change("close", json!({ "reason": "done" })),
            0.8..0.9 => change("reopen", json!({})),
            _ => message(format!("{chat}/events"), token),
        }
    }

    fn learn(&mut self, client: &Client, write: &Write, reply: &Reply) {
        if write.path == "/v1/widget/session" && reply.status == 201 {
            self.visitors.push(Visitor::of(client, reply.body.clone()));
        }
    }
}
