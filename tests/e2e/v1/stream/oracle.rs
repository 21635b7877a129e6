//! The oracle of the stream: for every type of event, what a client has after applying the frames is what REST shows.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use harness::{Client, DEADLINE, Server, Stream, TestDatabase, each_database, eventually};
use serde_json::{Value, json};

use super::{beginning, listed, token};

/// What a client holds, and the rules of docs/api.md by which frames change it.
struct Mirror {
    name: &'static str,
    client: Client,
    stream: Stream,
    held: Held,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Held {
    conversations: BTreeMap<String, Value>,
    /// By thread, then by position.
    events: BTreeMap<String, BTreeMap<i64, Value>>,
    agents: BTreeMap<String, Value>,
    groups: BTreeMap<String, Value>,
    tags: BTreeMap<String, Value>,
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

/// Without the order of ids, and without the place in the queue, which other chats change.
fn normal(mut thing: Value) -> Value {
    if let Some(members) = thing.as_object_mut() {
        members.remove("queuePosition");
        for (name, value) in members.iter_mut() {
            if let ("tags" | "tagIds" | "agentIds" | "groupIds", Some(items)) = (name.as_str(), value.as_array_mut()) {
                items.sort_by_key(Value::to_string);
            }
        }
    }
    thing
}

async fn list(client: &Client, path: &str) -> BTreeMap<String, Value> {
    let page = client.get(&format!("{path}?limit=100")).await.expect(200).body;
    assert!(page["nextCursor"].is_null());
    page["data"].as_array().unwrap().iter().map(|one| (text(&one["id"]), normal(one.clone()))).collect()
}

async fn thread(client: &Client, id: &str) -> BTreeMap<i64, Value> {
    let events = listed(client, &format!("/v1/threads/{id}/events")).await;
    events.into_iter().map(|event| (event["position"].as_i64().unwrap(), event)).collect()
}

impl Held {
    /// The snapshot of REST. Visitors cannot list their conversations, so they name them.
    async fn load(client: &Client, own: Option<BTreeSet<String>>) -> Self {
        let mut held = Self::default();
        match own {
            Some(ids) => {
                for id in ids {
                    let chat = client.get(&format!("/v1/conversations/{id}")).await.expect(200).body;
                    held.conversations.insert(id, normal(chat));
                }
            }
            None => {
                held.conversations = list(client, "/v1/conversations").await;
                held.agents = list(client, "/v1/agents").await;
                held.groups = list(client, "/v1/groups").await;
                held.tags = list(client, "/v1/tags").await;
            }
        }
        let threads: Vec<_> = held.conversations.values().flat_map(threads_of).collect();
        for id in threads {
            let events = thread(client, &id).await;
            held.events.insert(id, events);
        }
        held
    }

    fn rename(&mut self, agent: &Value) {
        let (id, name) = (&agent["id"], &agent["name"]);
        for chat in self.conversations.values_mut() {
            for label in ["assignedAgent", "lastAgent"] {
                if chat[label]["id"] == *id {
                    chat[label]["name"] = name.clone();
                }
            }
        }
        for event in self.events.values_mut().flat_map(BTreeMap::values_mut) {
            if event["authorType"] == "agent" && event["authorId"] == *id {
                event["authorName"] = name.clone();
            }
        }
    }

    fn take_agent(&mut self, agent: Value) {
        self.rename(&agent);
        for (id, group) in &mut self.groups {
            let is_member = agent["groupIds"].as_array().unwrap().contains(&json!(id));
            set_member(group, "agentIds", &agent["id"], is_member);
        }
        self.agents.insert(text(&agent["id"]), normal(agent));
    }

    fn take_group(&mut self, group: Value) {
        for (id, agent) in &mut self.agents {
            let is_member = group["agentIds"].as_array().unwrap().contains(&json!(id));
            set_member(agent, "groupIds", &group["id"], is_member);
        }
        if group["isDefault"] == true {
            self.groups.values_mut().for_each(|other| other["isDefault"] = json!(false));
        }
        self.groups.insert(text(&group["id"]), normal(group));
    }

    fn take_tag(&mut self, tag: Value) {
        for label in self.conversations.values_mut().filter_map(|chat| chat.get_mut("tags")?.as_array_mut()).flatten() {
            if label["id"] == tag["id"] {
                (label["name"], label["color"]) = (tag["name"].clone(), tag["color"].clone());
            }
        }
        self.conversations.values_mut().for_each(|chat| *chat = normal(chat.take()));
        self.tags.insert(text(&tag["id"]), normal(tag));
    }

    fn remove(&mut self, thing: &Value) {
        let id = text(&thing["id"]);
        match thing["kind"].as_str() {
            Some("conversation") => {
                let gone = self.conversations.remove(&id);
                gone.iter().flat_map(threads_of).for_each(|thread| drop(self.events.remove(&thread)));
            }
            Some("agent") => {
                self.agents.remove(&id);
                self.groups.values_mut().for_each(|group| set_member(group, "agentIds", &json!(id), false));
            }
            Some("group") => {
                self.groups.remove(&id);
                self.agents.values_mut().for_each(|agent| set_member(agent, "groupIds", &json!(id), false));
            }
            Some("tag") => drop(self.tags.remove(&id)),
            _ => panic!("{thing}"),
        }
    }

    fn erase(&mut self, visitor: &Value) {
        for chat in self.conversations.values_mut().filter(|chat| chat["visitor"]["id"] == *visitor) {
            for field in ["name", "email", "phone"] {
                chat["visitor"][field] = Value::Null;
            }
        }
        for event in self.events.values_mut().flat_map(BTreeMap::values_mut) {
            if event["authorType"] == "visitor" && event["authorId"] == *visitor {
                event["content"] = json!("[erased]");
                let members = event.as_object_mut().unwrap();
                members.remove("clientEventId");
                members.remove("metadata");
            }
        }
    }
}

/// Whether a frame shows something that the conversation does not show already.
fn is_news(frame: &Value, chat: &Value) -> bool {
    frame["position"].as_i64() > chat["position"].as_i64()
}

/// Somebody has read on: the marks only go forward, and the furthest one of a side says what is unread there.
fn take_mark(chat: &mut Value, mark: &Value, is_agent: bool) {
    let marks = chat["seenUpTo"].as_array_mut().unwrap();
    let position = |one: &Value| one["position"].as_i64();
    let furthest = marks.iter().filter(|one| one["type"] == mark["type"]).filter_map(position).max();
    match marks.iter_mut().find(|one| one["type"] == mark["type"] && one["id"] == mark["id"]) {
        Some(known) => known["position"] = mark["position"].clone(),
        None => marks.push(json!({ "type": mark["type"], "id": mark["id"], "position": mark["position"] })),
    }
    if (mark["type"] == "agent") == is_agent && furthest < position(mark) {
        chat["unread"] = mark["unread"].clone();
    }
}

fn threads_of(chat: &Value) -> Vec<String> {
    chat["threadIds"].as_array().unwrap().iter().map(text).collect()
}

fn set_member(thing: &mut Value, field: &str, id: &Value, is_member: bool) {
    let items = thing[field].as_array_mut().unwrap();
    items.retain(|item| item != id);
    items.extend(is_member.then(|| id.clone()));
    items.sort_by_key(Value::to_string);
}

impl Mirror {
    async fn open(server: &Server, name: &'static str, client: &Client, own: Option<BTreeSet<String>>) -> Self {
        let reply = client.get("/v1/stream").await;
        let head = server.app().log.head().await.unwrap().position;
        assert_eq!(reply.status, 406);
        let held = Held::load(client, own).await;
        // From before the snapshot on: it may show more, and nothing of that does harm.
        let after = beginning(server).await.replace(":0", &format!(":{head}"));
        let (stream, frames) = Stream::join(server.base(), token(client), Some(&after)).await;
        let mut mirror = Self { name, client: client.clone(), stream, held };
        for frame in frames {
            mirror.apply(frame).await;
        }
        mirror
    }

    fn own(&self) -> Option<BTreeSet<String>> {
        self.held.agents.is_empty().then(|| self.held.conversations.keys().cloned().collect())
    }

    async fn apply(&mut self, mut frame: Value) {
        let (data, is_agent) = (frame["data"].take(), !self.held.agents.is_empty());
        match frame["type"].as_str() {
            Some("thread_event") => {
                let chat = self.held.conversations.get_mut(&text(&frame["conversationId"]));
                if let Some(chat) = chat
                    && data["type"] == "message"
                    && is_news(&frame, chat)
                {
                    chat["lastMessageAt"] = data["createdAt"].clone();
                    chat["position"] = frame["position"].clone();
                    if (data["authorType"] == "visitor") == is_agent {
                        chat["unread"] = json!(chat["unread"].as_i64().unwrap() + 1);
                    }
                }
                let events = self.held.events.entry(text(&data["threadId"])).or_default();
                events.insert(data["position"].as_i64().unwrap(), data);
            }
            Some("conversation") => {
                let id = text(&data["id"]);
                if !self.held.conversations.contains_key(&id) {
                    // One that appears: its earlier messages come from REST.
                    for thread_id in threads_of(&data) {
                        let earlier = thread(&self.client, &thread_id).await;
                        self.held.events.entry(thread_id).or_default().extend(earlier);
                    }
                }
                // An agent's name holds wherever it is shown.
                for label in ["assignedAgent", "lastAgent"] {
                    if !data[label].is_null() {
                        self.held.rename(&data[label]);
                    }
                }
                self.held.conversations.insert(id, normal(data));
            }
            Some("read") => {
                if let Some(chat) = self.held.conversations.get_mut(&text(&frame["conversationId"]))
                    && is_news(&frame, chat)
                {
                    chat["position"] = frame["position"].clone();
                    take_mark(chat, &data, is_agent);
                }
            }
            Some("agent") => self.held.take_agent(data),
            Some("group") => self.held.take_group(data),
            Some("tag") => self.held.take_tag(data),
            Some("removed") => self.held.remove(&data),
            Some("erased") => self.held.erase(&data["visitorId"]),
            _ => panic!("{frame}"),
        }
    }

    /// Takes frames until the mirror shows what REST does.
    async fn settle(&mut self, step: &str) {
        let what = format!("{} has what REST shows after {step}", self.name);
        eventually(DEADLINE, &what, async || {
            while let Some(frame) = self.stream.next_within(Duration::from_millis(20)).await {
                let frame = frame.unwrap_or_else(|closed| panic!("{closed:?} after {step}"));
                if frame["frame"] == "event" {
                    self.apply(frame).await;
                }
            }
            let shown = Held::load(&self.client, self.own()).await;
            if shown == self.held { Ok(()) } else { Err(difference(&self.held, &shown)) }
        })
        .await;
    }
}

fn difference(held: &Held, shown: &Held) -> String {
    let of = |held: &Held| {
        [&held.conversations, &held.agents, &held.groups, &held.tags]
            .map(Clone::clone)
            .into_iter()
            .flatten()
            .chain(
                held.events
                    .iter()
                    .flat_map(|(id, events)| events.iter().map(move |(at, one)| (format!("{id}/{at}"), one.clone()))),
            )
            .collect::<BTreeMap<_, _>>()
    };
    let (held, shown) = (of(held), of(shown));
    let keys: BTreeSet<_> = held.keys().chain(shown.keys()).collect();
    let different = keys.into_iter().filter(|key| held.get(*key) != shown.get(*key));
    different
        .map(|key| format!("{key}: held {:?}, shown {:?}", held.get(key), shown.get(key)))
        .collect::<Vec<_>>()
        .join("\n")
}

/// Every type of event that is stored, from the snapshots that pin them.
fn all_types() -> BTreeSet<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../domain/tests/snapshots");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap());
    let of = |text: String| {
        let lines = text.lines().filter_map(|line| line.trim().strip_prefix("\"event_type\": \"")?.strip_suffix("\","));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    files.flat_map(of).collect()
}

/// A request of somebody that causes events.
struct Step<'a>(&'a Client, &'static str, String, Value);

async fn walk(mirrors: &mut [Mirror], steps: Vec<Step<'_>>) {
    for Step(client, method, path, body) in steps {
        let reply = client.request(method.parse().unwrap(), &path, (!body.is_null()).then_some(&body)).await;
        assert!(reply.status < 300, "{method} {path}: {}", reply.body);
        for mirror in mirrors.iter_mut() {
            mirror.settle(&format!("{method} {path} {body}")).await;
        }
    }
}

each_database!(frames_of_every_type_of_event_lead_to_what_rest_shows);
async fn frames_of_every_type_of_event_lead_to_what_rest_shows(database: TestDatabase) {
    let server = Server::start(&database).await;
    let admin = server.admin().await.client;
    let (anna, sue) = (server.person("agent", "online", 5).await, server.person("supervisor", "away", 5).await);
    let ben = server.person("agent", "away", 5).await;
    let session = json!({ "name": "Vera", "email": "vera@example.com", "initialMessage": "Hello" });
    let vera = server.client().visitor(session).await;
    harness::desk::wait_for_agent(&vera, &anna.id).await;
    let group = admin.post("/v1/groups", &json!({ "name": "Sales" })).await.expect(201).text("/id").to_owned();
    let default = admin.get("/v1/groups").await.body["data"]
        .as_array()
        .unwrap()
        .iter()
        .find(|group| group["isDefault"] == true)
        .map(|group| text(&group["id"]))
        .unwrap();
    let mut mirrors = [
        Mirror::open(&server, "the visitor", &vera.client, Some([vera.conversation_id.clone()].into())).await,
        Mirror::open(&server, "the agent", &anna.client, None).await,
        Mirror::open(&server, "the supervisor", &sue.client, None).await,
    ];
    let (boss, of_anna, of_vera) = (&admin, &anna.client, &vera.client);
    let chat = |end: &str| format!("/v1/conversations/{}{end}", vera.conversation_id);
    let agent = |id: &str, end: &str| format!("/v1/agents/{id}{end}");
    let tag = boss.post("/v1/tags", &json!({ "name": "Urgent" })).await.expect(201).text("/id").to_owned();
    let (tags, groups) = (format!("/v1/tags/{tag}"), format!("/v1/groups/{group}"));
    let says = |content: &str| json!({ "content": content, "clientEventId": content, "metadata": { "page": "/" } });
    walk(
        &mut mirrors,
        vec![
            Step(of_vera, "POST", chat("/events"), says("one")),
            Step(of_anna, "POST", chat("/events"), says("two")),
            Step(of_vera, "POST", format!("/v1/threads/{}/read", vera.thread_id), json!({ "upTo": 1_000_000 })),
            Step(of_vera, "POST", chat("/events"), says("three")),
            Step(of_anna, "POST", format!("/v1/threads/{}/read", vera.thread_id), json!({ "upTo": 1_000_000 })),
            Step(of_anna, "POST", chat("/events"), says("four")),
            Step(of_vera, "POST", chat("/events"), says("five")),
            Step(boss, "PATCH", agent(&anna.id, ""), json!({ "name": "Anna the second" })),
            Step(boss, "POST", chat("/tags"), json!({ "tagId": tag })),
            Step(boss, "PATCH", tags.clone(), json!({ "name": "Very urgent", "color": "#CC0000" })),
            Step(boss, "DELETE", chat(&format!("/tags/{tag}")), Value::Null),
            Step(boss, "DELETE", tags.clone(), Value::Null),
            Step(boss, "POST", format!("{tags}/restore"), json!({})),
            Step(boss, "POST", chat("/assign"), json!({ "agentId": ben.id })),
            Step(boss, "PATCH", agent(&ben.id, ""), json!({ "email": "ben.new@example.com", "maxConcurrentChats": 3 })),
            Step(boss, "PUT", agent(&ben.id, "/status"), json!({ "status": "away", "acceptingChats": false })),
            Step(boss, "PUT", agent(&ben.id, "/status"), json!({ "status": "online", "acceptingChats": true })),
            Step(boss, "PUT", agent(&anna.id, "/status"), json!({ "status": "away" })),
            Step(boss, "POST", chat("/transfer"), json!({ "groupId": group, "reason": "a question of money" })),
            Step(boss, "PATCH", groups.clone(), json!({ "name": "Sales and more", "routingStrategy": "round_robin" })),
            Step(boss, "POST", format!("{groups}/agents"), json!({ "agentIds": [ben.id] })),
            Step(boss, "PATCH", agent(&ben.id, ""), json!({ "role": "admin" })),
            Step(boss, "PATCH", agent(&ben.id, ""), json!({ "role": "agent" })),
            Step(boss, "DELETE", format!("{groups}/agents/{}", ben.id), Value::Null),
            Step(boss, "PATCH", groups.clone(), json!({ "isDefault": true })),
            Step(boss, "PATCH", format!("/v1/groups/{default}"), json!({ "isDefault": true })),
            Step(boss, "POST", chat("/transfer"), json!({ "groupId": default })),
            Step(boss, "DELETE", groups.clone(), Value::Null),
            Step(boss, "POST", format!("{groups}/restore"), json!({})),
            Step(of_vera, "POST", chat("/close"), json!({ "reason": "thank you" })),
            Step(
                &server.client(),
                "POST",
                "/v1/widget/session".to_owned(),
                json!({ "sessionToken": token(of_vera), "name": "Vera Maria", "initialMessage": "Another question" }),
            ),
        ],
    )
    .await;
    // The new chat of the same visitor is another conversation, which ends before the first one is reopened.
    let second = eventually(DEADLINE, "the visitor learns of the second chat", async || {
        mirrors[0].settle("the second chat").await;
        let mut chats = mirrors[0].held.conversations.keys();
        chats.find(|id| **id != vera.conversation_id).cloned().ok_or("only one chat")
    })
    .await;
    let again = json!({ "sessionToken": token(of_vera), "name": "Vera Maria", "initialMessage": "Back again" });
    let ben = server.client().log_in("ben.new@example.com").await;
    let change = json!({ "currentPassword": harness::PASSWORD, "newPassword": "another good password" });
    walk(
        &mut mirrors,
        vec![
            Step(of_vera, "POST", format!("/v1/conversations/{second}/close"), json!({ "reason": "enough" })),
            Step(of_vera, "POST", chat("/reopen"), json!({})),
            Step(&server.client(), "POST", "/v1/widget/session".to_owned(), again),
            Step(&ben.client, "POST", "/v1/auth/password".to_owned(), change),
            Step(boss, "DELETE", agent(&ben.id, ""), Value::Null),
            Step(boss, "POST", agent(&ben.id, "/restore"), json!({})),
        ],
    )
    .await;
    // The visitor's own stream ends with the erasure.
    let personal = format!("/v1/visitors/{}/personal-data", vera.id);
    walk(&mut mirrors[1..], vec![Step(boss, "DELETE", personal, Value::Null)]).await;
    let log = server.app().log.read_after(0, 4_096).await.unwrap();
    let seen: BTreeSet<_> = log.iter().map(|event| event.event.event_type()).collect();
    let missing: Vec<_> = all_types().difference(&seen).cloned().collect();
    assert!(missing.is_empty() && seen.len() > 40, "no step causes {missing:?}");
}
