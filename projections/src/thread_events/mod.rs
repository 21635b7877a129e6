//! What a thread shows: messages, and system events for agents that join or leave, with the reason, and for the end.

mod fact;
mod kinds;
mod projector;
mod queries;
#[cfg(test)]
mod tests;
mod view;

pub use kinds::{AuthorType, SystemType, ThreadEventKind};
pub use projector::ThreadEventsProjector;
pub use queries::{ThreadEventQueries, ThreadView};
pub use view::ThreadEventView;

pub(crate) use projector::{EVENTS_TABLE, THREADS_TABLE};
