use application::agents::{AgentChanges, ChangeAgent, DeleteAgent, SetStatus};
use application::presence::GRACE;
use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, Result};
use domain::agent::{ChatLimit, NewPassword, Registration};
use domain::ids::AgentId;
use domain::text::{AvatarUrl, EmailAddress, Name};
use domain::time::Timestamp;

use super::{AgentPayload, Change, DONE, DonePayload, HeartbeatPayload, Receipt, emptiable, refused, version};
use crate::graphql::scope::Scope;
use crate::graphql::types::{AgentStatus, DateTime, Heartbeat, Role, shown};
use crate::service::{Fields, Refusal};

/// A person who shall be able to log in.
#[derive(InputObject)]
pub struct RegisterAgentInput {
    /// At most 200 bytes, on one line.
    name: String,
    /// Unique among agents who are not deleted, in upper or lower case.
    email: String,
    /// 8 to 128 characters.
    password: String,
    /// `AGENT` when absent.
    role: Option<Role>,
    /// `OFFLINE` when absent.
    status: Option<AgentStatus>,
    /// Whether they take new chats; they do when absent.
    accepting_chats: Option<bool>,
    /// The most chats at once, 1 to 20; 6 when absent.
    max_concurrent_chats: Option<i32>,
    /// The address of a picture of them.
    avatar: Option<String>,
}

/// Changes of an agent; absent fields stay as they are.
#[derive(InputObject)]
pub struct ChangeAgentInput {
    id: ID,
    /// Another name.
    name: Option<String>,
    /// Another address to log in with; only admins.
    email: Option<String>,
    /// Another role; only admins.
    role: Option<Role>,
    /// Whether they are at work.
    status: Option<AgentStatus>,
    /// Whether they take new chats.
    accepting_chats: Option<bool>,
    /// The most chats at once, 1 to 20; only admins.
    max_concurrent_chats: Option<i32>,
    /// The address of another picture, or null for none.
    avatar: MaybeUndefined<String>,
}

/// An agent's availability.
#[derive(InputObject)]
pub struct SetAgentStatusInput {
    id: ID,
    status: AgentStatus,
    /// Whether they take new chats; as before when absent.
    accepting_chats: Option<bool>,
}

/// Changes of agents.
#[derive(Default)]
pub struct AgentMutations;

#[Object]
impl AgentMutations {
    /// Registers an agent; for admins.
    async fn register_agent(
        &self,
        ctx: &Context<'_>,
        input: RegisterAgentInput,
        idempotency_key: Option<String>,
    ) -> Option<Result<AgentPayload>> {
        Some(
            async {
                let change = Change::begin(ctx, idempotency_key).await?;
                let (registration, password) = input.check(change.scope.services.dispatch.now()).map_err(refused)?;
                let principal = change.caller.principal;
                let accounts = &change.scope.services.accounts;
                let register =
                    async |context| Ok(accounts.register(context, principal, registration, &password).await?);
                let (id, receipt) = change.carry_out(register).await?;
                payload(&change, id, receipt).await
            }
            .await,
        )
    }

    /// Changes an agent; for admins, and for the agent itself as far as its own things go.
    async fn change_agent(
        &self,
        ctx: &Context<'_>,
        input: ChangeAgentInput,
        #[graphql(desc = "The version that the caller knows.")] if_match: Option<i32>,
        idempotency_key: Option<String>,
    ) -> Option<Result<AgentPayload>> {
        Some(
            async {
                let change = Change::begin(ctx, idempotency_key).await?;
                let (agent_id, changes) = input.check().map_err(refused)?;
                let principal = change.caller.principal;
                let use_case = ChangeAgent { principal, agent_id, changes, known_version: version(if_match) };
                let (_, receipt) = change.run(use_case).await?;
                payload(&change, agent_id, receipt).await
            }
            .await,
        )
    }

    /// Deletes an agent, whose chats return to the queue; for admins.
    async fn delete_agent(
        &self,
        ctx: &Context<'_>,
        id: ID,
        #[graphql(desc = "The version that the caller knows.")] if_match: Option<i32>,
        idempotency_key: Option<String>,
    ) -> Option<Result<AgentPayload>> {
        Some(
            async {
                let change = Change::begin(ctx, idempotency_key).await?;
                let (principal, agent_id) = (change.caller.principal, parsed(&id)?);
                let delete = DeleteAgent { principal, agent_id, deleted: true, known_version: version(if_match) };
                let delete = async |context| Ok(change.scope.services.accounts.delete(context, delete).await?);
                let ((), receipt) = change.carry_out(delete).await?;
                payload(&change, agent_id, receipt).await
            }
            .await,
        )
    }

    /// Restores a deleted agent; for admins.
    async fn restore_agent(
        &self,
        ctx: &Context<'_>,
        id: ID,
        #[graphql(desc = "The version that the caller knows.")] if_match: Option<i32>,
        idempotency_key: Option<String>,
    ) -> Option<Result<AgentPayload>> {
        Some(
            async {
                let change = Change::begin(ctx, idempotency_key).await?;
                let (principal, agent_id) = (change.caller.principal, parsed(&id)?);
                let restore = DeleteAgent { principal, agent_id, deleted: false, known_version: version(if_match) };
                let (_, receipt) = change.run(restore).await?;
                payload(&change, agent_id, receipt).await
            }
            .await,
        )
    }

