//! The samples of all events, and what was once stored otherwise.

mod erasure;
pub mod names;
pub mod samples;
mod upcasting;
