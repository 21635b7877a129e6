//! Chooses the next request: the caller, what it is about, and its fields.

use harness::Rng;
use harness::desk::NOBODY;
use serde_json::{Value, json};

use crate::document::{Operation, Parameter};
use crate::hostile;
use crate::known::{Kind, Known};
use crate::people::{Guest, Role, Staff};
use crate::request::{Body, Request};
use crate::values::{self, Values};

/// What the choice depends on.
pub struct World {
    pub rng: Rng,
    pub values: Values,
    pub known: Known,
    pub staff: Staff,
    pub guests: Vec<Guest>,
    /// The group that has most of the staff.
    pub home: String,
    /// Counts the idempotency keys.
    pub keys: u64,
}

/// The caller and the things that the paths and bodies are to name.
struct Scene {
    role: Role,
    member: Option<usize>,
    guest: Option<Guest>,
    conversation_id: String,
}

/// The states in which an operation on a conversation can succeed.
fn states(operation: &str) -> &'static [&'static str] {
    match operation {
        "reopenConversation" => &["closed"],
        "closeConversation" | "sendToConversation" | "sendToThread" => &["active", "pending"],
        "assignConversation" => &["pending"],
        "transferConversation" => &["pending", "active"],
        _ => &["active", "pending", "closed"],
    }
}

impl World {
    /// A request to this operation.
    pub fn plan(&mut self, operation: &Operation) -> Request {
        let scene = self.scene(operation);
        let token = self.token(&scene);
        let mut request = Request {
            operation: operation.id,
            method: operation.method.clone(),
            template: operation.path,
            path: vec![],
            query: vec![],
            headers: vec![("Accept", operation.accept.as_bytes().to_vec())],
            body: None,
            role: scene.role,
            token,
            is_hostile: self.rng.percent(30),
        };
        for parameter in &operation.parameters {
            self.add(&mut request, operation, parameter, &scene);
        }
        if let Some(schema) = operation.body {
            request.body = self.body(operation, schema, &scene);
        }
        if request.is_hostile {
            hostile::spoil(&mut self.rng, &mut request);
        }
        request
    }

    fn scene(&mut self, operation: &Operation) -> Scene {
        let is_likely = self.rng.percent(80);
        let least = if is_likely { operation.least_role } else { "public" };
        let role = Role::likely(&mut self.rng, least);
        let chat = self.known.chat_in(&mut self.rng, states(operation.id));
        let mut conversation_id = chat.unwrap_or_else(|| self.known.any(&mut self.rng, Kind::Conversation));
        if role == Role::ChatAgent {
            conversation_id = self.served(operation).unwrap_or(conversation_id);
        }
        let guest = match role {
            Role::Visitor => self.guest_in(operation),
            Role::Stranger => {
                let others: Vec<_> =
                    self.guests.iter().filter(|guest| guest.conversation_id != conversation_id).collect();
                (!others.is_empty()).then(|| (*self.rng.pick(&others)).clone())
            }
            _ => None,
        };
        if let Some(guest) = guest.as_ref().filter(|_| role == Role::Visitor) {
            conversation_id.clone_from(&guest.conversation_id);
        }
        let serving = self.known.chats.get(&conversation_id).and_then(|chat| chat.agent_id.clone());
        let mut member = self.staff.place(role, serving.as_deref());
        if member.is_some() && ["logOut", "changePassword"].contains(&operation.id) {
            member = Some(Staff::PLAN.len() - 1);
        }
        Scene { role, member, guest, conversation_id }
    }

    /// A guest whose chat is in one of the states that the operation needs, if there is one.
    fn guest_in(&mut self, operation: &Operation) -> Option<Guest> {
        let fits = |guest: &&Guest| {
            let chat = self.known.chats.get(&guest.conversation_id);
            chat.is_some_and(|chat| states(operation.id).contains(&chat.status.as_str()))
        };
        let fitting: Vec<_> = self.guests.iter().filter(fits).collect();
        let from = if fitting.is_empty() { self.guests.iter().collect() } else { fitting };
        (!from.is_empty()).then(|| (*self.rng.pick(&from)).clone())
    }

