//! Who gets a waiting chat: pure functions over a state folded from the log.

mod eligibility;
mod places;
mod proposals;
mod queue;
mod selection;
mod strays;
#[cfg(test)]
mod tests;

pub use eligibility::{RoutedAgent, judge};
pub use queue::{Change, Proposal, Relocation, RoutedGroup, RoutingState, WaitingChat};
pub use selection::{Eligible, select};

pub use crate::assignment::{Candidate, RoutingDecision, RoutingStrategy, Verdict};
