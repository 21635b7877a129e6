use std::sync::Arc;

use domain::ids::TagId;
use domain::tag::{Tag, TagCommand};
use domain::text::{Color, Name};

use super::name_claim::claim;
use crate::UseCaseError;
use crate::command_bus::{UnitOfWork, UseCase, recall_id};
use crate::groups::ensure_supervisor;
use crate::ports::{LogEvent, Principal, StreamId};

/// A supervisor creates a tag.
#[derive(Clone, Debug)]
pub struct CreateTag {
    /// The supervisor.
    pub principal: Principal,
    /// The new tag's id.
    pub tag_id: TagId,
    /// The new tag's name.
    pub name: Name,
    /// The colour in which clients show it.
    pub color: Option<Color>,
}

impl UseCase for CreateTag {
    type Output = TagId;

    fn locks(&self) -> Vec<StreamId> {
        vec![StreamId::of::<Tag>(self.tag_id)]
    }

    async fn run(&self, work: &mut UnitOfWork) -> Result<TagId, UseCaseError> {
        ensure_supervisor(self.principal)?;
        let (tag_id, name, color, at) = (self.tag_id, self.name.clone(), self.color.clone(), work.now());
        claim(work, tag_id, &name).await?;
        work.execute::<Tag>(tag_id, TagCommand::Create { name, color, at }).await?;
        Ok(tag_id)
    }

    fn recall(&self, events: &[Arc<LogEvent>]) -> Option<TagId> {
        recall_id::<Tag>(events)
    }
}
