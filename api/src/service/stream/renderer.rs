//! Renders runs of events.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use application::chat::Parties;
use application::command_bus::CommandBus;
use application::ports::{AsOf, EventLog, LogEvent, Position};
use domain::agent::Agent;
use domain::conversation::{Conversation, Participant};
use domain::event::AnyEvent;
use domain::ids::{ConversationId, EntityId as _, ThreadId};
use domain::thread::{Thread, ThreadEvent};
use projections::agents::AgentQueries;
use projections::conversations::ConversationQueries;
use projections::tags::TagQueries;
use projections::thread_events::ThreadEventView;

use super::change::{Change, body_of, small};
use super::frames::{Content, Kind, Thing};
use super::history::History;
use super::prepared::{ConversationState, Needs, Prepared};
use crate::service::reading::Reading;
use crate::service::{ReadModel, Refusal, Views};

/// The longest wait for the views in one attempt.
const VIEWS_WITHIN: Duration = Duration::from_secs(5);

/// Reads what events show, and renders it.
pub(super) struct Renderer {
    pub(super) bus: CommandBus,
    pub(super) log: Arc<dyn EventLog>,
    pub(super) views: Arc<Views>,
    pub(super) reading: Reading,
    pub(super) conversations: ConversationQueries,
    pub(super) agents: AgentQueries,
    pub(super) tags: TagQueries,
}

/// The conversations of the threads of a run of events.
pub(super) type Threads = BTreeMap<ThreadId, ConversationId>;

impl Renderer {
    /// The events as changes for all readers, in order.
    pub(super) async fn render(
        &self,
        events: &[Arc<LogEvent>],
        history: &mut History,
    ) -> Result<Vec<Arc<Change>>, Refusal> {
        let own = events.iter().map(AsRef::as_ref);
        let threads = self.threads(own.clone()).await?;
        let prepared = self.prepare(own, &threads).await?;
        let mut changes = vec![];
        for event in events {
            let stage = match conversation_of(event, &threads) {
                Some(id) => history.pass(&*self.log, event, id).await?,
                None => super::history::Stage::default(),
            };
            changes.extend(prepared.change(event, stage).map(Arc::new));
        }
        Ok(changes)
    }

