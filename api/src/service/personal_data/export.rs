use std::io;

use application::UseCaseError;
use application::command_bus::CommandBus;
use application::ports::{Position, StoredText};
use application::visitors::{PersonalData, Walk};
use domain::event::AnyEvent;
use domain::ids::{ConversationId, VisitorId};
use domain::time::Timestamp;
use domain::visitor::Visitor;
use futures::SinkExt as _;
use futures::channel::mpsc::Sender;
use projections::thread_events::ThreadEventView;
use serde::Serialize;
use serde_json::json;

use super::facts::Fact;

/// A part is sent when it has so many bytes.
const PART: usize = 32 * 1024;

/// Where an export is read from.
pub struct Reader<'a> {
    /// The log.
    pub texts: &'a PersonalData,
    /// Knows visitors and tags.
    pub bus: &'a CommandBus,
}

/// Where in the document it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    History,
    Conversation(ConversationId),
    Events(ConversationId),
}

/// A document that is being written. It holds what was in the log up to a position.
pub struct Export {
    parts: Sender<io::Result<String>>,
    visitor_id: VisitorId,
    head: Position,
    exported_at: Timestamp,
    text: String,
    place: Place,
    is_first: bool,
}

impl Export {
    /// Of a visitor, up to a position, made at a time; into these parts.
    pub fn new(
        parts: Sender<io::Result<String>>,
        (visitor_id, head, exported_at): (VisitorId, Position, Timestamp),
    ) -> Self {
        let (text, place) = (String::new(), Place::History);
        Self { parts, visitor_id, head, exported_at, text, place, is_first: true }
    }

    /// Writes the document.
    ///
    /// # Errors
    /// When the log cannot be read, or nobody takes the parts any more.
    pub async fn write(&mut self, reader: &Reader<'_>) -> Result<(), UseCaseError> {
        let visitor = reader.bus.read::<Visitor>(self.visitor_id).await?;
        let head = json!({
            "visitorId": self.visitor_id, "exportedAt": self.exported_at, "position": self.head,
            "erased": visitor.erased, "profile": visitor.details,
        });
        self.text = head.to_string();
        self.text.pop();
        self.text.push_str(",\"history\":[");
        reader.texts.walk(self.visitor_id, &mut Writer { export: self, bus: reader.bus }).await?;
        self.leave();
        self.text.push_str(if self.place == Place::History { "],\"conversations\":[]}" } else { "]}" });
        self.send().await
    }

    /// Breaks the document off.
    pub async fn fail(mut self) {
        // Who has gone away does not need to know.
        drop(self.parts.send(Err(io::ErrorKind::UnexpectedEof.into())).await);
    }

    /// Ends the conversation that is open.
    fn leave(&mut self) {
        match self.place {
            Place::History => {}
            Place::Conversation(_) => self.text.push_str("],\"events\":[]}"),
            Place::Events(_) => self.text.push_str("]}"),
        }
    }

    fn enter(&mut self, place: Place) {
        if self.place == place {
            return;
        }
        match (self.place, place) {
            (Place::History, Place::Conversation(id)) => {
                self.text.push_str(&format!("],\"conversations\":[{{\"id\":\"{id}\",\"history\":["));
            }
            (Place::Conversation(_) | Place::Events(_), Place::Conversation(id)) => {
                self.leave();
                self.text.push_str(&format!(",{{\"id\":\"{id}\",\"history\":["));
            }
            (_, Place::Events(_) | Place::History) => self.text.push_str("],\"events\":["),
        }
        self.place = place;
        self.is_first = true;
    }

    async fn add(&mut self, place: Place, item: &impl Serialize) -> Result<(), UseCaseError> {
        self.enter(place);
        if !self.is_first {
            self.text.push(',');
        }
        self.is_first = false;
        self.text.push_str(&serde_json::to_string(item)?);
        if self.text.len() < PART { Ok(()) } else { self.send().await }
    }

    async fn send(&mut self) -> Result<(), UseCaseError> {
        let part = std::mem::take(&mut self.text);
        self.parts.send(Ok(part)).await.map_err(|_| UseCaseError::Aborted)
    }
}

struct Writer<'a> {
    export: &'a mut Export,
    bus: &'a CommandBus,
}

impl Writer<'_> {
    fn is_later(&self, text: &StoredText) -> bool {
        text.event.header.position > self.export.head
    }
}

impl Walk for Writer<'_> {
    async fn visitor(&mut self, text: &StoredText) -> Result<(), UseCaseError> {
        let AnyEvent::Visitor(event) = &text.event.event else { return Ok(()) };
        if self.is_later(text) {
            return Ok(());
        }
        let fact = Fact::of_visitor(text.event.header.position, event);
        self.export.add(Place::History, &fact).await
    }

    async fn conversation(&mut self, id: ConversationId, text: &StoredText) -> Result<(), UseCaseError> {
        let AnyEvent::Conversation(event) = &text.event.event else { return Ok(()) };
        if self.is_later(text) {
            return Ok(());
        }
        let fact = Fact::of_conversation(text.event.header.position, event, self.bus).await?;
        self.export.add(Place::Conversation(id), &fact).await
    }

    async fn thread(&mut self, id: ConversationId, text: &StoredText) -> Result<(), UseCaseError> {
        match ThreadEventView::of(&text.event, id) {
            Some(view) if !self.is_later(text) => self.export.add(Place::Events(id), &view).await,
            _ => Ok(()),
        }
    }
}