    /// A chat that one of the agents of the chats serves.
    fn served(&mut self, operation: &Operation) -> Option<String> {
        let agents = &self.staff.members[..2];
        let is_served = |agent_id: &Option<String>| agents.iter().any(|agent| Some(&agent.id) == agent_id.as_ref());
        let fits = states(operation.id);
        let served: Vec<_> = self
            .known
            .chats
            .iter()
            .filter(|(_, chat)| fits.contains(&chat.status.as_str()) && is_served(&chat.agent_id))
            .map(|(id, _)| id.clone())
            .collect();
        (!served.is_empty()).then(|| self.rng.pick(&served).clone())
    }

    fn token(&self, scene: &Scene) -> Option<String> {
        match (&scene.guest, scene.member) {
            (Some(guest), _) => Some(guest.token.clone()),
            (None, Some(member)) => self.staff.members[member].token.clone(),
            (None, None) => None,
        }
    }

    fn add(&mut self, request: &mut Request, operation: &Operation, parameter: &Parameter, scene: &Scene) {
        let name = parameter.name;
        match parameter.place {
            "path" => {
                let id = self.path_id(operation, name, scene);
                request.path.push((name, id));
            }
            "header" => {
                if let Some(value) = self.header(operation, name, request) {
                    request.headers.push((name, value.into_bytes()));
                }
            }
            _ if !self.rng.percent(25) => {}
            _ if name == "cursor" => {
                let cursor = self.known.cursor(&mut self.rng, operation.id);
                request.query.extend(cursor.map(|cursor| (name.to_owned(), cursor)));
            }
            _ => {
                let mut fields =
                    Fields { known: &self.known, staff: &self.staff, guests: &self.guests, home: &self.home };
                let value = self.values.make(parameter.schema, name, &mut fields);
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                if !value.is_null() {
                    request.query.push((name.to_owned(), text));
                }
            }
        }
    }

    fn path_id(&mut self, operation: &Operation, name: &str, scene: &Scene) -> String {
        let before = operation.path.split('/').zip(operation.path.split('/').skip(1));
        let collection =
            before.into_iter().find(|(_, part)| *part == format!("{{{name}}}")).map_or("", |(before, _)| before);
        let kind = Kind::of_collection(collection).unwrap_or(Kind::Conversation);
        match kind {
            Kind::Conversation => scene.conversation_id.clone(),
            Kind::Thread => {
                let thread = self.known.chats.get(&scene.conversation_id).and_then(|chat| chat.thread_id.clone());
                thread.unwrap_or_else(|| self.known.any(&mut self.rng, Kind::Thread))
            }
            _ if operation.id.starts_with("restore") => self.known.any_gone(&mut self.rng, kind),
            Kind::Agent if name == "id" => self.agent(operation, scene),
            Kind::Agent if operation.id == "removeGroupAgent" => self.rng.pick(&self.staff.members).id.clone(),
            Kind::Group => self.group(operation),
            _ => self.known.any(&mut self.rng, kind),
        }
    }

    /// Members come to the home group and leave it; it is never deleted.
    fn group(&mut self, operation: &Operation) -> String {
        match operation.id {
            "removeGroupAgent" => self.home.clone(),
            "addGroupAgents" if self.rng.percent(60) => self.home.clone(),
            "deleteGroup" => {
                let others = (0..20).map(|_| self.known.any(&mut self.rng, Kind::Group)).find(|id| *id != self.home);
                others.unwrap_or_else(|| NOBODY.to_owned())
            }
            _ => self.known.any(&mut self.rng, Kind::Group),
        }
    }

    /// Agents may change and read themselves; the staff is seldom changed by others, and never deleted.
    fn agent(&mut self, operation: &Operation, scene: &Scene) -> String {
        let own = scene
            .member
            .filter(|_| operation.id != "deleteAgent" && !matches!(scene.role, Role::Supervisor | Role::Admin));
        if let Some(member) = own.filter(|_| self.rng.percent(80)) {
            return self.staff.members[member].id.clone();
        }
        for _ in 0..20 {
            let id = self.known.any(&mut self.rng, Kind::Agent);
            if self.staff.find(&id).is_none() || !["deleteAgent", "changeAgent"].contains(&operation.id) {
                return id;
            }
        }
        NOBODY.to_owned()
    }

