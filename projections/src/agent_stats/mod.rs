//! What agents did, in figures.
//!
//! A **chat of an agent** is a thread that they joined: by the router's choice, their own or a colleague's. An agent
//! that gives a chat away and gets it back in the same thread has it once; a reopened conversation is a new thread, and so
//! a new chat; a chat that is handed over is one of each of the agents. It belongs to the UTC day on which the agent first
//! joined.
//!
//! The **first response** is the time from joining to the agent's first message in the thread; when the agent joined
//! several times, from the last time before that message, since no agent answers a chat that waits in the queue. The
//! **duration** of a chat is the time that the agent served it, without the time at others or in the queue; it counts
//! as soon as the agent serves it no more.

mod projector;
mod queries;
mod rows;
#[cfg(test)]
mod tests;

pub use projector::AgentStatsProjector;
pub use queries::{AgentFigures, AgentStatsQueries, Percentiles, Recent};

pub(crate) use rows::{ChatRow, DayRow};
