use std::sync::Arc;

use application::ports::{Clock, Position};
use domain::ids::GroupId;
use projections::routing::{QueueStats, QueuedChat, RoutingQueries};
use projections::{Page, PageRequest};

use super::views::ReadModel;
use super::{Action, Caller, FreshReads, Refusal};

/// Reads the queue, with everything that was in the log when the caller was authenticated.
#[derive(Clone)]
pub struct Queue {
    /// Waits for the router's state.
    pub freshness: FreshReads,
    /// Reads it.
    pub queue: RoutingQueries,
    /// The present time.
    pub clock: Arc<dyn Clock>,
}

impl Queue {
    /// Lists the waiting chats of one group or of all, first come first.
    ///
    /// # Errors
    /// [`super::Code::Forbidden`], or when the router's state is behind the position or cannot be read.
    pub async fn list(
        &self,
        caller: &Caller,
        at_least: Option<Position>,
        group_id: Option<GroupId>,
        page: &PageRequest,
    ) -> Result<Page<QueuedChat>, Refusal> {
        caller.ensure_may(Action::ListQueue)?;
        self.freshness.reach_head(at_least, &[ReadModel::Queue], caller.as_of).await?;
        Ok(self.queue.list_queue(group_id, page).await?)
    }

    /// Reads how many chats wait in each group, how long, and when the next attempt is.
    ///
    /// # Errors
    /// [`super::Code::Forbidden`], or when the router's state is behind the position or cannot be read.
    pub async fn stats(&self, caller: &Caller, at_least: Option<Position>) -> Result<Vec<QueueStats>, Refusal> {
        caller.ensure_may(Action::ReadQueueStats)?;
        self.freshness.reach_head(at_least, &[ReadModel::Queue], caller.as_of).await?;
        Ok(self.queue.stats(self.clock.now()).await?)
    }
}
