use std::sync::Arc;

use domain::ids::{TagId, TagNameClaimId};
use domain::tag::{Tag, TagCommand};
use domain::text::{Color, Name};

use super::load_known;
use super::name_claim::{claim, release};
use crate::UseCaseError;
use crate::agents::ensure_may_see;
use crate::command_bus::{UnitOfWork, UseCase};
use crate::error::Entity;
use crate::groups::ensure_supervisor;
use crate::ports::{LogEvent, Principal, Sequence, StreamId};

/// The changes of a tag; what is absent stays.
#[derive(Clone, Debug, Default)]
pub struct TagChanges {
    /// Another name.
    pub name: Option<Name>,
    /// Another colour; `Some(None)` removes it.
    pub color: Option<Option<Color>>,
}

/// A supervisor changes a tag's name or colour.
#[derive(Clone, Debug)]
pub struct ChangeTag {
    /// The supervisor.
    pub principal: Principal,
    pub tag_id: TagId,
    pub changes: TagChanges,
    /// The version that the caller knows, if it matters.
    pub known_version: Option<Sequence>,
}

impl UseCase for ChangeTag {
    type Output = ();

    fn locks(&self) -> Vec<StreamId> {
        vec![StreamId::of::<Tag>(self.tag_id)]
    }

    async fn run(&self, work: &mut UnitOfWork) -> Result<(), UseCaseError> {
        ensure_supervisor(self.principal)?;
        let (tag_id, at) = (self.tag_id, work.now());
        let (tag, old_name) = load_known(work, tag_id, self.known_version).await?;
        let name = self.changes.name.clone().unwrap_or_else(|| old_name.clone());
        let color = self.changes.color.clone().unwrap_or_else(|| tag.color.clone());
        work.execute::<Tag>(tag_id, TagCommand::Restyle { name: name.clone(), color, at }).await?;
        claim(work, tag_id, &name).await?;
        if TagNameClaimId::of(&old_name) != TagNameClaimId::of(&name) {
            release(work, tag_id, &old_name).await?;
        }
        Ok(())
    }

    fn recall(&self, _events: &[Arc<LogEvent>]) -> Option<()> {
        Some(())
    }

    /// Since the first time it may have been deleted.
    async fn ensure_may_recall(&self, work: &mut UnitOfWork) -> Result<(), UseCaseError> {
        let is_present = work.load::<Tag>(self.tag_id).await?.is_present();
        ensure_may_see(self.principal, is_present, Entity::Tag)
    }
}
