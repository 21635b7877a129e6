//! What is about the moment: writing and looking. Nobody stores it, each node passes it on to its own readers, and a reader
//! who has more important things to read misses it.

use std::sync::Arc;

use application::UseCaseError;
use application::chat::{Parties, participant};
use domain::conversation::{Conversation, Participant};
use tokio::sync::mpsc;

use super::hub::Hub;
use super::notice::Notice;
use super::seats::Seat;

impl Hub {
    /// Takes a notice of this or of another node. It never waits: a notice too many is dropped.
    pub fn note(&self, message: &str) {
        match serde_json::from_str(message) {
            Ok(notice) => drop(self.notices.try_send(notice)),
            Err(error) => tracing::debug!(%error, "ignoring a notice that cannot be read"),
        }
    }

    /// Passes notices on to the readers of this node, until the task is dropped.
    pub async fn pass_on_notices(self: Arc<Self>, mut notices: mpsc::Receiver<Notice>) {
        while let Some(notice) = notices.recv().await {
            if let Err(error) = self.pass_on(&notice).await {
                tracing::debug!(error = &error as &dyn std::error::Error, "a notice could not be passed on");
            }
        }
        // The hub holds a sender: this is not reached.
        std::future::pending::<()>().await;
    }

    async fn pass_on(&self, notice: &Notice) -> Result<(), UseCaseError> {
        let seats = self.seats.all();
        if seats.is_empty() {
            return Ok(());
        }
        let conversation = self.renderer.bus.read::<Conversation>(notice.conversation_id()).await?;
        if !conversation.has_started() {
            return Ok(());
        }
        let (parties, key) = (Parties::from(&*conversation), notice.key());
        let agents: Arc<str> = notice.for_agents().into_json().into();
        let visitor: Option<Arc<str>> = notice.for_visitor().map(|frame| frame.into_json().into());
        for seat in seats.iter().filter(|seat| is_for(seat, &parties, notice.person())) {
            let frame = if seat.reader.is_agent() { Some(&agents) } else { visitor.as_ref() };
            if let Some(frame) = frame {
                seat.whisper(key, Arc::clone(frame));
            }
        }
        Ok(())
    }
}

fn is_for(seat: &Seat, parties: &Parties, person: Participant) -> bool {
    participant(seat.reader.principal) != person && seat.reader.may_read(parties)
}
