//! Who gets a waiting chat: pure functions over a state folded from the log.

mod decision;
mod eligibility;
mod places;
mod proposals;
mod queue;
mod selection;
mod strays;
#[cfg(test)]
mod tests;

pub use decision::{Candidate, RoutingDecision, RoutingStrategy, Verdict};
pub use eligibility::{RoutedAgent, judge};
pub use queue::{Change, Proposal, Relocation, RoutedGroup, RoutingState, WaitingChat};
pub use selection::{Eligible, select};
