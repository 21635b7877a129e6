//! Sends requests of every operation by everybody, and learns from the answers.

use std::time::Duration;

use harness::{ADMIN_EMAIL, Client, PASSWORD, Rng, conformance};
use serde_json::{Value, json};

use crate::document::{Operation, operations};
use crate::known::{Kind, Known};
use crate::people::{Guest, Member, Staff};
use crate::plan::World;
use crate::report::Report;
use crate::request::Request;
use crate::values::Values;

/// The number of guests that are always there.
const GUESTS: usize = 12;

/// Of more, the oldest are forgotten.
const MOST_GUESTS: usize = 60;

/// A run against one server.
pub struct Fuzzer {
    /// What the requests go through.
    through: Client,
    server: Client,
    http: reqwest::Client,
    world: World,
    admin: Client,
    report: Report,
}

/// The status and the JSON of an answer; null when there is none.
struct Answer {
    status: u16,
    position: Option<i64>,
    body: Value,
}

impl Fuzzer {
    /// Hires people at a server that has the admin of the harness and nobody else.
    ///
    /// The requests go to `through`, which is the server or a proxy before it.
    pub async fn open(base: &str, through: &str, seed: u64) -> Self {
        let server = Client::new(base);
        // Each request has a connection of its own: a proxy need not see where the next one begins.
        let http = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).timeout(Duration::from_secs(30));
        let http = http.redirect(reqwest::redirect::Policy::none()).build().expect("a client without TLS can be made");
        let root = server.log_in(ADMIN_EMAIL).await;
        let group = root.client.post("/v1/groups", &json!({ "name": "Home" })).await.expect(201);
        let world = World {
            rng: Rng::new(seed, 0),
            values: Values::new(seed),
            known: Known::hiding(root.id),
            staff: Staff::default(),
            guests: vec![],
            home: group.text("/id").to_owned(),
            keys: 0,
        };
        let report = Report { seed, ..Report::default() };
        let mut fuzzer = Self { through: Client::new(through), server, http, world, admin: root.client, report };
        for place in 0..Staff::PLAN.len() {
            let member = fuzzer.hire(place).await;
            fuzzer.world.staff.members.push(member);
        }
        fuzzer
    }

    /// Calls the operations in turns, each time in another order, and reports.
    pub async fn run(mut self, requests: usize) -> Report {
        let operations = operations();
        let mut turn: Vec<&Operation> = vec![];
        for number in 0..requests {
            if turn.is_empty() {
                turn.extend(&operations);
            }
            let next = self.world.rng.below(turn.len());
            let operation = turn.swap_remove(next);
            self.mend().await;
            let request = self.world.plan(operation);
            match self.send(&request).await {
                Ok(answer) => self.learn(&request, &answer),
                Err(what) => self.report.findings.push(format!("request {number}: {what}: {request}")),
            }
        }
        self.report
    }

    /// # Errors
    /// What is wrong with the answer.
    async fn send(&mut self, request: &Request) -> Result<Answer, String> {
        let response = request.build(&self.http, &self.through).send().await;
        let response = response.map_err(|error| format!("no answer ({error:?})"))?;
        let cut_short = |error: reqwest::Error| format!("cut short ({error:?})");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        // A stream of events does not end by itself.
        let is_endless =
            headers.get("content-type").is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
        let bytes = if is_endless { vec![] } else { response.bytes().await.map_err(cut_short)?.to_vec() };
        self.report.count(request.operation, request.role, status);
        if status >= 500 {
            return Err(format!("{status} {}", String::from_utf8_lossy(&bytes)));
        }
        conformance::check(&request.method, &request.target(), status, &headers, &bytes)?;
        let position = headers.get("event-position").and_then(|value| value.to_str().ok()?.parse().ok());
        let body: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        if let Some(code) = body["code"].as_str() {
            let codes = self.report.refusals.entry(request.operation).or_default();
            *codes.entry(code.to_owned()).or_default() += 1;
        }
        Ok(Answer { status, position, body })
    }

    fn learn(&mut self, request: &Request, answer: &Answer) {
        if answer.status == 401 && !request.is_hostile {
            self.forget(request);
        }
        let known = &mut self.world.known;
        known.position = known.position.max(answer.position.unwrap_or(0));
        if !(200..300).contains(&answer.status) {
            return;
        }
        let collection = request.template.split('/').nth(2).unwrap_or_default();
        let sub = request.template.split('/').nth(4).unwrap_or_default();
        // Events have ids that nothing asks for.
        let kind = Kind::of_collection(collection).filter(|_| !["events", "assignments", "stats"].contains(&sub));
        known.learn(request.operation, kind, &answer.body);
        if let (Some(kind), Some(id)) = (kind, request.in_path("id")) {
            match request.operation {
                "deleteAgent" | "deleteGroup" | "deleteTag" => known.lose(kind, id),
                "restoreAgent" | "restoreGroup" | "restoreTag" => known.regain(kind, id),
                _ => {}
            }
        }
        self.learn_people(request, answer);
    }

    fn learn_people(&mut self, request: &Request, answer: &Answer) {
        match request.operation {
            "startSession" => self.greet(&answer.body),
            "erasePersonalData" => {
                let id = request.in_path("id").unwrap_or_default();
                self.world.guests.retain(|guest| guest.id != id);
            }
            "logOut" => self.forget(request),
            "changePassword" => {
                let body = request.body.as_ref().and_then(|body| serde_json::from_slice::<Value>(&body.bytes).ok());
                let place = self.world.staff.members.iter().position(|member| member.token == request.token);
                if let (Some(place), Some(password)) =
                    (place, body.and_then(|body| body["newPassword"].as_str().map(str::to_owned)))
                {
                    self.world.staff.members[place].password = password;
                }
                self.forget(request);
            }
            _ => {}
        }
    }

    fn greet(&mut self, session: &Value) {
        let text = |field: &str| session[field].as_str().unwrap_or_default().to_owned();
        let guest =
            Guest { id: text("visitorId"), token: text("sessionToken"), conversation_id: text("conversationId") };
        self.world.known.chats.entry(guest.conversation_id.clone()).or_default().thread_id = Some(text("threadId"));
        let chat = self.world.known.chats.entry(guest.conversation_id.clone()).or_default();
        chat.status = text("status");
        self.world.guests.retain(|known| known.id != guest.id);
        self.world.guests.push(guest);
        if self.world.guests.len() > MOST_GUESTS {
            self.world.guests.remove(0);
        }
    }

    /// The caller's token is good for nothing any longer.
    fn forget(&mut self, request: &Request) {
        for member in &mut self.world.staff.members {
            if member.token == request.token {
                member.token = None;
            }
        }
        self.world.guests.retain(|guest| Some(&guest.token) != request.token.as_ref());
    }

    /// Logs in whose session has ended, replaces who cannot log in, and lets guests come.
    async fn mend(&mut self) {
        for place in 0..self.world.staff.members.len() {
            if self.world.staff.members[place].token.is_none() {
                let member = self.world.staff.members[place].clone();
                let token = self.log_in(&member.email, &member.password).await;
                if token.is_some() {
                    self.world.staff.members[place].token = token;
                } else {
                    self.world.staff.members[place] = self.hire(place).await;
                }
            }
        }
        while self.world.guests.len() < GUESTS {
            let body = json!({ "initialMessage": "Hello", "groupId": self.world.home });
            let reply = self.server.post("/v1/widget/session", &body).await.expect(201);
            self.greet(&reply.body);
        }
    }
}

