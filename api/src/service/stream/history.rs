//! The parties of conversations as they were at each event: those who lose a conversation must be found, too.

use std::collections::HashMap;

use application::UseCaseError;
use application::chat::Parties;
use application::ports::{EventLog, LogEvent, Sequence, StreamId};
use domain::conversation::{Conversation, ConversationEvent};
use domain::event::AnyEvent;
use domain::ids::{ConversationId, EntityId as _};

/// The most conversations whose parties are kept; one more, and all are forgotten.
const MOST: usize = 20_000;

/// The parties of a conversation around an event.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Stage {
    /// Before an event of the conversation itself; `None` where nobody can lose it.
    pub(super) before: Option<Parties>,
    pub(super) now: Parties,
}

/// The parties of the conversations that have events, as the hub has seen them.
#[derive(Default)]
pub(super) struct History {
    known: HashMap<ConversationId, (Sequence, Parties)>,
}

impl History {
    /// Forgets everything: events may have been left out.
    pub(super) fn clear(&mut self) {
        self.known.clear();
    }

    /// The parties around an event of a conversation or of one of its threads.
    pub(super) async fn pass(
        &mut self,
        log: &dyn EventLog,
        event: &LogEvent,
        id: ConversationId,
    ) -> Result<Stage, UseCaseError> {
        let known = self.known.get(&id).copied();
        let AnyEvent::Conversation(change) = &event.event else {
            let now = match known {
                Some((_, parties)) => parties,
                None => self.learn(id, fold(log, id, Sequence::MAX).await?),
            };
            return Ok(Stage { before: None, now });
        };
        let sequence = event.header.sequence;
        let before = match known {
            Some((last, parties)) if last == sequence - 1 => parties,
            _ => fold(log, id, sequence - 1).await?.1,
        };
        let now = before.after(change);
        if known.is_none_or(|(last, _)| last < sequence) {
            self.learn(id, (sequence, now));
        }
        Ok(Stage { before: Some(before), now })
    }

    fn learn(&mut self, id: ConversationId, (sequence, parties): (Sequence, Parties)) -> Parties {
        if self.known.len() >= MOST {
            self.known.clear();
        }
        self.known.insert(id, (sequence, parties));
        parties
    }
}

/// The parties of a conversation after its event with this sequence, or after its last one.
pub(super) async fn fold(
    log: &dyn EventLog,
    id: ConversationId,
    upto: Sequence,
) -> Result<(Sequence, Parties), UseCaseError> {
    let (mut last, mut parties) = (0, Parties::default());
    if upto <= 0 {
        return Ok((last, parties));
    }
    let stream = StreamId { kind: <Conversation as domain::aggregate::Root>::KIND, id: id.uuid() };
    for event in log.read_stream(stream, 0).await?.into_iter().filter(|event| event.sequence <= upto) {
        last = event.sequence;
        parties = parties.after(&serde_json::from_value::<ConversationEvent>(event.payload)?);
    }
    Ok((last, parties))
}
