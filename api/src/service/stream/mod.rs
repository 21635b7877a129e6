//! The live stream, without a protocol: which changes a reader may see, in the order of the log, from any position on.
//!
//! A reader is a cursor in the log. The [`Hub`] follows the log once for all readers of this node and renders each event
//! once for each audience; a reader that has fallen behind reads the log in pages. Nothing is queued for a reader: a slow
//! one costs a cursor.
//!
//! - An event of the log is at most one frame for a reader, so that a position is a cursor.
//! - Rights are those of the reader at the position, or, in a replay, those of now.
//! - What is about the moment (who writes, places in queues) has no position and is the first to be left out.
//! - A change of the reader's own rights ends the stream: the reader loads again what it may see now.

mod authority;
mod change;
mod cursor;
mod end;
mod follower;
pub mod frames;
mod history;
mod hub;
mod join;
mod leases;
mod moments;
mod notice;
mod prepared;
mod queue_watch;
mod reader;
mod recent;
mod relevance;
mod renderer;
mod seats;
mod tickets;

pub use cursor::Cursor;
pub use end::End;
pub use follower::{Follower, LiveEvent, Taken};
pub use hub::{Hub, HubPorts};
pub use join::{MAX_OF_A_VISITOR, MAX_OF_AN_AGENT, Welcome};
pub use notice::Notice;
pub use tickets::{Admission, Issued, Tickets};
