use std::sync::Arc;

use domain::ids::TagId;
use domain::tag::{Tag, TagCommand};

use super::load_known;
use super::name_claim::{claim, release};
use crate::UseCaseError;
use crate::command_bus::{UnitOfWork, UseCase};
use crate::groups::ensure_supervisor;
use crate::ports::{LogEvent, Principal, Sequence, StreamId};

/// A supervisor deletes a tag or restores it. A deleted tag stays readable on the conversations that have it and is put
/// on no other; its name is free.
#[derive(Clone, Copy, Debug)]
pub struct DeleteTag {
    /// The supervisor.
    pub principal: Principal,
    pub tag_id: TagId,
    /// `true` deletes it; `false` restores it, if no other tag has its name.
    pub deleted: bool,
    /// The version that the caller knows, if it matters.
    pub known_version: Option<Sequence>,
}

impl UseCase for DeleteTag {
    type Output = ();

    fn locks(&self) -> Vec<StreamId> {
        vec![StreamId::of::<Tag>(self.tag_id)]
    }

    async fn run(&self, work: &mut UnitOfWork) -> Result<(), UseCaseError> {
        ensure_supervisor(self.principal)?;
        let (tag_id, at) = (self.tag_id, work.now());
        let (_, name) = load_known(work, tag_id, self.known_version).await?;
        if self.deleted {
            if work.execute::<Tag>(tag_id, TagCommand::Delete { at }).await? {
                release(work, tag_id, &name).await?;
            }
        } else if work.execute::<Tag>(tag_id, TagCommand::Restore { at }).await? {
            claim(work, tag_id, &name).await?;
        }
        Ok(())
    }

    fn recall(&self, _events: &[Arc<LogEvent>]) -> Option<()> {
        Some(())
    }
}
