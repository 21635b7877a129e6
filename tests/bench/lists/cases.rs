//! What is asked for.

use harness::{ADMIN_EMAIL, Client};

use super::company::{AWAY_GROUP, BUSY_AGENT, TAGS};
use super::texts::{ABSENT, FREQUENT, RARE, TALKER, common_words, full_names};
use crate::team::log_in;

/// The role of the agent who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// Sees everything.
    Admin,
    /// Sees what is theirs and their groups'.
    Agent,
}

/// A list, or what has no pages.
#[derive(Clone, Debug)]
pub struct Case {
    pub name: &'static str,
    pub who: Who,
    pub path: String,
}

/// What the paths name: the same things in each store, but for the word and the name.
pub struct Names {
    pub tokens: [String; 2],
    agent: String,
    default_group: String,
    away_group: String,
    tag: String,
    rare_tag: String,
    conversation: String,
    thread: String,
    long_thread: String,
    /// The word of most of those that wait, but not of more than fit a page: for it all of them are looked at.
    waiting_word: String,
    /// The name of most visitors of those that were tried; in the store with few, hardly two are called alike.
    full_name: String,
}

impl Names {
    pub async fn find(client: &Client) -> Self {
        let tokens = [log_in(client, ADMIN_EMAIL).await, log_in(client, BUSY_AGENT).await];
        let admin = client.with_token(&tokens[0]);
        let first = async |path: &str, field: &str| {
            let found = admin.get(path).await.expect(200);
            found.text(&format!("/data/0/{field}")).to_owned()
        };
        let named = async |path: &str, name: &str| {
            let found = admin.get(path).await.expect(200).body;
            let all = found["data"].as_array().cloned().unwrap_or_default();
            let one = all.iter().find(|one| one["name"] == name).unwrap_or_else(|| panic!("no {name} in {found}"));
            one["id"].as_str().unwrap_or_default().to_owned()
        };
        let mut waiting = vec![];
        for word in common_words() {
            let found = admin.get(&format!("/v1/conversations?search={word}%20&status=pending")).await.expect(200).body;
            if found["nextCursor"].is_null() {
                waiting.push((found["data"].as_array().map_or(0, Vec::len), word));
            }
        }
        let (_, waiting_word) = waiting.into_iter().max().expect("there are words that are not frequent");
        let mut called = vec![];
        for name in full_names() {
            let found = admin.get(&format!("/v1/conversations?search={name}")).await.expect(200).body;
            called.push((found["data"].as_array().map_or(0, Vec::len), name));
        }
        let (_, full_name) = called.into_iter().max().expect("people have names");
        let talker = format!("/v1/conversations?search={TALKER}");
        let closed = "/v1/conversations?status=closed";
        Self {
            agent: first(&format!("/v1/agents?search={BUSY_AGENT}"), "id").await,
            default_group: named("/v1/groups?limit=100", "General").await,
            away_group: named("/v1/groups?limit=100", AWAY_GROUP).await,
            tag: named("/v1/tags?limit=100", TAGS[0]).await,
            rare_tag: named("/v1/tags?limit=100", TAGS[TAGS.len() - 1]).await,
            conversation: first(closed, "id").await,
            thread: first(closed, "threadIds/0").await,
            long_thread: first(&talker, "threadIds/0").await,
            waiting_word: waiting_word.to_owned(),
            full_name,
            tokens,
        }
    }
}

/// Everything that is measured, in the order of the table.
pub fn cases(names: &Names, month: &str) -> Vec<Case> {
    let Names { agent, default_group, away_group, tag, rare_tag, conversation, thread, long_thread, .. } = names;
    let (waiting_word, full_name) = (&names.waiting_word, &names.full_name);
    let of = |who, name, path: String| Case { name, who, path };
    let list = |name, query: String| of(Who::Admin, name, format!("/v1/conversations?{query}"));
    let own = |name, query: String| of(Who::Agent, name, format!("/v1/conversations?{query}"));
    let one = |name, path: String| of(Who::Admin, name, path);
    vec![
        list("all, newest", "sort=newest".into()),
        list("all, oldest", "sort=oldest".into()),
        list("longest waiting", "sort=longest_waiting".into()),
        list("longest waiting of a group", format!("sort=longest_waiting&groupId={away_group}")),
        list("status pending", "status=pending".into()),
        list("status active", "status=active".into()),
        list("status closed", "status=closed".into()),
        list("status closed, oldest", "status=closed&sort=oldest".into()),
        list("agent", format!("agentId={agent}")),
        list("agent, closed", format!("agentId={agent}&status=closed")),
        list("group", format!("groupId={default_group}")),
        list("group, closed", format!("groupId={default_group}&status=closed")),
        list("group, agent", format!("groupId={default_group}&agentId={agent}")),
        list("tag", format!("tagId={tag}")),
        list("tag, oldest", format!("tagId={tag}&sort=oldest")),
        list("tag, closed", format!("tagId={tag}&status=closed")),
        list("tag, group", format!("tagId={tag}&groupId={default_group}")),
        list("tag, agent", format!("tagId={tag}&agentId={agent}")),
        list("month", month.to_owned()),
        list("month, oldest", format!("{month}&sort=oldest")),
        list("month, group, closed", format!("{month}&groupId={default_group}&status=closed")),
        list("month, tag", format!("{month}&tagId={tag}")),
        list("month, agent", format!("{month}&agentId={agent}")),
        list("text, frequent", format!("search={FREQUENT}%20")),
        list("text, frequent, oldest", format!("search={FREQUENT}%20&sort=oldest")),
        list("text, rare", format!("search={RARE}%20")),
        list("text, absent", format!("search={ABSENT}")),
        list("text, beginning", "search=deliv".into()),
        list("text, three letters", "search=ref".into()),
        list("text, two frequent", "search=order%20refund%20".into()),
        list("text, frequent and rare", format!("search={FREQUENT}%20{RARE}%20")),
        list("text, a name", format!("search={full_name}")),
        list("text, pending", format!("search={waiting_word}%20&status=pending")),
        list("text, group, closed", format!("search={FREQUENT}%20&groupId={default_group}&status=closed")),
        list("text, agent", format!("search={FREQUENT}%20&agentId={agent}")),
        list("text, rare tag", format!("search={FREQUENT}%20&tagId={rare_tag}")),
        list("text, month", format!("search={FREQUENT}%20&{month}")),
        own("agent's own view", "sort=newest".into()),
        own("agent's own view, closed", "status=closed".into()),
        own("agent's own view, text", format!("search={FREQUENT}%20")),
        own("agent's own view, rare text", format!("search={RARE}%20")),
        one("counts", "/v1/conversations/counts".into()),
        of(Who::Agent, "counts of an agent's view", "/v1/conversations/counts".into()),
        one("queue", "/v1/queue?limit=25".into()),
        one("queue of a group", format!("/v1/queue?groupId={away_group}")),
        one("queue in figures", "/v1/queue/stats".into()),
        one("events of a thread", format!("/v1/threads/{long_thread}/events?limit=25")),
        one("events of a usual thread", format!("/v1/threads/{thread}/events?limit=25")),
        one("one conversation", format!("/v1/conversations/{conversation}")),
        one("assignments", format!("/v1/conversations/{conversation}/assignments")),
        one("agents", "/v1/agents?limit=25".into()),
        one("figures of an agent", format!("/v1/agents/{agent}/stats")),
        one("groups", "/v1/groups".into()),
        one("tags", "/v1/tags".into()),
    ]
}
