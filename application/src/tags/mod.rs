//! Tags: labels for conversations, with names that are unique among those that are not deleted.

mod change_tag;
mod create_tag;
mod delete_tag;
mod name_claim;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use domain::ids::TagId;
use domain::tag::Tag;
use domain::text::Name;

use crate::UseCaseError;
use crate::command_bus::UnitOfWork;
use crate::error::Entity;
use crate::ports::Sequence;

pub use change_tag::{ChangeTag, TagChanges};
pub use create_tag::CreateTag;
pub use delete_tag::DeleteTag;

/// A tag that exists, deleted or not, with its name, unless its version is not the one that the caller knows.
async fn load_known(
    work: &mut UnitOfWork,
    id: TagId,
    known_version: Option<Sequence>,
) -> Result<(Arc<Tag>, Name), UseCaseError> {
    let tag = work.load::<Tag>(id).await?;
    let Some(name) = tag.name.clone() else { return Err(UseCaseError::NotFound(Entity::Tag)) };
    work.ensure_version::<Tag>(id, known_version).await?;
    Ok((tag, name))
}
