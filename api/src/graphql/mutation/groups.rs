use std::collections::BTreeSet;

use application::groups::{AddMembers, ChangeGroup, CreateGroup, DeleteGroup, GroupChanges, RemoveMember};
use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, Result};
use domain::ids::{AgentId, GroupId};
use domain::text::{Name, Note};

use super::{Change, GroupPayload, Receipt, emptiable, id, refused, version};
use crate::graphql::types::{RoutingStrategy, shown};
use crate::service::{Fields, MAX_MEMBERS, Refusal};

/// Agents who share a queue.
#[derive(InputObject)]
pub struct CreateGroupInput {
    /// At most 200 bytes, on one line.
    name: String,
    /// The purpose, for agents and supervisors.
    description: Option<String>,
    /// How its chats find their agents; `LEAST_LOADED` when absent.
    routing_strategy: Option<RoutingStrategy>,
    /// Whether it takes the place of the default group.
    is_default: Option<bool>,
}

/// Changes of a group; absent fields stay as they are.
#[derive(InputObject)]
pub struct ChangeGroupInput {
    id: ID,
    /// Another name.
    name: Option<String>,
    /// Another description, or null for none.
    description: MaybeUndefined<String>,
    /// How its chats find their agents from now on.
    routing_strategy: Option<RoutingStrategy>,
    /// True makes it the default group instead of the one that is.
    is_default: Option<bool>,
}

/// Changes of groups and their members.
#[derive(Default)]
pub struct GroupMutations;

#[Object]
impl GroupMutations {
    /// Creates a group; for supervisors.
    async fn create_group(
        &self,
        ctx: &Context<'_>,
        input: CreateGroupInput,
        idempotency_key: Option<String>,
    ) -> Option<Result<GroupPayload>> {
        Some(
            async {
                let change = Change::begin(ctx, idempotency_key).await?;
                let mut fields = Fields::default();
                let name = fields.text("name", &input.name, Name::parse);
                let description = fields.optional("description", input.description.as_deref(), Note::parse);
                let name = fields.finish_with(name).map_err(refused)?;
                let (principal, group_id) =
                    (change.caller.principal, GroupId::new(change.scope.services.dispatch.new_uuid()));
                let strategy = input.routing_strategy.map(Into::into).unwrap_or_default();
                let make_default = input.is_default.unwrap_or(false);
                let create = CreateGroup { principal, group_id, name, description, strategy, make_default };
                let (group_id, receipt) = change.run(create).await?;
                payload(&change, group_id, receipt).await
            }
            .await,
        )
    }

    /// Changes a group; for supervisors.
    async fn change_group(
        &self,
        ctx: &Context<'_>,
        input: ChangeGroupInput,
        #[graphql(desc = "The version that the caller knows.")] if_match: Option<i32>,
        idempotency_key: Option<String>,
    ) -> Option<Result<GroupPayload>> {
        Some(
            async {
                let change = Change::begin(ctx, idempotency_key).await?;
                let (group_id, changes) = input.check().map_err(refused)?;
                let principal = change.caller.principal;
                let use_case = ChangeGroup { principal, group_id, changes, known_version: version(if_match) };
                let (_, receipt) = change.run(use_case).await?;
                payload(&change, group_id, receipt).await
            }
            .await,
        )
    }

    /// Deletes a group, whose chats wait in the default group; for supervisors.
    async fn delete_group(
        &self,
        ctx: &Context<'_>,
        id: ID,
        #[graphql(desc = "The version that the caller knows.")] if_match: Option<i32>,
        idempotency_key: Option<String>,
    ) -> Option<Result<GroupPayload>> {
        Some(async { set_deleted(&Change::begin(ctx, idempotency_key).await?, (&id, if_match), true).await }.await)
    }

    /// Restores a deleted group; for supervisors.
    async fn restore_group(
        &self,
        ctx: &Context<'_>,
        id: ID,
        #[graphql(desc = "The version that the caller knows.")] if_match: Option<i32>,
        idempotency_key: Option<String>,
    ) -> Option<Result<GroupPayload>> {
        Some(async { set_deleted(&Change::begin(ctx, idempotency_key).await?, (&id, if_match), false).await }.await)
    }

