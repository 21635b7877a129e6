//! Reading: the newest events from memory, older ones and single streams from the database.

mod head_reader;
mod reader;
mod recent_events;
mod streams;
mod tailer;

pub(super) use head_reader::HeadReader;
pub(super) use reader::{LogReader, unavailable};
pub(super) use recent_events::RecentEvents;
pub(super) use streams::Streams;
pub(super) use tailer::Tailer;
