//! The search in what visitors and agents have written: which words are in which conversations.
//!
//! The same table serves both databases, so that both find the same. A word is a row for each conversation it is in, by
//! the place of the conversation in the lists: a list of what holds a word is a range of an index, newest first or oldest
//! first, however common the word is.

mod expand;
mod projector;
#[cfg(test)]
mod tests;
mod text;
mod words;

pub use projector::SearchProjector;
pub use text::SearchText;

pub(crate) use expand::{Word, WordBounds, expand};
pub(crate) use projector::{CHATS_TABLE, WORDS_TABLE};
