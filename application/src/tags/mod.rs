//! Labels for conversations.

use std::sync::Arc;

use domain::event::AnyEvent;
use domain::ids::{EntityId, TagId, TagNameClaimId};
use domain::tag::{Tag, TagCommand, TagNameClaim, TagNameClaimCommand};
use domain::text::{Color, Name};

use crate::UseCaseError;
use crate::command_bus::{UnitOfWork, UseCase};
use crate::error::Entity;
use crate::groups::ensure_supervisor;
use crate::ports::{LogEvent, Principal, Sequence, StreamId};

/// What a supervisor does with a tag.
#[derive(Clone, Debug)]
pub enum TagOrder {
    /// Begin it.
    Create {
        /// Its name.
        name: Name,
        /// Its colour.
        color: Option<Color>,
    },
    /// Make it different; what is absent stays.
    Change {
        /// Its name.
        name: Option<Name>,
        /// Its colour; `Some(None)` takes it away.
        color: Option<Option<Color>>,
    },
    /// End it: it goes on no more conversations, and stays readable where it is.
    Delete,
    /// Let it go on, if its name is still free.
    Restore,
}

/// A supervisor manages a tag.
#[derive(Clone, Debug)]
pub struct ManageTag {
    /// Who.
    pub principal: Principal,
    /// The tag.
    pub tag_id: TagId,
    /// What.
    pub order: TagOrder,
    /// The version that the caller knows, if they care.
    pub known_version: Option<Sequence>,
}

impl UseCase for ManageTag {
    type Output = TagId;

    fn locks(&self) -> Vec<StreamId> {
        vec![StreamId::of::<Tag>(self.tag_id)]
    }

    async fn run(&self, work: &mut UnitOfWork) -> Result<TagId, UseCaseError> {
        ensure_supervisor(self.principal)?;
        let (tag_id, at) = (self.tag_id, work.now());
        let tag = work.load::<Tag>(tag_id).await?;
        if let TagOrder::Create { name, color } = &self.order {
            claim(work, tag_id, name).await?;
            let (name, color) = (name.clone(), color.clone());
            work.execute::<Tag>(tag_id, TagCommand::Create { name, color, at }).await?;
            return Ok(tag_id);
        }
        let Some(old_name) = tag.name.clone() else { return Err(UseCaseError::NotFound(Entity::Tag)) };
        work.ensure_version::<Tag>(tag_id, self.known_version).await?;
        match &self.order {
            TagOrder::Create { .. } => {}
            TagOrder::Change { name, color } => {
                let name = name.clone().unwrap_or_else(|| old_name.clone());
                let color = color.clone().unwrap_or_else(|| tag.color.clone());
                work.execute::<Tag>(tag_id, TagCommand::Restyle { name: name.clone(), color, at }).await?;
                claim(work, tag_id, &name).await?;
                if TagNameClaimId::of(&old_name) != TagNameClaimId::of(&name) {
                    release(work, tag_id, &old_name).await?;
                }
            }
            TagOrder::Delete => {
                if work.execute::<Tag>(tag_id, TagCommand::Delete { at }).await? {
                    release(work, tag_id, &old_name).await?;
                }
            }
            TagOrder::Restore => {
                if work.execute::<Tag>(tag_id, TagCommand::Restore { at }).await? {
                    claim(work, tag_id, &old_name).await?;
                }
            }
        }
        Ok(tag_id)
    }

    fn recall(&self, events: &[Arc<LogEvent>]) -> Option<TagId> {
        events.iter().find_map(|event| match &event.event {
            AnyEvent::Tag(_) => Some(TagId::from_uuid(event.header.aggregate_id)),
            _ => None,
        })
    }
}

async fn claim(work: &mut UnitOfWork, tag_id: TagId, name: &Name) -> Result<(), UseCaseError> {
    let claim = TagNameClaimCommand::Claim { tag_id, at: work.now() };
    work.execute::<TagNameClaim>(TagNameClaimId::of(name), claim).await?;
    Ok(())
}

async fn release(work: &mut UnitOfWork, tag_id: TagId, name: &Name) -> Result<(), UseCaseError> {
    let release = TagNameClaimCommand::Release { tag_id, at: work.now() };
    work.execute::<TagNameClaim>(TagNameClaimId::of(name), release).await?;
    Ok(())
}