impl Fuzzer {
    /// None when the server refuses.
    async fn log_in(&self, email: &str, password: &str) -> Option<String> {
        let reply = self.server.post("/v1/auth/login", &json!({ "email": email, "password": password })).await;
        (reply.status == 200).then(|| reply.text("/access_token").to_owned())
    }

    /// A new member for this place in the plan.
    async fn hire(&mut self, place: usize) -> Member {
        let (role, is_at_home) = Staff::PLAN[place];
        let email = format!("{role}-{:x}@example.com", self.world.rng.next());
        let body = json!({
            "name": role, "email": email, "password": PASSWORD, "role": role, "status": "online", "maxConcurrentChats": 20,
        });
        let admin = self.admin().await;
        let id = admin.post("/v1/agents", &body).await.expect(201).text("/id").to_owned();
        if is_at_home {
            let members = format!("/v1/groups/{}/agents", self.world.home);
            admin.post(&members, &json!({ "agentIds": [id] })).await.expect(200);
        }
        let token = self.log_in(&email, PASSWORD).await;
        Member { id, email, password: PASSWORD.to_owned(), token }
    }

    /// The first admin, whose session a long run outlasts.
    async fn admin(&mut self) -> Client {
        if self.admin.get("/v1/auth/me").await.status == 401 {
            self.admin = self.server.log_in(ADMIN_EMAIL).await.client;
        }
        self.admin.clone()
    }
}
