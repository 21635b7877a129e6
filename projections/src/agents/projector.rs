use std::sync::Arc;

use application::ports::LogEvent;
use async_trait::async_trait;
use domain::agent::AgentEvent;
use domain::event::AnyEvent;
use domain::group::GroupEvent;
use domain::ids::{EntityId, GroupId};
use domain::workspace::WorkspaceEvent;
use infrastructure::database::{DatabaseError, Transaction};
use infrastructure::subscription::{HandleError, Subscriber, View, names};

use super::members::Members;
use super::{AgentRow, GroupRow, MEMBERS_TABLE};
use crate::error::poison;
use crate::rows::{Rows, ViewRow, aggregate_ids};

/// Fills `agents`, `agent_groups` and `group_members`.
#[derive(Clone, Copy, Debug, Default)]
pub struct AgentsProjector;

#[async_trait]
impl Subscriber for AgentsProjector {
    fn name(&self) -> &'static str {
        names::AGENTS
    }

    fn version(&self) -> i64 {
        3
    }

    fn handles(&self, event: &AnyEvent) -> bool {
        matches!(
            event,
            AnyEvent::Agent(_) | AnyEvent::Group(_) | AnyEvent::Workspace(WorkspaceEvent::DefaultGroupChosen { .. })
        )
    }

    async fn handle(&self, events: &[Arc<LogEvent>], tx: &mut Transaction) -> Result<(), HandleError> {
        let of_agents = events.iter().map(AsRef::as_ref).filter(|event| matches!(event.event, AnyEvent::Agent(_)));
        let agents = Rows::load(tx, aggregate_ids(of_agents)).await?;
        let groups = load_groups(tx, events).await?;
        let mut fold = Fold { agents, groups, members: Members::new() };
        for event in events {
            fold.apply(event)?;
        }
        fold.agents.save(tx).await?;
        fold.groups.save(tx).await?;
        fold.members.save(tx).await
    }
}

impl View for AgentsProjector {
    fn tables(&self) -> &'static [&'static str] {
        &[AgentRow::TABLE.name, GroupRow::TABLE.name, MEMBERS_TABLE.name]
    }
}

/// The groups that the events change; the choice of a default group also changes the one before it.
async fn load_groups(tx: &mut Transaction, events: &[Arc<LogEvent>]) -> Result<Rows<GroupRow>, DatabaseError> {
    const DEFAULT: &str = "SELECT id FROM agent_groups WHERE is_default = 1";
    let of_groups = events.iter().map(AsRef::as_ref).filter(|event| matches!(event.event, AnyEvent::Group(_)));
    let mut ids = aggregate_ids(of_groups);
    let chosen: Vec<_> = events.iter().filter_map(|event| chosen_default(&event.event)).collect();
    if !chosen.is_empty() {
        ids.extend(chosen.into_iter().map(EntityId::uuid));
        for row in tx.fetch_all(DEFAULT, vec![]).await? {
            ids.insert(row.uuid("id")?);
        }
    }
    Rows::load(tx, ids).await
}

const fn chosen_default(event: &AnyEvent) -> Option<GroupId> {
    let AnyEvent::Workspace(WorkspaceEvent::DefaultGroupChosen { group_id, .. }) = event else { return None };
    Some(*group_id)
}

/// What a page makes of agents and groups.
struct Fold<'a> {
    agents: Rows<AgentRow>,
    groups: Rows<GroupRow>,
    members: Members<'a>,
}

impl<'a> Fold<'a> {
    fn apply(&mut self, event: &'a LogEvent) -> Result<(), HandleError> {
        match &event.event {
            AnyEvent::Agent(change) => self.on_agent(event, change),
            AnyEvent::Group(change) => self.on_group(event, change),
            AnyEvent::Conversation(_)
            | AnyEvent::Thread(_)
            | AnyEvent::Visitor(_)
            | AnyEvent::Tag(_)
            | AnyEvent::EmailClaim(_)
            | AnyEvent::TagNameClaim(_)
            | AnyEvent::Workspace(_) => {
                chosen_default(&event.event).map_or(Ok(()), |group_id| self.choose_default(event, group_id))
            }
        }
    }

    fn on_agent(&mut self, event: &LogEvent, change: &AgentEvent) -> Result<(), HandleError> {
        if let Some(row) = AgentRow::registered(&event.header, change) {
            return self.agents.create(event, row);
        }
        let row = self.agents.change(event)?;
        row.apply(&event.header, change);
        if row.active_chats < 0 { Err(poison(event, "frees a slot that was not taken")) } else { Ok(()) }
    }

    fn on_group(&mut self, event: &'a LogEvent, change: &GroupEvent) -> Result<(), HandleError> {
        if let Some(row) = GroupRow::created(&event.header, change) {
            return self.groups.create(event, row);
        }
        self.groups.change(event)?.apply(&event.header, change);
        self.members.apply(event, change);
        Ok(())
    }

    fn choose_default(&mut self, event: &LogEvent, group_id: GroupId) -> Result<(), HandleError> {
        if self.groups.find(group_id.uuid()).is_none() {
            return Err(poison(event, "chooses a default group that the view does not have"));
        }
        for group in self.groups.all() {
            group.is_default = group.id == group_id;
        }
        Ok(())
    }
}
