//! What people read in a thread: messages, and system events that tell who came, who left and why, and who closed.

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
