use std::sync::Arc;

use domain::group::{Group, GroupCommand};
use domain::ids::{GroupId, WorkspaceId};
use domain::workspace::Workspace;

use super::ensure_supervisor;
use crate::UseCaseError;
use crate::command_bus::{UnitOfWork, UseCase};
use crate::error::Entity;
use crate::ports::{LogEvent, Principal, Sequence, StreamId};

/// A supervisor deletes a group or restores it. The router moves the waiting chats of a deleted group to the default group;
/// assigned chats stay with their agents.
#[derive(Clone, Copy, Debug)]
pub struct DeleteGroup {
    /// The supervisor.
    pub principal: Principal,
    pub group_id: GroupId,
    /// `true` deletes the group, `false` restores it.
    pub deleted: bool,
    /// The version that the caller knows, if it matters.
    pub known_version: Option<Sequence>,
}

impl UseCase for DeleteGroup {
    type Output = ();

    fn locks(&self) -> Vec<StreamId> {
        vec![StreamId::of::<Group>(self.group_id), StreamId::of::<Workspace>(WorkspaceId::ONLY)]
    }

    async fn run(&self, work: &mut UnitOfWork) -> Result<(), UseCaseError> {
        ensure_supervisor(self.principal)?;
        let (group_id, at) = (self.group_id, work.now());
        if work.load::<Group>(group_id).await?.name.is_none() {
            return Err(UseCaseError::NotFound(Entity::Group));
        }
        work.ensure_version::<Group>(group_id, self.known_version).await?;
        if self.deleted && work.load::<Workspace>(WorkspaceId::ONLY).await?.default_group_id == Some(group_id) {
            return Err(UseCaseError::DefaultGroup);
        }
        let command = if self.deleted { GroupCommand::Delete { at } } else { GroupCommand::Restore { at } };
        work.execute::<Group>(group_id, command).await?;
        Ok(())
    }

    fn recall(&self, _events: &[Arc<LogEvent>]) -> Option<()> {
        Some(())
    }
}
