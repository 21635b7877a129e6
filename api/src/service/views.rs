use std::sync::Arc;
use std::time::Duration;

use application::ports::Position;
use domain::event::AnyEvent;
use futures::future::join_all;
use infrastructure::subscription::{RunnerHandle, RunnerStatus, Subscriber, names};

/// A read model from which the service answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadModel {
    Conversations,
    /// Messages and system events.
    ThreadEvents,
    /// Agents and groups.
    Agents,
    Tags,
    /// The words of conversations.
    Search,
    /// The queue, as the router keeps it.
    Queue,
    /// The figures of agents.
    AgentStats,
}

impl ReadModel {
    const fn subscriber(self) -> &'static str {
        match self {
            Self::Conversations => names::CONVERSATIONS,
            Self::ThreadEvents => names::THREAD_EVENTS,
            Self::Agents => names::AGENTS,
            Self::Tags => names::TAGS,
            Self::Search => names::SEARCH,
            Self::Queue => names::ROUTER.0,
            Self::AgentStats => names::AGENT_STATS,
        }
    }
}

/// A view with its progress on this node.
pub struct FollowedView {
    /// Knows which events concern it.
    pub subscriber: Arc<dyn Subscriber>,
    /// Knows how far it has come.
    pub runner: RunnerHandle,
}

impl FollowedView {
    fn shows(&self, events: &[AnyEvent]) -> bool {
        events.iter().any(|event| self.subscriber.handles(event))
    }

    /// Patient views gather events before they project them. Writes do not wait for these: their readers do.
    fn is_prompt(&self) -> bool {
        self.subscriber.patience().is_zero()
    }
}

/// The progress of the read models on this node.
pub struct Views {
    views: Vec<FollowedView>,
    /// Subscribers that are no views, such as the router.
    others: Vec<RunnerHandle>,
}

impl Views {
    /// Follows these views and other subscribers.
    #[must_use]
    pub const fn new(views: Vec<FollowedView>, others: Vec<RunnerHandle>) -> Self {
        Self { views, others }
    }

    /// Waits until all of these views have taken in everything up to the position. `false`: not in time.
    pub async fn wait_for(&self, views: &[ReadModel], position: Position, within: Duration) -> bool {
        let wanted = self.runners().filter(|runner| views.iter().any(|view| view.subscriber() == runner.name()));
        all_reach(wanted, position, within).await
    }

    /// The position that all of these views are known to have reached.
    pub(super) fn shown(&self, views: impl Iterator<Item = ReadModel>) -> Position {
        let reached = views.filter_map(|view| self.runners().find(|runner| runner.name() == view.subscriber()));
        reached.map(RunnerHandle::position).min().unwrap_or_default()
    }

    /// Waits until the prompt views that show any of these events have taken in everything up to the position. `false`:
    /// not in time.
    pub(super) async fn wait_for_shown(&self, events: &[AnyEvent], position: Position, within: Duration) -> bool {
        let wanted = self.views.iter().filter(|view| view.is_prompt() && view.shows(events));
        all_reach(wanted.map(|view| &view.runner), position, within).await
    }

    /// The same for all views, patient ones included.
    pub(super) async fn wait_for_all_shown(&self, events: &[AnyEvent], position: Position, within: Duration) -> bool {
        let wanted = self.views.iter().filter(|view| view.shows(events));
        all_reach(wanted.map(|view| &view.runner), position, within).await
    }

    /// Name, position and status of every subscriber.
    pub fn status(&self) -> Vec<(&'static str, Position, RunnerStatus)> {
        self.runners().map(|runner| (runner.name(), runner.position(), runner.status())).collect()
    }

    fn runners(&self) -> impl Iterator<Item = &RunnerHandle> {
        self.views.iter().map(|view| &view.runner).chain(&self.others)
    }
}

async fn all_reach(runners: impl Iterator<Item = &RunnerHandle>, position: Position, within: Duration) -> bool {
    let reached = join_all(runners.map(|runner| runner.wait_for(position, within))).await;
    reached.into_iter().all(|reached| reached)
}
