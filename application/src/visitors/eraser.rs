use std::sync::Arc;

use domain::conversation::Participant;
use domain::ids::VisitorId;

use super::erase_texts::Named;
use super::{ForgetVisitor, PersonalData, TextEraser};
use crate::UseCaseError;
use crate::command_bus::{CommandBus, CommandContext};
use crate::ports::{AppendError, PersonalDataLog, Position};

/// How often it begins anew when the visitor's stream grows under its hands, by another erasure.
const MAX_ATTEMPTS: u32 = 5;

/// Erases visitors.
#[derive(Clone)]
pub struct Eraser {
    pub(super) bus: CommandBus,
    pub(super) log: Arc<dyn PersonalDataLog>,
}

/// What an erasure has done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Erased {
    /// The payloads that were replaced.
    pub payloads: u64,
    /// The messages among them.
    pub messages: u64,
    /// Whether an open chat was closed.
    pub closed_chat: bool,
    /// The last event of this erasure, or of an earlier one.
    pub position: Option<Position>,
    /// The visitor, their conversations and threads.
    pub ids: Named,
}

impl Eraser {
    /// On this log.
    #[must_use]
    pub const fn new(bus: CommandBus, log: Arc<dyn PersonalDataLog>) -> Self {
        Self { bus, log }
    }

    /// Erases a visitor's personal data, to the end even when the caller goes away. Done again, it does what is left.
    ///
    /// The first event closes the visitor's chat and lets nothing more be taken from them: a message that is sent at the
    /// same moment is before it, and erased, or refused. `by`: on whose behalf the chat is closed.
    ///
    /// # Errors
    /// When there is no such visitor, or why it could not be carried out to the end.
    pub async fn erase(
        &self,
        context: CommandContext,
        visitor_id: VisitorId,
        by: Participant,
    ) -> Result<Erased, UseCaseError> {
        let eraser = self.clone();
        let task = tokio::spawn(async move { eraser.carry_out(&context, visitor_id, by).await });
        task.await.map_err(|_| UseCaseError::Aborted)?
    }

    /// Takes away what is kept beside the log, once the views have the erasure: what is answered before may still show
    /// what they held. Tells how many kept answers there were, and whether nothing is left on the disk.
    ///
    /// # Errors
    /// When the database does not work.
    pub async fn clear(&self, erased: &Erased) -> Result<(u64, bool), UseCaseError> {
        let answers = self.log.forget_answers(&erased.ids).await?;
        Ok((answers, self.log.wipe().await?))
    }

    async fn carry_out(
        &self,
        context: &CommandContext,
        visitor_id: VisitorId,
        by: Participant,
    ) -> Result<Erased, UseCaseError> {
        let forgotten = self.bus.execute(context.clone(), ForgetVisitor { visitor_id, by }).await?;
        let (closed_chat, position) = (forgotten.output, forgotten.position());
        let mut erased = Erased { closed_chat, position, ..Erased::default() };
        for _ in 0..MAX_ATTEMPTS {
            let mut texts = TextEraser::new(self, context, (visitor_id, erased));
            let outcome = self.erase_texts(&mut texts).await;
            erased = texts.erased;
            match outcome {
                Ok(()) => return Ok(erased),
                Err(UseCaseError::Append(AppendError::Conflict { .. })) => {}
                Err(error) => return Err(error),
            }
        }
        Err(UseCaseError::Contended)
    }

    async fn erase_texts(&self, texts: &mut TextEraser<'_>) -> Result<(), UseCaseError> {
        PersonalData::new(Arc::clone(&self.log)).walk(texts.visitor_id, texts).await?;
        texts.erase().await
    }
}
