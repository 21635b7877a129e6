use std::sync::Arc;

use application::ports::{Epoch, Position};

use super::Action;
use super::views::{ReadModel, Views};

/// The views that most reads answer from.
const PROMPT: [ReadModel; 4] = [ReadModel::Conversations, ReadModel::ThreadEvents, ReadModel::Agents, ReadModel::Tags];

/// Knows how much of which history of the log answers include.
#[derive(Clone)]
pub struct Positions {
    epoch: Epoch,
    views: Arc<Views>,
}

impl Positions {
    /// For this history of the log.
    #[must_use]
    pub const fn new(epoch: Epoch, views: Arc<Views>) -> Self {
        Self { epoch, views }
    }

    /// The name of the history.
    #[must_use]
    pub const fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// A position that a read which begins now includes; it may show later events as well. From there, the live stream has
    /// everything that the answer lacks.
    #[must_use]
    pub fn shown(&self, action: Action) -> Position {
        let further: &[ReadModel] = match action {
            Action::ListConversations | Action::CountConversations => &[ReadModel::Search],
            Action::ListQueue | Action::ReadQueueStats => &[ReadModel::Queue],
            Action::ReadAgentStats => &[ReadModel::AgentStats],
            _ => &[],
        };
        self.views.shown(PROMPT.iter().chain(further).copied())
    }
}
