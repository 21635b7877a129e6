use std::sync::Arc;

use domain::conversation::Participant;
use domain::ids::VisitorId;

use super::erase_texts::{Erased, TextEraser};
use super::{ForgetVisitor, PersonalData};
use crate::UseCaseError;
use crate::command_bus::{CommandBus, CommandContext};
use crate::ports::{AppendError, PersonalDataLog};

/// How often an erasure starts again after another erasure has written to the visitor's stream.
const MAX_ATTEMPTS: u32 = 5;

/// Erases the personal data of visitors from the log.
#[derive(Clone)]
pub struct Eraser {
    bus: CommandBus,
    log: Arc<dyn PersonalDataLog>,
}

impl Eraser {
    /// Erases in this log.
    #[must_use]
    pub const fn new(bus: CommandBus, log: Arc<dyn PersonalDataLog>) -> Self {
        Self { bus, log }
    }

    /// Erases a visitor's personal data, to the end even if the caller hangs up. A repetition does what is left.
    ///
    /// The first event closes the visitor's chat and blocks the visitor: a message that is sent at the same moment is
    /// before it and gets erased, or is refused. The chat is closed on behalf of `by`.
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

    /// Removes stored answers and freed pages of the disk. Call it after the views have the erasure: answers before that may
    /// still hold personal data. The result is how many answers there were, and whether nothing is left on the disk.
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
        let (closed_chat, position, events) = (forgotten.output, forgotten.position(), forgotten.events);
        let mut erased = Erased { closed_chat, position, events, ..Erased::default() };
        for _ in 0..MAX_ATTEMPTS {
            let mut texts = TextEraser::new(&self.bus, &*self.log, context, (visitor_id, erased));
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