    fn header(&mut self, operation: &Operation, name: &str, request: &Request) -> Option<String> {
        match name {
            "If-Match" if self.rng.percent(20) => {
                let version = request.in_path("id").and_then(|id| self.known.version(id));
                Some(
                    version
                        .filter(|_| self.rng.percent(80))
                        .map_or_else(|| "*".to_owned(), |version| format!("\"{version}\"")),
                )
            }
            // A later position would be waited for.
            "If-Position-At-Least" if self.rng.percent(20) => Some(self.known.position.to_string()),
            "Prefer" if self.rng.percent(10) => Some("respond-async".to_owned()),
            "Idempotency-Key" if self.rng.percent(20) => Some(self.key(operation)),
            _ => None,
        }
    }

    /// A new key, or seldom one that another request has used.
    fn key(&mut self, operation: &Operation) -> String {
        if self.rng.percent(10) && !self.known.keys.is_empty() {
            return self.rng.pick(&self.known.keys).clone();
        }
        self.keys += 1;
        let key = format!("{}-{:016}", operation.id, self.keys);
        self.known.use_key(&key);
        key
    }

    fn body(&mut self, operation: &Operation, schema: &'static Value, scene: &Scene) -> Option<Body> {
        let mut fields = Fields { known: &self.known, staff: &self.staff, guests: &self.guests, home: &self.home };
        let mut value = self.values.make(schema, "", &mut fields);
        if value.as_object().is_some_and(serde_json::Map::is_empty) && self.rng.percent(50) {
            return None;
        }
        self.adapt(operation, &mut value, scene);
        Some(Body { media_type: Some("application/json".to_owned()), bytes: value.to_string().into_bytes() })
    }

    /// What the schema cannot say: who may be named as the author, and passwords that are somebody's.
    fn adapt(&mut self, operation: &Operation, value: &mut Value, scene: &Scene) {
        if operation.path.ends_with("/events") && value.get("authorType").is_some_and(Value::is_string) {
            value["authorType"] = json!(if scene.guest.is_some() { "visitor" } else { "agent" });
        }
        if operation.id == "changePassword"
            && let Some(member) = scene.member
        {
            value["currentPassword"] = json!(self.staff.members[member].password);
        }
        if operation.id == "logIn" && self.rng.percent(70) {
            let member = self.rng.pick(&self.staff.members);
            *value = json!({ "email": member.email, "password": member.password });
        }
        // Chats find agents only while some are online.
        if operation.id == "setAgentStatus" && self.rng.percent(60) {
            value["status"] = json!("online");
        }
        // The rest is for admins.
        if operation.id == "changeAgent" && scene.role != Role::Admin && self.rng.percent(70) {
            let fields = value.as_object_mut().into_iter();
            fields.for_each(|fields| {
                fields.retain(|name, _| ["name", "avatar", "acceptingChats"].contains(&name.as_str()))
            });
        }
        // Another default group would get the chats that name none.
        if value.get("isDefault").is_some() && self.rng.percent(80) {
            value["isDefault"] = Value::Null;
        }
    }
}

/// Fields whose good values come from answers.
struct Fields<'a> {
    known: &'a Known,
    staff: &'a Staff,
    guests: &'a [Guest],
    home: &'a str,
}

impl values::Known for Fields<'_> {
    fn value(&mut self, rng: &mut Rng, name: &str) -> Option<Value> {
        match name {
            "agentId" | "agentIds" if rng.percent(80) => {
                // Most often one who can take the chat.
                let from = if rng.percent(70) { &self.staff.members[..2] } else { &self.staff.members[..] };
                Some(json!(rng.pick(from).id))
            }
            "groupId" if rng.percent(60) => Some(json!(self.home)),
            "sessionToken" => Some(
                self.guests.get(rng.below(self.guests.len().max(1))).map_or(Value::Null, |guest| json!(guest.token)),
            ),
            "refresh_token" => Some(json!(self.known.renewals.last().map_or("none", String::as_str))),
            "aggregate" => Some(json!(*rng.pick(&["conversation", "agent", "workspace"]))),
            _ => Kind::of_field(name).map(|kind| json!(self.known.any(rng, kind))),
        }
    }
}
