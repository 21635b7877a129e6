//! What is known of visitors, and how it is forgotten.

mod erase_texts;
mod eraser;
mod forget_visitor;
mod personal_data;

pub use eraser::{Erased, Eraser};
pub use personal_data::{PersonalData, Walk};

use erase_texts::TextEraser;
use forget_visitor::ForgetVisitor;
