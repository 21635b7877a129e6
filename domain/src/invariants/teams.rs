use cqrs_es::Aggregate as _;

use super::chats::beginning;
use super::{Append, Invariants, Reference, Rule, Wrong, demand, remove_from};
use crate::group::GroupEvent;
use crate::ids::{GroupId, TagId, TagNameClaimId};
use crate::tag::{TagEvent, TagNameClaimEvent};
use crate::workspace::WorkspaceEvent;

impl Invariants {
    pub(super) fn on_group(&mut self, append: &mut Append, id: GroupId, event: &GroupEvent, wrong: &mut Wrong) {
        let group = self.groups.entry(id).or_default();
        let starts = matches!(event, GroupEvent::GroupCreated { .. });
        demand(wrong, Rule::Beginnings, starts != group.name.is_some(), || beginning("group", &id, starts));
        let comes_back = matches!(event, GroupEvent::GroupRestored { .. });
        demand(wrong, Rule::DeletedRest, starts || group.deleted == comes_back, || deleted("group", &id, comes_back));
        match event {
            GroupEvent::AgentsAdded { agent_ids, .. } => {
                append.references.extend(agent_ids.iter().copied().map(Reference::LivingAgent));
                let are_new = group.agent_ids.is_disjoint(agent_ids);
                demand(wrong, Rule::Membership, are_new, || format!("an agent joins group {id} twice"));
            }
            GroupEvent::AgentRemoved { agent_id, .. } => {
                append.left_group.insert((id, *agent_id));
                let is_in = group.agent_ids.contains(agent_id);
                demand(wrong, Rule::Membership, is_in, || {
                    format!("agent {agent_id} leaves group {id} and is not in it")
                });
            }
            GroupEvent::GroupCreated { .. }
            | GroupEvent::GroupDescribed { .. }
            | GroupEvent::StrategyChanged { .. }
            | GroupEvent::GroupDeleted { .. }
            | GroupEvent::GroupRestored { .. } => {}
        }
        group.apply(event.clone());
    }

    pub(super) fn on_tag(&mut self, append: &mut Append, id: TagId, event: &TagEvent, wrong: &mut Wrong) {
        append.tags.insert(id);
        let tag = self.tags.entry(id).or_default();
        let starts = matches!(event, TagEvent::TagCreated { .. });
        demand(wrong, Rule::Beginnings, starts != tag.name.is_some(), || beginning("tag", &id, starts));
        let comes_back = matches!(event, TagEvent::TagRestored { .. });
        demand(wrong, Rule::DeletedRest, starts || tag.deleted == comes_back, || deleted("tag", &id, comes_back));
        tag.apply(event.clone());
    }

    pub(super) fn on_tag_name(
        &mut self,
        append: &mut Append,
        id: TagNameClaimId,
        event: &TagNameClaimEvent,
        wrong: &mut Wrong,
    ) {
        let claim = self.tag_names.entry(id).or_default();
        match event {
            TagNameClaimEvent::TagNameClaimed { tag_id, .. } => {
                append.tags.insert(*tag_id);
                append.references.insert(Reference::Tag(*tag_id));
                let is_free = claim.tag_id.is_none();
                demand(wrong, Rule::UniqueTagNames, is_free, || format!("tag name {id} gets a second owner"));
                self.index.names_of.entry(*tag_id).or_default().insert(id);
            }
            TagNameClaimEvent::TagNameReleased { tag_id, .. } => {
                append.tags.insert(*tag_id);
                let owns = claim.tag_id == Some(*tag_id);
                demand(wrong, Rule::UniqueTagNames, owns, || format!("tag {tag_id} does not own tag name {id}"));
                remove_from(&mut self.index.names_of, tag_id, &id);
            }
        }
        claim.apply(event.clone());
    }

    pub(super) fn on_workspace(&mut self, append: &mut Append, event: &WorkspaceEvent, wrong: &mut Wrong) {
        let admins = &self.workspace.admin_ids;
        match event {
            WorkspaceEvent::DefaultGroupChosen { .. } => {}
            WorkspaceEvent::AdminAppointed { agent_id, .. } => {
                append.agents.insert(*agent_id);
                let is_new = !admins.contains(agent_id);
                demand(wrong, Rule::AnAdmin, is_new, || format!("agent {agent_id} is appointed admin twice"));
            }
            WorkspaceEvent::AdminDismissed { agent_id, .. } => {
                append.agents.insert(*agent_id);
                let was = admins.contains(agent_id);
                demand(wrong, Rule::AnAdmin, was, || format!("agent {agent_id} is dismissed and was no admin"));
                let are_others = admins.iter().any(|admin| admin != agent_id);
                demand(wrong, Rule::AnAdmin, are_others, || "there is no admin any more".to_owned());
            }
        }
        self.workspace.apply(event.clone());
    }
}

fn deleted(what: &str, id: &dyn std::fmt::Display, comes_back: bool) -> String {
    if comes_back { format!("{what} {id} was not deleted") } else { format!("{what} {id} is deleted and goes on") }
}
