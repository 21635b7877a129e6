//! Tags: labels for conversations, with names that are unique among those that are not deleted.

mod change_tag;
mod create_tag;
mod delete_tag;
mod name_claim;
#[cfg(test)]
mod tests;

pub use change_tag::{ChangeTag, TagChanges};
pub use create_tag::CreateTag;
pub use delete_tag::DeleteTag;