    /// Adds agents to a group, all or none; for supervisors.
    async fn add_group_members(
        &self,
        ctx: &Context<'_>,
        group_id: ID,
        #[graphql(desc = "At most 500.")] agent_ids: Vec<ID>,
        #[graphql(desc = "The version that the caller knows.")] if_match: Option<i32>,
        idempotency_key: Option<String>,
    ) -> Option<Result<GroupPayload>> {
        Some(
            async {
                let change = Change::begin(ctx, idempotency_key).await?;
                let (group_id, agent_ids) = members(&group_id, &agent_ids).map_err(refused)?;
                let principal = change.caller.principal;
                let add = AddMembers { principal, group_id, agent_ids, known_version: version(if_match) };
                let (_, receipt) = change.run(add).await?;
                payload(&change, group_id, receipt).await
            }
            .await,
        )
    }

    /// Removes an agent from a group; for supervisors.
    async fn remove_group_member(
        &self,
        ctx: &Context<'_>,
        group_id: ID,
        agent_id: ID,
        #[graphql(desc = "The version that the caller knows.")] if_match: Option<i32>,
        idempotency_key: Option<String>,
    ) -> Option<Result<GroupPayload>> {
        Some(
            async {
                let change = Change::begin(ctx, idempotency_key).await?;
                let mut fields = Fields::default();
                let ids = (id(&mut fields, "groupId", &group_id), id(&mut fields, "agentId", &agent_id));
                let (group_id, agent_id) = fields.finish_with(ids.0.zip(ids.1)).map_err(refused)?;
                let principal = change.caller.principal;
                let remove = RemoveMember { principal, group_id, agent_id, known_version: version(if_match) };
                let remove = async |context| Ok(change.scope.services.memberships.remove(context, remove).await?);
                let ((), receipt) = change.carry_out(remove).await?;
                payload(&change, group_id, receipt).await
            }
            .await,
        )
    }
}

async fn set_deleted(change: &Change<'_>, (id, if_match): (&ID, Option<i32>), deleted: bool) -> Result<GroupPayload> {
    let mut fields = Fields::default();
    let group_id = fields.id::<GroupId>("id", Some(id));
    let group_id = fields.finish_with(group_id).map_err(refused)?;
    let principal = change.caller.principal;
    let delete = DeleteGroup { principal, group_id, deleted, known_version: version(if_match) };
    let (_, receipt) = change.run(delete).await?;
    payload(change, group_id, receipt).await
}

async fn payload(change: &Change<'_>, id: GroupId, receipt: Receipt) -> Result<GroupPayload> {
    let group = change.scope.services.directory.changed_group(id).await.map_err(refused)?;
    Ok(GroupPayload::new(shown(&group)?, receipt))
}

fn members(group_id: &ID, agent_ids: &[ID]) -> Result<(GroupId, BTreeSet<AgentId>), Refusal> {
    let mut fields = Fields::default();
    let group_id = id(&mut fields, "groupId", group_id);
    if agent_ids.len() > MAX_MEMBERS {
        fields.refuse::<()>("agentIds", format!("must be at most {MAX_MEMBERS} ids"));
    }
    let ids = agent_ids.iter().enumerate();
    let agent_ids = ids.filter_map(|(place, id)| fields.id(&format!("agentIds[{place}]"), Some(id))).collect();
    Ok((fields.finish_with(group_id)?, agent_ids))
}

impl ChangeGroupInput {
    fn check(self) -> Result<(GroupId, GroupChanges), Refusal> {
        let mut fields = Fields::default();
        let group_id = id(&mut fields, "id", &self.id);
        let changes = GroupChanges {
            name: fields.changed("name", self.name.as_deref(), Name::parse),
            description: emptiable(&mut fields, ("description", self.description), Note::parse),
            strategy: self.routing_strategy.map(Into::into),
            is_default: self.is_default,
        };
        Ok((fields.finish_with(group_id)?, changes))
    }
}
