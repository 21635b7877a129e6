use std::sync::Arc;

use domain::group::{Group, GroupCommand};
use domain::ids::{GroupId, WorkspaceId};
use domain::routing::RoutingStrategy;
use domain::text::{Name, Note};
use domain::workspace::{Workspace, WorkspaceCommand};

use super::ensure_supervisor;
use crate::UseCaseError;
use crate::command_bus::{UnitOfWork, UseCase, recall_id};
use crate::ports::{LogEvent, Principal, StreamId};

/// A supervisor creates a group.
#[derive(Clone, Debug)]
pub struct CreateGroup {
    /// The supervisor.
    pub principal: Principal,
    /// The new group's id.
    pub group_id: GroupId,
    /// The new group's name.
    pub name: Name,
    /// The group's purpose.
    pub description: Option<Note>,
    /// How the router chooses agents for its chats.
    pub strategy: RoutingStrategy,
    /// Whether it becomes the default group.
    pub make_default: bool,
}

impl UseCase for CreateGroup {
    type Output = GroupId;

    fn locks(&self) -> Vec<StreamId> {
        vec![StreamId::of::<Group>(self.group_id)]
    }

    async fn run(&self, work: &mut UnitOfWork) -> Result<GroupId, UseCaseError> {
        ensure_supervisor(self.principal)?;
        let (group_id, strategy, at) = (self.group_id, self.strategy, work.now());
        let (name, description) = (self.name.clone(), self.description.clone());
        work.execute::<Group>(group_id, GroupCommand::Create { name, description, strategy, at }).await?;
        if self.make_default {
            let choose = WorkspaceCommand::ChooseDefaultGroup { group_id, at };
            work.execute::<Workspace>(WorkspaceId::ONLY, choose).await?;
        }
        Ok(group_id)
    }

    fn recall(&self, events: &[Arc<LogEvent>]) -> Option<GroupId> {
        recall_id::<Group>(events)
    }
}
