use std::sync::Arc;

use application::ports::{Epoch, Position};

use super::Action;
use super::views::{View, Views};

/// The views that most reads answer from.
const PROMPT: [View; 4] = [View::Conversations, View::ThreadEvents, View::Agents, View::Tags];

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
        let further: &[View] = match action {
            Action::ListConversations | Action::CountConversations => &[View::Search],
            Action::ListQueue | Action::ReadQueueStats => &[View::Queue],
            Action::ReadAgentStats => &[View::AgentStats],
            _ => &[],
        };
        self.views.shown(PROMPT.iter().chain(further).copied())
    }
}
