use std::collections::BTreeSet;
use std::sync::Arc;

use domain::agent::Registration;
use domain::group::{Group, GroupCommand};
use domain::ids::{AgentId, GroupId, WorkspaceId};
use domain::routing::RoutingStrategy;
use domain::text::Name;
use domain::workspace::{Workspace, WorkspaceCommand};

use super::register_agent::register;
use crate::UseCaseError;
use crate::command_bus::{CommandBus, UnitOfWork, UseCase};
use crate::ports::{LogEvent, StreamId};

/// The first start creates the default group and the first admin. If two nodes start together, one of them does it.
#[derive(Clone, Debug)]
pub struct Bootstrap {
    pub group_id: GroupId,
    pub group_name: Name,
    /// The first admin's id; the password is stored under it before.
    pub admin_id: AgentId,
    pub admin: Registration,
}

/// Whether the log has a default group, which the first start creates.
///
/// # Errors
/// When the log cannot be read.
pub async fn is_set_up(bus: &CommandBus) -> Result<bool, UseCaseError> {
    Ok(bus.read::<Workspace>(WorkspaceId::ONLY).await?.default_group_id.is_some())
}

impl UseCase for Bootstrap {
    /// `true`: this call created them; `false`: they existed.
    type Output = bool;

    fn locks(&self) -> Vec<StreamId> {
        vec![StreamId::of::<Workspace>(WorkspaceId::ONLY)]
    }

    async fn run(&self, work: &mut UnitOfWork) -> Result<bool, UseCaseError> {
        if work.load::<Workspace>(WorkspaceId::ONLY).await?.default_group_id.is_some() {
            return Ok(false);
        }
        let at = self.admin.at;
        let group_id = self.group_id;
        let strategy = RoutingStrategy::default();
        let create = GroupCommand::Create { name: self.group_name.clone(), description: None, strategy, at };
        work.execute::<Group>(group_id, create).await?;
        let choose = WorkspaceCommand::ChooseDefaultGroup { group_id, at };
        work.execute::<Workspace>(WorkspaceId::ONLY, choose).await?;
        register(work, self.admin_id, &self.admin).await?;
        let agent_ids = BTreeSet::from([self.admin_id]);
        work.execute::<Group>(group_id, GroupCommand::AddAgents { agent_ids, at }).await?;
        Ok(true)
    }

    fn recall(&self, _events: &[Arc<LogEvent>]) -> Option<bool> {
        Some(false)
    }
}
