use domain::agent::{Agent, AgentCommand};
use domain::conversation::{Conversation, ConversationCommand, QueueReason};
use domain::ids::{AgentId, ConversationId};
use domain::thread::{LeaveReason, Thread, ThreadCommand};

use crate::UseCaseError;
use crate::command_bus::UnitOfWork;

/// How many chats one append returns. It has room for three times as many, but other appends wait for it.
pub(crate) const RETURNED_AT_ONCE: usize = 100;

/// Returns the chats of an agent to their old places in the queue, because no other agent would answer them. The oldest
/// come first; of more than [`RETURNED_AT_ONCE`] the router returns the rest. The result is how many are left.
pub(crate) async fn return_chats_to_queue(
    work: &mut UnitOfWork,
    agent_id: AgentId,
    queue_reason: QueueReason,
    leave_reason: LeaveReason,
) -> Result<usize, UseCaseError> {
    let agent = work.load::<Agent>(agent_id).await?;
    for conversation_id in agent.slots.iter().copied().take(RETURNED_AT_ONCE) {
        return_chat_to_queue(work, agent_id, conversation_id, queue_reason, leave_reason).await?;
    }
    Ok(agent.slots.len().saturating_sub(RETURNED_AT_ONCE))
}

/// Returns a chat of an agent to its old place in the queue.
pub(crate) async fn return_chat_to_queue(
    work: &mut UnitOfWork,
    agent_id: AgentId,
    conversation_id: ConversationId,
    queue_reason: QueueReason,
    leave_reason: LeaveReason,
) -> Result<(), UseCaseError> {
    let at = work.now();
    let conversation = work.load::<Conversation>(conversation_id).await?;
    // Otherwise the chat was closed or reassigned after the agent was read: the append will conflict with the agent's
    // newer version.
    if conversation.agent_id == Some(agent_id) {
        let back = ConversationCommand::ReturnToQueue { reason: queue_reason, group_id: None, handover: None, at };
        work.execute::<Conversation>(conversation_id, back).await?;
        if let Some(thread_id) = conversation.active_thread_id {
            let leave = ThreadCommand::AgentLeaves { agent_id, reason: leave_reason, at };
            work.execute::<Thread>(thread_id, leave).await?;
        }
    }
    work.execute::<Agent>(agent_id, AgentCommand::FreeSlot { conversation_id, at }).await?;
    Ok(())
}
