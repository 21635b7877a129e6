use std::sync::Arc;
use std::time::Duration;

use application::command_bus::CommandBus;
use application::ports::{AsOf, Position};

use super::Refusal;
use super::views::{ReadModel, Views};

/// The longest wait of a read for a position that the caller demands.
const DEMANDED_WITHIN: Duration = Duration::from_secs(5);

/// The longest wait of a read for recent writes, before it answers from what there is.
const HEAD_WITHIN: Duration = Duration::from_secs(2);

/// Keeps the promise that reads show what the caller knows of.
#[derive(Clone)]
pub struct FreshReads {
    bus: CommandBus,
    views: Arc<Views>,
}

impl FreshReads {
    /// Waits for these views.
    #[must_use]
    pub const fn new(bus: CommandBus, views: Arc<Views>) -> Self {
        Self { bus, views }
    }

    /// Waits until the views have reached a position, if the caller demands one.
    ///
    /// # Errors
    /// [`super::Code::PositionNotReached`] when they do not in time.
    pub async fn reach(&self, demanded: Option<Position>, views: &[ReadModel]) -> Result<(), Refusal> {
        let Some(position) = demanded else { return Ok(()) };
        if self.views.wait_for(views, position, DEMANDED_WITHIN).await { Ok(()) } else { Err(Refusal::view_behind()) }
    }

    /// Compares a demanded position with the end of the log, for reads of the log itself. Positions come from the log: one
    /// that it does not have is not worth a wait.
    ///
    /// # Errors
    /// [`super::Code::PositionNotReached`], and when the log does not answer.
    pub async fn reach_log(&self, demanded: Option<Position>) -> Result<(), Refusal> {
        let Some(position) = demanded else { return Ok(()) };
        if self.bus.as_of_now().await?.position() >= position { Ok(()) } else { Err(Refusal::view_behind()) }
    }

    /// The same as [`Self::reach`], and the moment as of which other things than the views may be read: that of the authentication, unless
    /// the caller demands a later position.
    ///
    /// # Errors
    /// As of [`Self::reach`], and when the log does not answer.
    pub async fn reach_as_of(
        &self,
        demanded: Option<Position>,
        views: &[ReadModel],
        authenticated: AsOf,
    ) -> Result<AsOf, Refusal> {
        self.reach(demanded, views).await?;
        match demanded {
            Some(position) if position > authenticated.position() => Ok(self.bus.as_of_now().await?),
            Some(_) | None => Ok(authenticated),
        }
    }

    /// Waits for the demanded position, and within bounds for everything that was committed when the caller was
    /// authenticated: for views for which no write waits.
    ///
    /// # Errors
    /// As of [`Self::reach`].
    pub async fn reach_head(
        &self,
        demanded: Option<Position>,
        views: &[ReadModel],
        authenticated: AsOf,
    ) -> Result<(), Refusal> {
        self.reach(demanded, views).await?;
        if !self.views.wait_for(views, authenticated.position(), HEAD_WITHIN).await {
            tracing::warn!(position = authenticated.position(), "read models are late");
        }
        Ok(())
    }

    /// This moment of the log.
    ///
    /// # Errors
    /// When the log does not answer.
    pub async fn now(&self) -> Result<AsOf, Refusal> {
        Ok(self.bus.as_of_now().await?)
    }
}
