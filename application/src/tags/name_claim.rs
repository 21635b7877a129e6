use domain::ids::{TagId, TagNameClaimId};
use domain::tag::{TagNameClaim, TagNameClaimCommand};
use domain::text::Name;

use crate::UseCaseError;
use crate::command_bus::UnitOfWork;

/// Claims a name for a tag, unless another tag has it.
pub(super) async fn claim(work: &mut UnitOfWork, tag_id: TagId, name: &Name) -> Result<(), UseCaseError> {
    let claim = TagNameClaimCommand::Claim { tag_id, at: work.now() };
    work.execute::<TagNameClaim>(TagNameClaimId::of(name), claim).await?;
    Ok(())
}

/// Frees a tag's name for other tags.
pub(super) async fn release(work: &mut UnitOfWork, tag_id: TagId, name: &Name) -> Result<(), UseCaseError> {
    let release = TagNameClaimCommand::Release { tag_id, at: work.now() };
    work.execute::<TagNameClaim>(TagNameClaimId::of(name), release).await?;
    Ok(())
}
