//! Pages of the log for one reader that has fallen behind, with the rights that the reader has now.

use std::collections::BTreeSet;
use std::sync::Arc;

use application::chat::Parties;
use application::ports::{AsOf, LogEvent, Position, Principal};
use domain::agent::AgentEvent;
use domain::conversation::Conversation;
use domain::event::AnyEvent;
use domain::ids::{ConversationId, EntityId as _};
use domain::visitor::{Visitor, VisitorEvent};
use domain::workspace::WorkspaceEvent;
use uuid::Uuid;

use super::change::{Change, Given};
use super::history::{Stage, fold};
use super::prepared::ends;
use super::reader::Reader;
use super::recent::Batch;
use super::renderer::{Renderer, conversation_of};
use crate::service::Refusal;

/// The events of one page.
const PAGE: usize = 512;

/// The most events of a page that are rendered at once.
const RENDERED: usize = 64;

/// An event that the reader gets, or that ends the stream.
struct Relevant {
    event: Arc<LogEvent>,
    stage: Stage,
}

impl Renderer {
    /// What a reader gets of the next events after a position.
    pub(super) async fn page(&self, after: Position, reader: &Reader) -> Result<Batch, Refusal> {
        let events = self.log.read_after(after, PAGE).await?;
        let Some(last) = events.last() else { return Ok(Batch { end: after, ..Batch::default() }) };
        let mut end = last.header.position;
        let as_of = self.bus.as_of_now().await?;
        let mut relevant = self.relevant(events, reader, as_of).await?;
        if relevant.len() > RENDERED {
            relevant.truncate(RENDERED);
            end = relevant[RENDERED - 1].event.header.position;
        }
        drop_replaced(&mut relevant);
        let changes = self.changes(&relevant).await?;
        let batch = Batch::of(changes.iter(), reader, end);
        let more = batch.more || batch.end < as_of.position();
        Ok(Batch { more, ..batch })
    }

    async fn changes(&self, relevant: &[Relevant]) -> Result<Vec<Change>, Refusal> {
        let events = relevant.iter().map(|one| &*one.event);
        let threads = self.threads(events.clone()).await?;
        let prepared = self.prepare(events, &threads).await?;
        Ok(relevant.iter().filter_map(|one| prepared.change(&one.event, one.stage)).collect())
    }

    async fn relevant(
        &self,
        events: Vec<Arc<LogEvent>>,
        reader: &Reader,
        as_of: AsOf,
    ) -> Result<Vec<Relevant>, Refusal> {
        let own = match reader.principal {
            Principal::Visitor { id } => Some(self.own_streams(id, as_of).await?),
            Principal::Agent { .. } => None,
        };
        let mut relevant = vec![];
        for event in events {
            // A visitor reads few of all streams; the others need no look at their conversations.
            let is_foreign = own.as_ref().is_some_and(|own| !own.contains(&event.header.aggregate_id));
            if is_foreign && !concerns_visitors(&event.event) {
                continue;
            }
            let stage = self.stage(&event, reader, as_of).await?;
            relevant.extend(stage.map(|stage| Relevant { event, stage }));
        }
        Ok(relevant)
    }

    /// The streams of a visitor: the visitor's own, and those of conversations and threads.
    async fn own_streams(&self, id: domain::ids::VisitorId, as_of: AsOf) -> Result<BTreeSet<Uuid>, Refusal> {
        let visitor = self.bus.read_as_of::<Visitor>(id, as_of).await?;
        let mut own = BTreeSet::from([id.uuid()]);
        for chat in visitor.cards.keys() {
            own.insert(chat.uuid());
            own.extend(self.bus.read_as_of::<Conversation>(*chat, as_of).await?.thread_ids.iter().map(|id| id.uuid()));
        }
        Ok(own)
    }

    /// The parties with which the reader gets the event; `None` if the reader does not.
    async fn stage(&self, event: &Arc<LogEvent>, reader: &Reader, as_of: AsOf) -> Result<Option<Stage>, Refusal> {
        if let Some(ends) = ends(event) {
            let change = Change { position: 0, scope: super::change::Scope::Nobody, ends: Some(ends) };
            if matches!(change.given_to(reader), Some(Given::End(_))) {
                return Ok(Some(Stage::default()));
            }
        }
        match &event.event {
            AnyEvent::Conversation(_) | AnyEvent::Thread(_) => {
                let threads = self.threads(std::iter::once(&**event)).await?;
                let Some(id) = conversation_of(event, &threads) else { return Ok(None) };
                self.stage_of(event, id, (reader, as_of)).await
            }
            AnyEvent::Agent(AgentEvent::ProfileChanged { .. }) => Ok(Some(Stage::default())),
            AnyEvent::Agent(_)
            | AnyEvent::Group(_)
            | AnyEvent::Tag(_)
            | AnyEvent::Workspace(WorkspaceEvent::DefaultGroupChosen { .. })
            | AnyEvent::Visitor(VisitorEvent::PersonalDataErased { .. }) => Ok(reader.is_agent().then(Stage::default)),
            AnyEvent::Visitor(_)
            | AnyEvent::EmailClaim(_)
            | AnyEvent::TagNameClaim(_)
            | AnyEvent::Workspace(WorkspaceEvent::AdminAppointed { .. } | WorkspaceEvent::AdminDismissed { .. }) => {
                Ok(None)
            }
        }
    }

    async fn stage_of(
        &self,
        event: &LogEvent,
        id: ConversationId,
        (reader, as_of): (&Reader, AsOf),
    ) -> Result<Option<Stage>, Refusal> {
        let now = Parties::from(&*self.bus.read_as_of::<Conversation>(id, as_of).await?);
        if reader.may_read(&now) {
            return Ok(Some(Stage { before: None, now }));
        }
        let AnyEvent::Conversation(change) = &event.event else { return Ok(None) };
        if !reader.depends_on_groups() {
            return Ok(None);
        }
        let (_, before) = fold(&*self.log, id, event.header.sequence - 1).await?;
        let after = before.after(change);
        let is_lost = reader.may_read(&before) && !reader.may_read(&after);
        Ok(is_lost.then_some(Stage { before: Some(before), now: after }))
    }
}

/// Whether an event of another's stream may concern a visitor.
const fn concerns_visitors(event: &AnyEvent) -> bool {
    matches!(event, AnyEvent::Agent(AgentEvent::ProfileChanged { .. }))
}

/// Removes events that show only a state which a later one of the page shows as well. Messages stay, and so do events that
/// take a conversation from the reader.
fn drop_replaced(relevant: &mut Vec<Relevant>) {
    let mut shown = BTreeSet::new();
    let mut kept: Vec<_> = std::mem::take(relevant)
        .into_iter()
        .rev()
        .filter(|Relevant { event, stage }| {
            let is_state = matches!(
                event.event,
                AnyEvent::Conversation(_) | AnyEvent::Agent(_) | AnyEvent::Group(_) | AnyEvent::Tag(_)
            );
            !is_state || stage.before.is_some() || ends(event).is_some() || shown.insert(event.header.stream())
        })
        .collect();
    kept.reverse();
    *relevant = kept;
}
