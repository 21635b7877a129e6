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

use super::items::{PersonalDataItem, ReadingItem};
use super::json_writer::JsonWriter;

/// A part of the document is sent once it has this many bytes.
const PART_BYTES: usize = 32 * 1024;

/// What an export is made from.
pub struct ExportSources<'a> {
    /// Reads what the log holds about a visitor.
    pub personal_data: &'a PersonalData,
    /// Reads visitors and tags.
    pub bus: &'a CommandBus,
}

/// Writes the personal data of a visitor as a document that is sent in parts while it is read, as it may not fit into
/// memory:
///
/// ```json
/// {
///     "visitorId": "…", "exportedAt": "…", "position": 7, "erased": false, "profile": {},
///     "history": [],
///     "conversations": [{ "id": "…", "history": [], "events": [], "reads": [] }]
/// }
/// ```
pub struct Export {
    parts: Sender<io::Result<String>>,
    visitor_id: VisitorId,
    head: Position,
    exported_at: Timestamp,
    document: JsonWriter,
    section: Section,
    /// The visitor's marks in the conversation that is being written.
    marks: Vec<ReadingItem>,
}

/// The array of the document that is being written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Section {
    VisitorHistory,
    ConversationHistory(ConversationId),
    ThreadEvents(ConversationId),
}

/// Breaks a document off when writing it fails or panics, so that its receiver sees that it is not complete.
pub async fn write_whole(
    mut parts: Sender<io::Result<String>>,
    writing: impl Future<Output = Result<(), UseCaseError>> + Send + 'static,
) {
    let outcome = tokio::spawn(writing).await.unwrap_or(Err(UseCaseError::Aborted));
    if let Err(error) = outcome {
        tracing::warn!(error = &error as &dyn std::error::Error, "export of personal data ended early");
        // A receiver that is gone does not need to know.
        drop(parts.send(Err(io::ErrorKind::UnexpectedEof.into())).await);
    }
}

impl Export {
    /// Exports what the log holds about a visitor up to the position `head`.
    pub fn new(
        parts: Sender<io::Result<String>>,
        (visitor_id, head, exported_at): (VisitorId, Position, Timestamp),
    ) -> Self {
        let document = JsonWriter::default();
        let section = Section::VisitorHistory;
        Self { parts, visitor_id, head, exported_at, document, section, marks: vec![] }
    }

    /// Writes the document.
    ///
    /// # Errors
    /// When the log cannot be read, or the receiver of the parts is gone.
    pub async fn write(&mut self, reader: &ExportSources<'_>) -> Result<(), UseCaseError> {
        self.begin(&*reader.bus.read::<Visitor>(self.visitor_id).await?)?;
        reader.personal_data.walk(self.visitor_id, &mut Writer { export: self, bus: reader.bus }).await?;
        self.end()?;
        self.send().await
    }

    fn begin(&mut self, visitor: &Visitor) -> serde_json::Result<()> {
        let document = &mut self.document;
        document.begin_object();
        document.name("erased")?.value(&visitor.erased)?;
        document.name("exportedAt")?.value(&self.exported_at)?;
        document.name("position")?.value(&self.head)?;
        document.name("profile")?.value(&visitor.details)?;
        document.name("visitorId")?.value(&self.visitor_id)?;
        document.name("history")?.begin_array();
        Ok(())
    }

    fn end(&mut self) -> serde_json::Result<()> {
        self.leave_section()?;
        self.document.end();
        self.document.end();
        Ok(())
    }

    /// Ends the open section, and with it its conversation. The array of conversations is open afterwards.
    fn leave_section(&mut self) -> serde_json::Result<()> {
        self.document.end();
        match self.section {
            Section::VisitorHistory => self.document.name("conversations")?.begin_array(),
            Section::ConversationHistory(_) => {
                self.document.name("events")?.begin_array();
                self.document.end();
                self.end_conversation()?;
            }
            Section::ThreadEvents(_) => self.end_conversation()?,
        }
        Ok(())
    }

    fn end_conversation(&mut self) -> serde_json::Result<()> {
        self.document.name("reads")?.begin_array();
        for mark in std::mem::take(&mut self.marks) {
            self.document.value(&mark)?;
        }
        self.document.end();
        self.document.end();
        Ok(())
    }

    fn enter(&mut self, section: Section) -> serde_json::Result<()> {
        if self.section == section {
            return Ok(());
        }
        match section {
            // The document begins with this section, and nothing returns to it.
            Section::VisitorHistory => {}
            Section::ConversationHistory(id) => {
                self.leave_section()?;
                self.document.begin_object();
                self.document.name("id")?.value(&id)?;
                self.document.name("history")?.begin_array();
            }
            Section::ThreadEvents(id) => {
                self.enter(Section::ConversationHistory(id))?;
                self.document.end();
                self.document.name("events")?.begin_array();
            }
        }
        self.section = section;
        Ok(())
    }

    async fn add(&mut self, section: Section, item: &impl Serialize) -> Result<(), UseCaseError> {
        self.enter(section)?;
        self.document.value(item)?;
        if self.document.len() < PART_BYTES { Ok(()) } else { self.send().await }
    }

    async fn send(&mut self) -> Result<(), UseCaseError> {
        self.parts.send(Ok(self.document.take())).await.map_err(|_| UseCaseError::Aborted)
    }
}

struct Writer<'a> {
    export: &'a mut Export,
    bus: &'a CommandBus,
}

impl Writer<'_> {
    /// Whether an event was appended after the export had begun.
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
        let item = PersonalDataItem::of_visitor(text.event.header.position, event);
        self.export.add(Section::VisitorHistory, &item).await
    }

    async fn conversation(&mut self, id: ConversationId, text: &StoredText) -> Result<(), UseCaseError> {
        let AnyEvent::Conversation(event) = &text.event.event else { return Ok(()) };
        if self.is_later(text) {
            return Ok(());
        }
        let item = PersonalDataItem::of_conversation(text.event.header.position, event, self.bus).await?;
        self.export.add(Section::ConversationHistory(id), &item).await
    }

    async fn thread(&mut self, id: ConversationId, text: &StoredText) -> Result<(), UseCaseError> {
        if let Some(mark) = ReadingItem::of(&text.event).filter(|_| !self.is_later(text)) {
            self.export.enter(Section::ThreadEvents(id))?;
            self.export.marks.push(mark);
        }
        match ThreadEventView::of(&text.event, id) {
            Some(view) if !self.is_later(text) => self.export.add(Section::ThreadEvents(id), &view).await,
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::StreamExt as _;
    use futures::channel::mpsc;

    use super::*;

    /// What a client receives of a document that is written so.
    async fn received(writing: impl Future<Output = Result<(), UseCaseError>> + Send + 'static) -> Vec<bool> {
        let (parts, stream) = mpsc::channel(8);
        let mut own = parts.clone();
        write_whole(parts, async move {
            own.send(Ok("{".to_owned())).await.unwrap();
            writing.await
        })
        .await;
        stream.map(|part| part.is_ok()).collect().await
    }

    #[tokio::test]
    async fn document_whose_writing_fails_or_panics_ends_with_an_error() {
        assert_eq!(received(async { Ok(()) }).await, [true]);
        assert_eq!(received(async { Err(UseCaseError::Contended) }).await, [true, false]);
        assert_eq!(received(async { panic!("as asked") }).await, [true, false]);
    }
}
