use std::sync::Arc;

use domain::agent::{Agent, AgentCommand, AgentError, Role, SlotRule};
use domain::conversation::{Assignment, Conversation, ConversationCommand, ConversationError};
use domain::group::{Group, GroupError};
use domain::ids::{AgentId, ConversationId, GroupId, ThreadId};
use domain::routing::RoutingDecision;
use domain::text::Note;
use domain::thread::{JoinCause, LeaveReason, Thread, ThreadCommand};
use domain::time::Timestamp;

use super::access::{ensure_may_read, ensure_may_steer};
use crate::UseCaseError;
use crate::command_bus::{UnitOfWork, UseCase};
use crate::error::Entity;
use crate::ports::{LogEvent, Principal, StreamId};

/// The process or person that chose the agent.
#[derive(Clone, Debug)]
pub enum Chooser {
    Router {
        /// The group whose agents it chose from.
        group_id: GroupId,
        /// The reasons for the choice.
        decision: RoutingDecision,
    },
    /// An agent takes the chat, or a supervisor assigns it.
    Person { principal: Principal, reason: Option<Note> },
    /// The agent of the chat hands it to a colleague, or a supervisor does.
    Transfer { principal: Principal, reason: Option<Note> },
}

/// Assigns a chat to an agent. One append writes both streams, so that neither an agent above the limit nor a half
/// assigned chat can exist.
#[derive(Clone, Debug)]
pub struct AssignAgent {
    /// The chat.
    pub conversation_id: ConversationId,
    pub agent_id: AgentId,
    pub chooser: Chooser,
}

impl UseCase for AssignAgent {
    type Output = ();

    fn locks(&self) -> Vec<StreamId> {
        vec![StreamId::of::<Conversation>(self.conversation_id), StreamId::of::<Agent>(self.agent_id)]
    }

    async fn run(&self, work: &mut UnitOfWork) -> Result<(), UseCaseError> {
        let at = work.now();
        let conversation = work.load::<Conversation>(self.conversation_id).await?;
        if self.is_overtaken(&conversation) {
            return Ok(());
        }
        let (assignment, rule) = self.choose(work, &conversation).await?;
        let assign = ConversationCommand::AssignAgent { agent_id: self.agent_id, assignment, at };
        if !work.execute::<Conversation>(self.conversation_id, assign).await? {
            return Ok(());
        }
        self.ensure_routable(work).await?;
        let take = AgentCommand::TakeSlot { conversation_id: self.conversation_id, rule, at };
        work.execute::<Agent>(self.agent_id, take).await?;
        let thread_id = conversation.active_thread_id.ok_or(ConversationError::ChatClosed)?;
        if let Some(previous) = conversation.agent_id {
            self.dismiss(work, previous, thread_id, at).await?;
        }
        let join = ThreadCommand::AgentJoins { agent_id: self.agent_id, cause: self.cause(), at };
        work.execute::<Thread>(thread_id, join).await?;
        Ok(())
    }

    fn recall(&self, _events: &[Arc<LogEvent>]) -> Option<()> {
        Some(())
    }
}

impl AssignAgent {
    fn cause(&self) -> JoinCause {
        match &self.chooser {
            Chooser::Router { .. } => JoinCause::Routed,
            Chooser::Transfer { .. } => JoinCause::Transferred,
            Chooser::Person { principal: Principal::Agent { id, .. }, .. } if *id == self.agent_id => JoinCause::Taken,
            Chooser::Person { .. } => JoinCause::Assigned,
        }
    }

    /// Whether the router chose for a queue that the chat has left.
    fn is_overtaken(&self, conversation: &Conversation) -> bool {
        matches!(&self.chooser, Chooser::Router { group_id, .. } if conversation.group_id != Some(*group_id))
    }

    /// Refuses a choice of the router that is older than the agent's leaving or the group's deletion. The chat still waits:
    /// the router has to choose again.
    async fn ensure_routable(&self, work: &mut UnitOfWork) -> Result<(), UseCaseError> {
        let Chooser::Router { group_id, .. } = &self.chooser else { return Ok(()) };
        let group = work.load::<Group>(*group_id).await?;
        if !group.is_present() {
            return Err(GroupError::NotCreated.into());
        }
        if group.agent_ids.contains(&self.agent_id) { Ok(()) } else { Err(AgentError::NotAvailable.into()) }
    }

    async fn choose(
        &self,
        work: &mut UnitOfWork,
        conversation: &Conversation,
    ) -> Result<(Assignment, SlotRule), UseCaseError> {
        match &self.chooser {
            Chooser::Router { decision, .. } => {
                Ok((Assignment::Routed { decision: decision.clone() }, SlotRule::Routed))
            }
            Chooser::Person { principal, reason } => {
                let by = self.ensure_may_assign(work, *principal, conversation).await?;
                self.by_hand(work, by, reason.clone()).await
            }
            Chooser::Transfer { principal, reason } => {
                let Principal::Agent { id, role } = *principal else {
                    return Err(UseCaseError::Forbidden("visitors do not transfer chats"));
                };
                ensure_may_steer(work, *principal, conversation, conversation.agent_id).await?;
                self.by_hand(work, (id, role), reason.clone()).await
            }
        }
    }

    async fn by_hand(
        &self,
        work: &mut UnitOfWork,
        (by, role): (AgentId, Role),
        reason: Option<Note>,
    ) -> Result<(Assignment, SlotRule), UseCaseError> {
        let agent = work.load::<Agent>(self.agent_id).await?;
        if !agent.is_present() {
            return Err(UseCaseError::UnknownReference { field: "agentId", entity: Entity::Agent });
        }
        let over_limit = !agent.has_free_slot();
        let may_exceed = role >= Role::Supervisor;
        let rule = if may_exceed { SlotRule::ChosenOverLimit } else { SlotRule::Chosen };
        Ok((Assignment::Manual { by, reason, over_limit }, rule))
    }

    async fn ensure_may_assign(
        &self,
        work: &mut UnitOfWork,
        principal: Principal,
        conversation: &Conversation,
    ) -> Result<(AgentId, Role), UseCaseError> {
        ensure_may_read(work, principal, conversation).await?;
        let Principal::Agent { id, role } = principal else {
            return Err(UseCaseError::Forbidden("visitors do not assign chats"));
        };
        if role >= Role::Supervisor {
            return Ok((id, role));
        }
        if id != self.agent_id {
            return Err(UseCaseError::Forbidden("only a supervisor may assign a chat to somebody else"));
        }
        let group = match conversation.group_id {
            Some(group_id) => work.load::<Group>(group_id).await?,
            None => return Err(UseCaseError::NotFound(Entity::Conversation)),
        };
        if !group.agent_ids.contains(&id) {
            return Err(UseCaseError::Forbidden("only agents of the chat's group may take it"));
        }
        if conversation.agent_id.is_some_and(|agent_id| agent_id != id) {
            // Taking a chat away from a colleague is a supervisor's decision.
            return Err(ConversationError::AlreadyAssigned.into());
        }
        Ok((id, role))
    }

    async fn dismiss(
        &self,
        work: &mut UnitOfWork,
        previous: AgentId,
        thread_id: ThreadId,
        at: Timestamp,
    ) -> Result<(), UseCaseError> {
        let free = AgentCommand::FreeSlot { conversation_id: self.conversation_id, at };
        work.execute::<Agent>(previous, free).await?;
        let leave = ThreadCommand::AgentLeaves { agent_id: previous, reason: LeaveReason::Reassigned, at };
        work.execute::<Thread>(thread_id, leave).await?;
        Ok(())
    }
}