    /// Sets an agent's status; for the agent and supervisors.
    async fn set_agent_status(
        &self,
        ctx: &Context<'_>,
        input: SetAgentStatusInput,
        #[graphql(desc = "The version that the caller knows.")] if_match: Option<i32>,
        idempotency_key: Option<String>,
    ) -> Option<Result<AgentPayload>> {
        Some(
            async {
                let change = Change::begin(ctx, idempotency_key).await?;
                let SetAgentStatusInput { id, status, accepting_chats } = input;
                let (principal, agent_id, known_version) = (change.caller.principal, parsed(&id)?, version(if_match));
                let set = SetStatus { principal, agent_id, status: status.into(), accepting_chats, known_version };
                let (_, receipt) = change.run(set).await?;
                payload(&change, agent_id, receipt).await
            }
            .await,
        )
    }

    /// Sets the password of an agent who cannot log in any more, and ends the agent's sessions; for admins.
    async fn reset_agent_password(
        &self,
        ctx: &Context<'_>,
        id: ID,
        new_password: String,
    ) -> Option<Result<DonePayload>> {
        Some(
            async {
                let change = Change::begin(ctx, None).await?;
                let mut fields = Fields::default();
                let agent_id = fields.id::<AgentId>("id", Some(&id));
                let new = fields.text("newPassword", &new_password, NewPassword::parse);
                let (agent_id, new) = fields.finish_with(agent_id.zip(new)).map_err(refused)?;
                let sessions = &change.scope.services.sessions;
                sessions.reset_password(&change.caller, &change.request()?, (agent_id, &new)).await.map_err(refused)?;
                Ok(DONE)
            }
            .await,
        )
    }

    /// Reports that the client of the agent is alive.
    async fn send_heartbeat(&self, ctx: &Context<'_>) -> Option<Result<HeartbeatPayload>> {
        Some(
            async {
                let change = Change::begin(ctx, None).await?;
                let (agent, session) = change.caller.agent_session().map_err(refused)?;
                let presence = &change.scope.services.presence;
                let beat = async |context| Ok(presence.heartbeat(context, agent.id, session).await?);
                let (heartbeat, receipt) = change.carry_out(beat).await?;
                let heartbeat = Heartbeat {
                    lease_ends_at: DateTime(heartbeat.lease_ends_at.to_string()),
                    grace_seconds: i32::try_from(GRACE.as_secs()).unwrap_or(i32::MAX),
                    status: heartbeat.status.into(),
                };
                Ok(HeartbeatPayload::new(heartbeat, receipt))
            }
            .await,
        )
    }
}

async fn payload(change: &Change<'_>, id: AgentId, receipt: Receipt) -> Result<AgentPayload> {
    let Scope { services, .. } = change.scope;
    let agent = services.directory.changed_agent(id).await.map_err(refused)?;
    Ok(AgentPayload::new(shown(&agent)?, receipt))
}

fn parsed(id: &ID) -> Result<AgentId> {
    let mut fields = Fields::default();
    let id = fields.id("id", Some(id));
    fields.finish_with(id).map_err(refused)
}

impl RegisterAgentInput {
    fn check(self, at: Timestamp) -> Result<(Registration, NewPassword), Refusal> {
        let mut fields = Fields::default();
        let name = fields.text("name", &self.name, Name::parse);
        let email = fields.text("email", &self.email, EmailAddress::parse);
        let password = fields.text("password", &self.password, NewPassword::parse);
        let chat_limit = match self.max_concurrent_chats {
            Some(chats) => limit(&mut fields, chats),
            None => Some(ChatLimit::default()),
        };
        let avatar = fields.optional("avatar", self.avatar.as_deref(), AvatarUrl::parse);
        let (Some(name), Some(email), Some(password), Some(chat_limit)) = (name, email, password, chat_limit) else {
            return fields.finish_with(None);
        };
        fields.finish()?;
        let role = self.role.map(Into::into).unwrap_or_default();
        let status = self.status.map(Into::into).unwrap_or_default();
        let accepting_chats = self.accepting_chats.unwrap_or(true);
        Ok((Registration { name, email, avatar, role, status, accepting_chats, chat_limit, at }, password))
    }
}

impl ChangeAgentInput {
    fn check(self) -> Result<(AgentId, AgentChanges), Refusal> {
        let mut fields = Fields::default();
        let id = fields.id("id", Some(&self.id));
        let changes = AgentChanges {
            name: fields.changed("name", self.name.as_deref(), Name::parse),
            avatar: emptiable(&mut fields, ("avatar", self.avatar), AvatarUrl::parse),
            status: self.status.map(Into::into),
            accepting_chats: self.accepting_chats,
            email: fields.changed("email", self.email.as_deref(), EmailAddress::parse),
            role: self.role.map(Into::into),
            chat_limit: self.max_concurrent_chats.and_then(|chats| limit(&mut fields, chats)),
        };
        Ok((fields.finish_with(id)?, changes))
    }
}

fn limit(fields: &mut Fields, chats: i32) -> Option<ChatLimit> {
    let refusal = || format!("must be from 1 to {}", ChatLimit::MAX);
    ChatLimit::new(chats.into()).or_else(|| fields.refuse("maxConcurrentChats", refusal()))
}
