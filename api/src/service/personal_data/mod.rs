//! The personal data of a visitor: exported as one JSON document that is written while it is read, and erased.

mod export;
mod items;
mod json_writer;

use std::sync::Arc;

use application::UseCaseError;
use application::command_bus::CommandBus;
use application::ports::{EventLog, Position};
use application::visitors::{Eraser, PersonalData};
use domain::conversation::Participant;
use domain::ids::VisitorId;
use domain::visitor::Visitor;
use futures::Stream;
use futures::channel::mpsc;

use super::{Action, Caller, ChangeRequest, Dispatch, FreshReads, Refusal};
use export::{Export, ExportSources, write_whole};

pub use items::{PersonalDataItem, ReadingItem};

/// The most parts of an export that wait for a slow client.
const PARTS_AHEAD: usize = 8;

/// Exports and erases the personal data of visitors.
#[derive(Clone)]
pub struct VisitorRecords {
    /// Makes contexts, and waits for the views after an erasure.
    pub dispatch: Dispatch,
    /// Waits for a demanded position.
    pub freshness: FreshReads,
    /// Reads visitors and tags.
    pub bus: CommandBus,
    /// Gives the end of the log, up to which an export goes.
    pub log: Arc<dyn EventLog>,
    /// Reads everything that the log holds about a visitor.
    pub personal_data: PersonalData,
    /// Erases them.
    pub eraser: Eraser,
}

/// A finished erasure.
#[derive(Clone, Copy, Debug)]
pub struct Erasure {
    /// The replaced payloads.
    pub payloads: u64,
    /// The messages among them.
    pub messages: u64,
    /// Whether an open chat was closed.
    pub closed_chat: bool,
    /// The removed answers to earlier requests.
    pub answers: u64,
    /// Whether nothing is left on the disk.
    pub off_the_disk: bool,
    /// Whether nothing is left in the read models.
    pub read_models: bool,
    /// The position of the last event of this erasure, or of an earlier one.
    pub position: Option<Position>,
}

impl VisitorRecords {
    /// Erases the personal data of a visitor. Each request does what is left, whatever its key: an erasure is never
    /// answered from memory.
    ///
    /// # Errors
    /// [`super::Code::NotFound`], or why it could not be carried out to its end.
    pub async fn erase(
        &self,
        caller: &Caller,
        request: &ChangeRequest,
        visitor_id: VisitorId,
    ) -> Result<Erasure, Refusal> {
        let agent = caller.agent()?;
        let context = self.dispatch.context(caller, &request.once());
        let erased = self.eraser.erase(context, visitor_id, Participant::Agent(agent.id)).await?;
        let read_models = self.dispatch.settle_erasure(&erased, request.wait).await;
        let (answers, wiped) = self.eraser.clear(&erased).await?;
        Ok(Erasure {
            payloads: erased.payloads,
            messages: erased.messages,
            closed_chat: erased.closed_chat,
            answers,
            // A caller who does not wait learns that the erasure is not over.
            off_the_disk: wiped && read_models,
            read_models,
            position: erased.position,
        })
    }

    /// Exports everything of a visitor as the parts of a JSON document, while it is read: there may be more than fits into
    /// memory. The stream ends with an error when the log cannot be read on. For admins.
    ///
    /// # Errors
    /// [`super::Code::Forbidden`], [`super::Code::PositionNotReached`], [`super::Code::NotFound`], or when the log cannot be
    /// read.
    pub async fn export(
        &self,
        caller: &Caller,
        visitor_id: VisitorId,
        at_least: Option<Position>,
    ) -> Result<impl Stream<Item = std::io::Result<String>> + Send + use<>, Refusal> {
        caller.ensure_may(Action::ExportPersonalData)?;
        self.freshness.reach_log(at_least).await?;
        if !self.bus.read::<Visitor>(visitor_id).await?.registered {
            return Err(Refusal::not_found("visitor"));
        }
        let head = self.log.head().await.map_err(UseCaseError::from)?.position;
        let (parts, stream) = mpsc::channel(PARTS_AHEAD);
        let (personal_data, bus) = (self.personal_data.clone(), self.bus.clone());
        let mut export = Export::new(parts.clone(), (visitor_id, head, bus.now()));
        let writing = async move { export.write(&ExportSources { personal_data: &personal_data, bus: &bus }).await };
        tokio::spawn(write_whole(parts, writing));
        Ok(stream)
    }
}
