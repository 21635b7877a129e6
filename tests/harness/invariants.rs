//! What is true of every log, whatever happened while it was written.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use application::ports::LogEvent;
use domain::agent::{Agent, AgentStatus};
use domain::conversation::{Conversation, ConversationStatus};
use domain::ids::{AgentId, ConversationId, EntityId};
use domain::invariants::Invariants;
use infrastructure::database::Database;

/// How things stand at the end of a log.
#[derive(Debug, Default)]
pub struct Standing {
    invariants: Invariants,
}

impl Standing {
    /// Walks a log from its first event.
    ///
    /// # Panics
    /// When it holds what must never happen: see [`domain::invariants::Rule`]; or a command that was carried out twice.
    #[must_use]
    pub fn of(events: &[Arc<LogEvent>]) -> Self {
        let mut invariants = Invariants::default();
        let mut violations: Vec<_> = events.iter().flat_map(|event| invariants.enter(&event.recorded())).collect();
        violations.extend(invariants.finish());
        let told: Vec<_> = violations.iter().map(ToString::to_string).collect();
        assert!(told.is_empty(), "the log holds what must never happen:\n{}", told.join("\n"));
        nothing_is_there_twice(events);
        Self { invariants }
    }

    /// Every chat that ever began.
    #[must_use]
    pub const fn chats(&self) -> &BTreeMap<ConversationId, Conversation> {
        self.invariants.conversations()
    }

    /// The chats that wait.
    pub fn waiting(&self) -> impl Iterator<Item = (&ConversationId, &Conversation)> {
        self.chats().iter().filter(|(_, chat)| chat.status == ConversationStatus::Pending)
    }

    /// A chat that waits although an agent of its group could take it.
    #[must_use]
    pub fn waits_in_vain(&self) -> Option<(ConversationId, AgentId)> {
        self.waiting().find_map(|(id, chat)| {
            let group = self.invariants.groups().get(&chat.group_id?).filter(|group| group.is_present())?;
            let free = |agent: &&AgentId| self.invariants.agents().get(agent).is_some_and(could_take_a_chat);
            Some((*id, *group.agent_ids.iter().find(free)?))
        })
    }

    /// Whether each waiting chat, and nothing else, is in the router's queue once.
    ///
    /// # Errors
    /// What is missing or too much.
    ///
    /// # Panics
    /// When the queue cannot be read.
    pub async fn check_queue(&self, database: &Database) -> Result<(), String> {
        const SELECT: &str = "SELECT conversation_id, group_id, waiting_since FROM routing_queue";
        let rows = database.fetch_all(SELECT, vec![]).await.expect("the queue can be read");
        let queued: BTreeSet<_> = rows
            .iter()
            .map(|row| {
                let id = |column| row.uuid(column).expect("an id");
                (id("conversation_id"), id("group_id"), row.int("waiting_since").expect("a position"))
            })
            .collect();
        let wait = |(id, _): (&ConversationId, &Conversation)| {
            let wait = self.invariants.routing().waiting(*id).expect("the verifier has found it in a queue");
            (id.uuid(), wait.group_id.uuid(), wait.waiting_since)
        };
        let waiting: BTreeSet<_> = self.waiting().map(wait).collect();
        if queued == waiting && queued.len() == rows.len() {
            return Ok(());
        }
        let (lost, stale) = (waiting.difference(&queued), queued.difference(&waiting));
        Err(format!("not in the queue: {:?}; in it without waiting: {:?}", Vec::from_iter(lost), Vec::from_iter(stale)))
    }
}

fn could_take_a_chat(agent: &Agent) -> bool {
    agent.is_present() && agent.status == AgentStatus::Online && agent.accepting_chats && agent.has_free_slot()
}

/// The verifier holds nothing that grows with every event, so it does not know.
fn nothing_is_there_twice(events: &[Arc<LogEvent>]) {
    let (mut ids, mut commands) = (HashSet::new(), HashSet::new());
    for append in events.chunk_by(|a, b| a.header.command_id == b.header.command_id) {
        let at = append[0].header.position;
        assert!(commands.insert(append[0].header.command_id), "the command at {at} was carried out before");
        for event in append {
            assert!(ids.insert(event.header.event_id), "the event at {} is there twice", event.header.position);
        }
    }
}
