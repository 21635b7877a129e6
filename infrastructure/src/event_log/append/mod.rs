//! Appending: requests queue, go together in batches, and are committed one batch at a time.

mod appender;
mod batch;
mod commit;
mod plan;
mod plan_writer;
mod refusal;
mod request;
mod script;
mod statements;
mod versions;

pub(super) use appender::Appender;
pub use appender::REFUSAL_REASONS;
pub(super) use batch::{AppendQueue, Pending};
pub(super) use commit::Committer;
pub use commit::RETRY_CAUSES;
pub(super) use refusal::find_command;
pub(super) use request::{MoreStatements, Prepared};
pub(super) use versions::KnownVersions;
