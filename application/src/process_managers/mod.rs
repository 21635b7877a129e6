//! Processes that follow the log and act on it: each folds a state from events and dispatches commands.

pub mod router;
