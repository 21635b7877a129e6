use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use application::ports::LogEvent;
use async_trait::async_trait;
use domain::conversation::Participant;
use domain::event::AnyEvent;
use domain::ids::{AgentId, EntityId, ThreadId};
use domain::thread::ThreadEvent;
use domain::time::Timestamp;
use infrastructure::database::{DatabaseError, Transaction};
use infrastructure::subscription::{HandleError, Subscriber, View, names};

use super::rows::{ChatRow, DayRow};
use crate::error::poison;
use crate::rows::{Rows, ViewRow, aggregate_ids};

const PATIENCE: Duration = Duration::from_millis(50);

/// Fills `agent_chats` and `agent_days`.
#[derive(Clone, Copy, Debug, Default)]
pub struct AgentStatsProjector;

/// What an event means for the figures.
enum Fact {
    Joined(AgentId, Timestamp),
    Left(AgentId, Timestamp),
    Said(AgentId, Timestamp),
    Closed(Timestamp),
}

impl Fact {
    const fn of(event: &AnyEvent) -> Option<Self> {
        let AnyEvent::Thread(event) = event else { return None };
        match event {
            ThreadEvent::AgentJoined { agent_id, at, .. } => Some(Self::Joined(*agent_id, *at)),
            ThreadEvent::AgentLeft { agent_id, at, .. } => Some(Self::Left(*agent_id, *at)),
            ThreadEvent::MessageSent { author: Participant::Agent(agent_id), at, .. } => {
                Some(Self::Said(*agent_id, *at))
            }
            ThreadEvent::ThreadClosed { at, .. } => Some(Self::Closed(*at)),
            ThreadEvent::ThreadStarted { .. }
            | ThreadEvent::MessageSent { author: Participant::Visitor(_), .. }
            | ThreadEvent::GroupChanged { .. }
            | ThreadEvent::MessagesRead { .. } => None,
        }
    }

    /// The row of the day that it may change.
    fn day(&self) -> Option<DayRow> {
        match self {
            Self::Joined(agent_id, at) | Self::Said(agent_id, at) => Some(DayRow::new(*agent_id, *at)),
            Self::Left(..) | Self::Closed(_) => None,
        }
    }
}

#[async_trait]
impl Subscriber for AgentStatsProjector {
    fn name(&self) -> &'static str {
        names::AGENT_STATS
    }

    fn version(&self) -> i64 {
        1
    }

    /// No answer to a change waits for it.
    fn patience(&self) -> Duration {
        PATIENCE
    }

    fn handles(&self, event: &AnyEvent) -> bool {
        Fact::of(event).is_some()
    }

    async fn handle(&self, events: &[Arc<LogEvent>], tx: &mut Transaction) -> Result<(), HandleError> {
        let facts = || events.iter().filter_map(|event| Some((event.as_ref(), Fact::of(&event.event)?)));
        let days: BTreeSet<_> = facts().filter_map(|(_, fact)| fact.day()).map(|day| day.id()).collect();
        let mut fold = Fold { chats: load_chats(tx, events).await?, days: Rows::load(tx, days).await? };
        for (event, fact) in facts() {
            fold.apply(event, &fact)?;
        }
        fold.chats.save(tx).await?;
        Ok(fold.days.save(tx).await?)
    }
}

impl View for AgentStatsProjector {
    fn tables(&self) -> &'static [&'static str] {
        &[ChatRow::TABLE.name, DayRow::TABLE.name]
    }
}

/// The chats of all agents in the threads of these events.
async fn load_chats(tx: &mut Transaction, events: &[Arc<LogEvent>]) -> Result<Rows<ChatRow>, DatabaseError> {
    let threads = aggregate_ids(events.iter().map(AsRef::as_ref));
    Rows::load_by(tx, "thread_id", threads).await
}

/// What a page makes of the figures.
struct Fold {
    chats: Rows<ChatRow>,
    days: Rows<DayRow>,
}

impl Fold {
    fn apply(&mut self, event: &LogEvent, fact: &Fact) -> Result<(), HandleError> {
        let thread_id = ThreadId::from_uuid(event.header.aggregate_id);
        match fact {
            Fact::Joined(agent_id, at) => self.join(event, (*agent_id, thread_id), *at),
            Fact::Left(agent_id, at) => {
                self.chat(event, (*agent_id, thread_id))?.leave(*at);
                Ok(())
            }
            Fact::Said(agent_id, at) => {
                self.chat(event, (*agent_id, thread_id))?.respond(*at);
                self.day(event, *agent_id, *at)?.messages += 1;
                Ok(())
            }
            Fact::Closed(at) => {
                self.chats.all().filter(|chat| chat.thread_id == thread_id).for_each(|chat| chat.leave(*at));
                Ok(())
            }
        }
    }

    fn join(&mut self, event: &LogEvent, key: (AgentId, ThreadId), at: Timestamp) -> Result<(), HandleError> {
        let (agent_id, thread_id) = key;
        if self.chats.find(ChatRow::id_of(agent_id, thread_id)).is_none() {
            self.chats.create(event, ChatRow::new(agent_id, thread_id, at))?;
            self.day(event, agent_id, at)?.chats += 1;
        }
        self.chat(event, key)?.joined_at = Some(at);
        Ok(())
    }

    fn chat(
        &mut self,
        event: &LogEvent,
        (agent_id, thread_id): (AgentId, ThreadId),
    ) -> Result<&mut ChatRow, HandleError> {
        let chat = self.chats.find(ChatRow::id_of(agent_id, thread_id));
        chat.ok_or_else(|| poison(event, "an agent acts in a thread that they have not joined"))
    }

    fn day(&mut self, event: &LogEvent, agent_id: AgentId, at: Timestamp) -> Result<&mut DayRow, HandleError> {
        let row = DayRow::new(agent_id, at);
        let id = row.id();
        if self.days.find(id).is_none() {
            self.days.create(event, row)?;
        }
        self.days.find(id).ok_or_else(|| poison(event, "happens on a day that the view does not have"))
    }
}