    /// Finds the conversations of threads.
    pub(super) async fn threads<'a>(&self, events: impl Iterator<Item = &'a LogEvent>) -> Result<Threads, Refusal> {
        let mut threads = Threads::new();
        for event in events {
            let AnyEvent::Thread(change) = &event.event else { continue };
            let id = ThreadId::from_uuid(event.header.aggregate_id);
            if threads.contains_key(&id) {
                continue;
            }
            let conversation_id = match change {
                ThreadEvent::ThreadStarted { conversation_id, .. }
                | ThreadEvent::MessageSent { conversation_id, .. }
                | ThreadEvent::MessagesRead { conversation_id, .. } => Some(*conversation_id),
                ThreadEvent::AgentJoined { .. }
                | ThreadEvent::AgentLeft { .. }
                | ThreadEvent::GroupChanged { .. }
                | ThreadEvent::ThreadClosed { .. } => self.conversation_of_thread(id).await?,
            };
            threads.extend(conversation_id.map(|conversation_id| (id, conversation_id)));
        }
        Ok(threads)
    }

    async fn conversation_of_thread(&self, id: ThreadId) -> Result<Option<ConversationId>, Refusal> {
        // It never changes, but a state from before the thread began does not have it.
        match self.bus.peek::<Thread>(id).await?.conversation_id {
            Some(conversation_id) => Ok(Some(conversation_id)),
            None => Ok(self.bus.read::<Thread>(id).await?.conversation_id),
        }
    }

    /// Reads and renders what these events show.
    pub(super) async fn prepare<'a>(
        &self,
        events: impl Iterator<Item = &'a LogEvent> + Clone,
        threads: &Threads,
    ) -> Result<Prepared, Refusal> {
        let needs = Needs::of(events.clone());
        self.await_views(&needs).await?;
        let as_of = match shows_names(&needs, events.clone()) {
            true => Some(self.bus.as_of_now().await?),
            false => None,
        };
        let mut prepared = Prepared::default();
        self.add_thread_events(&mut prepared, (events, threads), as_of).await?;
        let Some(as_of) = as_of else { return Ok(prepared) };
        self.add_slots(&mut prepared, &needs, as_of).await?;
        self.add_conversations(&mut prepared, &needs, as_of).await?;
        self.add_staff(&mut prepared, &needs).await?;
        for id in needs.erased {
            let conversation = self.bus.read_as_of::<Conversation>(id, as_of).await?;
            prepared.erased.insert(id, Parties::from(&*conversation));
        }
        Ok(prepared)
    }

    async fn await_views(&self, needs: &Needs) -> Result<(), Refusal> {
        let wanted = [
            (ReadModel::Conversations, !needs.conversations.is_empty() || !needs.renamed.is_empty()),
            (ReadModel::Agents, !needs.agents.is_empty() || !needs.groups.is_empty()),
            (ReadModel::Tags, !needs.tags.is_empty()),
        ];
        let views: Vec<_> = wanted.into_iter().filter(|(_, wanted)| *wanted).map(|(view, _)| view).collect();
        let reached = views.is_empty() || self.views.wait_for(&views, needs.position, VIEWS_WITHIN).await;
        if reached { Ok(()) } else { Err(Refusal::view_behind()) }
    }

    async fn add_thread_events<'a>(
        &self,
        prepared: &mut Prepared,
        (events, threads): (impl Iterator<Item = &'a LogEvent>, &Threads),
        as_of: Option<AsOf>,
    ) -> Result<(), Refusal> {
        let views = events.filter_map(|event| ThreadEventView::of(event, conversation_of(event, threads)?));
        let views: Vec<_> = views.collect();
        let places: Vec<(Position, ConversationId)> =
            views.iter().map(|view| (view.position, view.conversation_id)).collect();
        let named = match as_of {
            Some(as_of) => self.reading.named_events(views, as_of).await?,
            None => Reading::nameless_events(views),
        };
        for ((position, conversation_id), data) in places.into_iter().zip(named) {
            let content = Content::ThreadEvent { conversation_id, data };
            let body = body_of(&content, Kind::Conversation, conversation_id.uuid());
            prepared.thread_events.insert(position, body);
        }
        Ok(())
    }

    async fn add_slots(&self, prepared: &mut Prepared, needs: &Needs, as_of: AsOf) -> Result<(), Refusal> {
        for id in &needs.renamed {
            let agent = self.bus.read_as_of::<Agent>(*id, as_of).await?;
            prepared.slots.insert(*id, agent.slots.iter().copied().collect());
        }
        Ok(())
    }

    async fn add_conversations(&self, prepared: &mut Prepared, needs: &Needs, as_of: AsOf) -> Result<(), Refusal> {
        let mut ids = needs.conversations.clone();
        ids.extend(prepared.slots.values().flatten());
        let ids: Vec<_> = ids.into_iter().collect();
        for (id, visitor_id, for_visitor, for_agents) in self.reading.conversation_states(&ids, as_of).await? {
            let render = |data| body_of(&Content::Conversation { data }, Kind::Conversation, id.uuid());
            let state = ConversationState { visitor_id, visitor: render(for_visitor), agents: render(for_agents) };
            prepared.conversations.insert(id, state);
        }
        Ok(())
    }

    async fn add_staff(&self, prepared: &mut Prepared, needs: &Needs) -> Result<(), Refusal> {
        let agents: Vec<_> = needs.agents.iter().copied().collect();
        for data in if agents.is_empty() { vec![] } else { self.agents.find_agents(&agents).await? } {
            let (id, deleted) = (data.id, data.deleted);
            prepared.agents.insert(id, state((Kind::Agent, id.uuid(), deleted), &Content::Agent { data }));
        }
        let groups: Vec<_> = needs.groups.iter().copied().collect();
        for data in if groups.is_empty() { vec![] } else { self.agents.find_groups(&groups).await? } {
            let (id, deleted) = (data.id, data.deleted);
            prepared.groups.insert(id, state((Kind::Group, id.uuid(), deleted), &Content::Group { data }));
        }
        let tags: Vec<_> = needs.tags.iter().copied().collect();
        for data in if tags.is_empty() { vec![] } else { self.tags.find_tags(&tags).await? } {
            let (id, deleted) = (data.id, data.deleted);
            prepared.tags.insert(id, state((Kind::Tag, id.uuid(), deleted), &Content::Tag { data }));
        }
        Ok(())
    }
}

/// A state; deleted things are gone for everybody.
fn state((kind, id, deleted): (Kind, uuid::Uuid, bool), content: &Content) -> super::change::Body {
    if deleted { small(&Content::Removed { data: Thing { kind, id } }) } else { body_of(content, kind, id) }
}

/// The conversation that an event belongs to.
pub(super) fn conversation_of(event: &LogEvent, threads: &Threads) -> Option<ConversationId> {
    match &event.event {
        AnyEvent::Conversation(_) => Some(ConversationId::from_uuid(event.header.aggregate_id)),
        AnyEvent::Thread(_) => threads.get(&ThreadId::from_uuid(event.header.aggregate_id)).copied(),
        AnyEvent::Agent(_)
        | AnyEvent::Visitor(_)
        | AnyEvent::Group(_)
        | AnyEvent::Tag(_)
        | AnyEvent::EmailClaim(_)
        | AnyEvent::TagNameClaim(_)
        | AnyEvent::Workspace(_) => None,
    }
}

/// Whether anything but the words of visitors is shown: names and states are read as of now.
fn shows_names<'a>(needs: &Needs, mut events: impl Iterator<Item = &'a LogEvent>) -> bool {
    let by_agent = |event: &LogEvent| {
        matches!(&event.event, AnyEvent::Thread(ThreadEvent::MessageSent { author: Participant::Agent(_), .. }))
    };
    needs.position > 0 || !needs.erased.is_empty() || events.any(by_agent)
}
