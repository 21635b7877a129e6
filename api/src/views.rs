//! How far the read models are.

use std::time::Duration;

use application::ports::Position;
use infrastructure::subscription::{RunnerHandle, RunnerStatus};

/// A read model that requests depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// Conversations.
    Conversations,
    /// Messages and system events.
    ThreadEvents,
    /// Agents and groups.
    Agents,
    /// Tags.
    Tags,
    /// The words of conversations.
    Search,
    /// The queue, as the router keeps it.
    Queue,
    /// What agents did, in figures.
    AgentStats,
}

impl View {
    const fn projector(self) -> &'static str {
        match self {
            Self::Conversations => "conversations",
            Self::ThreadEvents => "thread_events",
            Self::Agents => "agents",
            Self::Tags => "tags",
            Self::Search => "search",
            Self::Queue => "routing",
            Self::AgentStats => "agent_stats",
        }
    }
}

/// The running projectors.
pub struct Views {
    runners: Vec<RunnerHandle>,
}

impl Views {
    /// All projectors of this node.
    #[must_use]
    pub const fn new(runners: Vec<RunnerHandle>) -> Self {
        Self { runners }
    }

    /// Waits until all of these views have taken in the position. Tells whether they did in time.
    pub async fn wait_for(&self, views: &[View], position: Position, within: Duration) -> bool {
        let wanted = self.runners.iter().filter(|runner| views.iter().any(|view| view.projector() == runner.name()));
        let reached = futures::future::join_all(wanted.map(|runner| runner.wait_for(position, within))).await;
        reached.into_iter().all(|reached| reached)
    }

    /// Name, position and status of every projector.
    pub fn status(&self) -> Vec<(&'static str, Position, RunnerStatus)> {
        self.runners.iter().map(|runner| (runner.name(), runner.position(), runner.status())).collect()
    }
}
