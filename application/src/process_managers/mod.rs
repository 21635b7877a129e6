//! What follows the log and acts on it: each process manager keeps a state folded from events and dispatches commands.

pub mod router;
