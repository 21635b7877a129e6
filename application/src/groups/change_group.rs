use std::sync::Arc;

use domain::group::{Group, GroupCommand};
use domain::ids::{GroupId, WorkspaceId};
use domain::routing::RoutingStrategy;
use domain::text::{Name, Note};
use domain::workspace::{Workspace, WorkspaceCommand};

use super::ensure_supervisor;
use crate::UseCaseError;
use crate::agents::ensure_may_see;
use crate::command_bus::{UnitOfWork, UseCase};
use crate::error::Entity;
use crate::ports::{LogEvent, Principal, Sequence, StreamId};

/// The changes of a group; what is absent stays.
#[derive(Clone, Debug, Default)]
pub struct GroupChanges {
    pub name: Option<Name>,
    /// The group's purpose; `Some(None)` removes it.
    pub description: Option<Option<Note>>,
    /// How the router chooses agents for its chats from now on.
    pub strategy: Option<RoutingStrategy>,
    /// `true` makes it the default group. There is always one: only another group can replace it.
    pub is_default: Option<bool>,
}

/// A supervisor changes a group's name, purpose, strategy or rank as the default.
#[derive(Clone, Debug)]
pub struct ChangeGroup {
    pub principal: Principal,
    pub group_id: GroupId,
    pub changes: GroupChanges,
    /// The version that the caller knows, if it matters.
    pub known_version: Option<Sequence>,
}

impl UseCase for ChangeGroup {
    type Output = ();

    fn locks(&self) -> Vec<StreamId> {
        vec![StreamId::of::<Group>(self.group_id)]
    }

    async fn run(&self, work: &mut UnitOfWork) -> Result<(), UseCaseError> {
        ensure_supervisor(self.principal)?;
        let (group_id, at) = (self.group_id, work.now());
        let group = work.load::<Group>(group_id).await?;
        let Some(old_name) = group.name.clone().filter(|_| !group.deleted) else {
            return Err(UseCaseError::NotFound(Entity::Group));
        };
        work.ensure_version::<Group>(group_id, self.known_version).await?;
        let name = self.changes.name.clone().unwrap_or(old_name);
        let description = self.changes.description.clone().unwrap_or_else(|| group.description.clone());
        work.execute::<Group>(group_id, GroupCommand::Describe { name, description, at }).await?;
        if let Some(strategy) = self.changes.strategy {
            work.execute::<Group>(group_id, GroupCommand::ChangeStrategy { strategy, at }).await?;
        }
        self.change_default(work).await
    }

    fn recall(&self, _events: &[Arc<LogEvent>]) -> Option<()> {
        Some(())
    }

    /// Since the first time it may have been deleted.
    async fn ensure_may_recall(&self, work: &mut UnitOfWork) -> Result<(), UseCaseError> {
        let is_present = work.load::<Group>(self.group_id).await?.is_present();
        ensure_may_see(self.principal, is_present, Entity::Group)
    }
}

impl ChangeGroup {
    async fn change_default(&self, work: &mut UnitOfWork) -> Result<(), UseCaseError> {
        let (group_id, at) = (self.group_id, work.now());
        let Some(wanted) = self.changes.is_default else { return Ok(()) };
        let is_default = work.load::<Workspace>(WorkspaceId::ONLY).await?.default_group_id == Some(group_id);
        match (is_default, wanted) {
            (true, false) => Err(UseCaseError::DefaultGroup),
            (false, true) => {
                let choose = WorkspaceCommand::ChooseDefaultGroup { group_id, at };
                work.execute::<Workspace>(WorkspaceId::ONLY, choose).await?;
                Ok(())
            }
            (true, true) | (false, false) => Ok(()),
        }
    }
}
