//! Which agent gets a waiting chat: pure functions over a state that is folded from the log.
//!
//! [`RoutingState`] takes in events (`fold`) and answers with [`Proposal`]s (`proposals`), which
//! `eligibility` and `selection` decide. The parts of the state keep their own invariants: `queues`, `in_flight`,
//! `wakes` and `recency`.

mod eligibility;
mod fold;
mod in_flight;
mod proposals;
mod queues;
mod recency;
mod selection;
mod state;
#[cfg(test)]
mod tests;
mod wakes;

pub use eligibility::{RoutedAgent, judge};
pub use proposals::{Proposal, Relocation};
pub use queues::WaitingChat;
pub use selection::{Eligible, select};
pub use state::{RoutedGroup, RoutingChange, RoutingSnapshot, RoutingState};

pub use crate::assignment::{Candidate, RoutingDecision, RoutingStrategy, Verdict};
