//! Visitors: their sessions, and the export and erasure of their personal data.

mod begin_session;
mod erase_texts;
mod eraser;
mod forget_visitor;
mod personal_data;

pub use begin_session::{
    KeyTooShort, MIN_ANONYMOUS_KEY, NewSession, VisitorSession, VisitorSessions, session_command_id,
};
pub use erase_texts::Erased;
pub use eraser::Eraser;
pub use personal_data::{PersonalData, Walk};

use forget_visitor::ForgetVisitor;
