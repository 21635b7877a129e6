//! What the answers have shown so far: ids, versions, cursors, tokens.

use std::collections::BTreeMap;

use harness::Rng;
use harness::desk::NOBODY;
use serde_json::Value;

/// The oldest are forgotten beyond this number of each kind.
const KEPT: usize = 200;

/// A kind of things with ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Agent,
    Group,
    Tag,
    Conversation,
    Thread,
    Visitor,
}

impl Kind {
    /// The kind of an id by what stands before it in a path: `agents` in `/v1/agents/{id}`.
    pub fn of_collection(segment: &str) -> Option<Self> {
        Some(match segment {
            "agents" => Self::Agent,
            "groups" => Self::Group,
            "tags" => Self::Tag,
            "conversations" => Self::Conversation,
            "threads" => Self::Thread,
            "visitors" => Self::Visitor,
            _ => return None,
        })
    }

    /// The kind of an id by the name of its field.
    pub fn of_field(name: &str) -> Option<Self> {
        Some(match name {
            "agentId" | "agentIds" => Self::Agent,
            "groupId" => Self::Group,
            "tagId" => Self::Tag,
            "conversationId" | "conversationIds" => Self::Conversation,
            "threadId" => Self::Thread,
            "visitorId" => Self::Visitor,
            _ => return None,
        })
    }
}

/// A conversation as it was last shown.
#[derive(Clone, Debug, Default)]
pub struct Chat {
    pub status: String,
    pub agent_id: Option<String>,
    pub thread_id: Option<String>,
}

/// Everything seen.
#[derive(Debug, Default)]
pub struct Known {
    ids: BTreeMap<Kind, Vec<String>>,
    gone: BTreeMap<Kind, Vec<String>>,
    pub chats: BTreeMap<String, Chat>,
    versions: BTreeMap<String, i64>,
    cursors: BTreeMap<&'static str, Vec<String>>,
    /// Tokens that renew a session, once each.
    pub renewals: Vec<String>,
    /// The last position of a write.
    pub position: i64,
    /// Idempotency keys in use.
    pub keys: Vec<String>,
    hidden: Option<String>,
}

impl Known {
    /// Nothing but an id that is never named: without the first admin nobody could repair anything.
    pub fn hiding(id: String) -> Self {
        Self { hidden: Some(id), ..Self::default() }
    }

    /// Keeps an id.
    pub fn keep(&mut self, kind: Kind, id: &str) {
        if self.hidden.as_deref() == Some(id) || self.gone.get(&kind).is_some_and(|gone| has(gone, id)) {
            return;
        }
        push(self.ids.entry(kind).or_default(), id);
    }

    /// What exists no longer may come back.
    pub fn lose(&mut self, kind: Kind, id: &str) {
        self.ids.entry(kind).or_default().retain(|known| known != id);
        push(self.gone.entry(kind).or_default(), id);
    }

    /// What has come back.
    pub fn regain(&mut self, kind: Kind, id: &str) {
        self.gone.entry(kind).or_default().retain(|known| known != id);
        self.keep(kind, id);
    }

    /// Remembers an idempotency key.
    pub fn use_key(&mut self, key: &str) {
        push(&mut self.keys, key);
    }

    /// An id of a thing that is there, as far as is known.
    pub fn any(&self, rng: &mut Rng, kind: Kind) -> String {
        pick(rng, self.ids.get(&kind))
    }

    /// An id of a thing that is gone, as far as is known.
    pub fn any_gone(&self, rng: &mut Rng, kind: Kind) -> String {
        pick(rng, self.gone.get(&kind))
    }

    /// A conversation of one of these states.
    pub fn chat_in(&self, rng: &mut Rng, states: &[&str]) -> Option<String> {
        let fitting: Vec<_> =
            self.chats.iter().filter(|(_, chat)| states.contains(&chat.status.as_str())).map(|(id, _)| id).collect();
        if fitting.is_empty() { None } else { Some((*rng.pick(&fitting)).clone()) }
    }

    /// The version of a thing when it was last shown.
    pub fn version(&self, id: &str) -> Option<i64> {
        self.versions.get(id).copied()
    }

    /// A cursor that an operation gave.
    pub fn cursor(&self, rng: &mut Rng, operation: &str) -> Option<String> {
        self.cursors.get(operation).filter(|cursors| !cursors.is_empty()).map(|cursors| rng.pick(cursors).clone())
    }

    /// Learns from the body of an answer. Each `id` is of this kind.
    pub fn learn(&mut self, operation: &'static str, kind: Option<Kind>, body: &Value) {
        if let Some(cursor) = body["nextCursor"].as_str() {
            push(self.cursors.entry(operation).or_default(), cursor);
        }
        if let Some(token) = body["refresh_token"].as_str() {
            push(&mut self.renewals, token);
        }
        let items = body["data"].as_array().into_iter().flatten().chain([body]);
        for item in items.filter(|item| item.is_object()) {
            self.learn_item(kind, item);
        }
    }

    fn learn_item(&mut self, kind: Option<Kind>, item: &Value) {
        for (name, value) in item.as_object().into_iter().flatten() {
            if let (Some(kind), Some(id)) = (Kind::of_field(name), value.as_str()) {
                self.keep(kind, id);
            }
        }
        let (Some(kind), Some(id)) = (kind, item["id"].as_str()) else { return };
        if item["deleted"] == true {
            self.lose(kind, id);
        } else {
            self.keep(kind, id);
        }
        if let Some(version) = item["version"].as_i64() {
            self.versions.insert(id.to_owned(), version);
        }
        if kind == Kind::Conversation {
            self.learn_chat(id, item);
        }
    }

    fn learn_chat(&mut self, id: &str, item: &Value) {
        let text = |field: &str| item[field].as_str().map(str::to_owned);
        let thread_id = text("activeThreadId").or_else(|| self.chats.get(id).and_then(|chat| chat.thread_id.clone()));
        thread_id.iter().for_each(|thread| self.keep(Kind::Thread, thread));
        let chat = Chat { status: text("status").unwrap_or_default(), agent_id: text("assignedAgentId"), thread_id };
        self.chats.insert(id.to_owned(), chat);
        if self.chats.len() > KEPT {
            // Ids grow with time.
            self.chats.pop_first();
        }
    }
}

fn has(list: &[String], text: &str) -> bool {
    list.iter().any(|known| known == text)
}

fn push(list: &mut Vec<String>, text: &str) {
    if !has(list, text) {
        list.push(text.to_owned());
        if list.len() > KEPT {
            list.remove(0);
        }
    }
}

fn pick(rng: &mut Rng, from: Option<&Vec<String>>) -> String {
    from.filter(|ids| !ids.is_empty()).map_or_else(|| NOBODY.to_owned(), |ids| rng.pick(ids).clone())
}
