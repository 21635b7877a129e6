use std::collections::BTreeSet;

use cqrs_es::DomainEvent;
use domain::aggregate::AggregateType;
use domain::event::AnyEvent;
use domain::ids::{CommandId, ConversationId, EventId, VisitorId};
use domain::visitor::{ErasedPayload, Visitor, VisitorEvent, redacted};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::Walk;
use crate::UseCaseError;
use crate::command_bus::{CommandBus, CommandContext};
use crate::ports::{
    AppendRequest, ErasedText, NewEvent, PersonalDataLog, Position, Sequence, StoredText, StreamAppend, StreamId,
};

/// The most payloads of one erasing transaction. Other appends wait for its end.
const AT_ONCE: usize = 250;

/// The outcome of an erasure.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Erased {
    /// How many payloads were replaced.
    pub payloads: u64,
    /// How many of the payloads were messages.
    pub messages: u64,
    /// Whether an open chat was closed.
    pub closed_chat: bool,
    /// What views have to show: the events that closed the chat and blocked the visitor, and the last of those that list
    /// erased payloads, whichever erasure it comes from.
    pub events: Vec<AnyEvent>,
    /// The position of the last event of this erasure, or of an earlier one.
    pub position: Option<Position>,
    /// The ids of the visitor, the conversations and the threads.
    pub ids: Named,
}

impl Erased {
    /// Takes an event that lists erased payloads in. The lists are long, and views handle all such events alike, so that
    /// the last one is enough.
    fn note(&mut self, position: Position, event: AnyEvent) {
        if self.position < Some(position) {
            self.position = Some(position);
            self.events.retain(|known| !matches!(known, AnyEvent::Visitor(VisitorEvent::PersonalDataErased { .. })));
            self.events.push(event);
        }
    }
}

/// Collects payloads with personal data, and erases them in pieces. Each piece is a transaction with an event of its own:
/// if the erasure breaks off, each payload is either unchanged, or erased with its digest in an event.
pub(super) struct TextEraser<'a> {
    bus: &'a CommandBus,
    log: &'a dyn PersonalDataLog,
    context: &'a CommandContext,
    pub(super) visitor_id: VisitorId,
    pub(super) erased: Erased,
    /// The version of the visitor's stream.
    version: Sequence,
    texts: Vec<ErasedText>,
    conversations: BTreeSet<ConversationId>,
}

impl<'a> TextEraser<'a> {
    /// Continues after what an earlier attempt has erased.
    pub(super) fn new(
        bus: &'a CommandBus,
        log: &'a dyn PersonalDataLog,
        context: &'a CommandContext,
        (visitor_id, erased): (VisitorId, Erased),
    ) -> Self {
        Self { bus, log, context, visitor_id, erased, version: 0, texts: vec![], conversations: BTreeSet::new() }
    }

    fn look(&mut self, conversation: Option<ConversationId>, text: &StoredText) -> Result<(), UseCaseError> {
        let header = &text.event.header;
        self.erased.ids.insert(header.aggregate_id);
        if text.erased {
            return Ok(());
        }
        let (kind, payload) = (header.aggregate_type, serde_json::from_str(&text.payload)?);
        let Some(left) = redacted(self.visitor_id, kind, &header.event_type, &payload) else { return Ok(()) };
        self.conversations.extend(conversation);
        self.texts.push(ErasedText { header: header.clone(), payload: serde_json::to_string(&left)? });
        Ok(())
    }

    /// Erases the collected payloads that make whole pieces.
    async fn erase_whole_pieces(&mut self) -> Result<(), UseCaseError> {
        while self.texts.len() >= AT_ONCE {
            self.erase_piece().await?;
        }
        Ok(())
    }

    /// Erases all collected payloads.
    pub(super) async fn erase(&mut self) -> Result<(), UseCaseError> {
        while !self.texts.is_empty() {
            self.erase_piece().await?;
        }
        Ok(())
    }

    async fn erase_piece(&mut self) -> Result<(), UseCaseError> {
        let rest = self.texts.split_off(AT_ONCE.min(self.texts.len()));
        let texts = std::mem::replace(&mut self.texts, rest);
        let messages = texts.iter().filter(|text| text.header.aggregate_type == AggregateType::Thread).count();
        let count = texts.len();
        let conversation_ids = self.conversations.iter().copied().collect();
        let payloads = texts.iter().map(vouched).collect();
        let at = self.bus.now();
        let event = VisitorEvent::PersonalDataErased { payloads, conversation_ids, at };
        let request = self.request(&event)?;
        let receipt = self.log.append_erasure(request, texts).await.map_err(UseCaseError::Append)?;
        self.version += 1;
        self.conversations.clear();
        self.erased.payloads += count as u64;
        self.erased.messages += messages as u64;
        self.erased.note(receipt.last_position, AnyEvent::Visitor(event));
        Ok(())
    }

    fn request(&self, event: &VisitorEvent) -> Result<AppendRequest, UseCaseError> {
        let new_event = NewEvent {
            event_id: EventId::new(self.bus.new_uuid()),
            event_type: event.event_type(),
            event_version: event.event_version(),
            payload: serde_json::to_string(event)?,
        };
        let stream = StreamId::of::<Visitor>(self.visitor_id);
        Ok(AppendRequest {
            command_id: CommandId::new(self.bus.new_uuid()),
            repeatable: None,
            actor: self.context.actor.clone(),
            correlation_id: self.context.correlation_id,
            causation_id: self.context.causation_id,
            streams: vec![StreamAppend { stream, expected_version: self.version, events: vec![new_event] }],
            observed: vec![],
        })
    }
}

impl Walk for TextEraser<'_> {
    async fn visitor(&mut self, text: &StoredText) -> Result<(), UseCaseError> {
        // The first append comes after the last event of this stream, so that its version is known by then.
        let header = &text.event.header;
        self.version = header.sequence;
        if let AnyEvent::Visitor(VisitorEvent::PersonalDataErased { payloads, .. }) = &text.event.event {
            // A repetition may have nothing to append while the views are still behind the events of the first time.
            self.erased.note(header.position, text.event.event.clone());
            // Another erasure may have come between two pages of this stream.
            self.texts.retain(|text| payloads.iter().all(|payload| payload.position != text.header.position));
        }
        self.look(None, text)
    }

    async fn conversation(&mut self, id: ConversationId, text: &StoredText) -> Result<(), UseCaseError> {
        self.look(Some(id), text)?;
        self.erase_whole_pieces().await
    }

    async fn thread(&mut self, id: ConversationId, text: &StoredText) -> Result<(), UseCaseError> {
        self.look(Some(id), text)?;
        self.erase_whole_pieces().await
    }
}

fn vouched(text: &ErasedText) -> ErasedPayload {
    let digest = Sha256::digest(&text.payload).iter().map(|byte| format!("{byte:02x}")).collect();
    ErasedPayload { position: text.header.position, digest }
}

/// The ids by which stored answers refer to a visitor.
pub(super) type Named = BTreeSet<Uuid>;
