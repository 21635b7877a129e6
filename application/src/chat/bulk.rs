use domain::ids::{AgentId, CommandId, ConversationId, GroupId, TagId};
use domain::text::{Name, Note};
use futures::StreamExt as _;

use super::{AssignAgent, Chooser, CloseChat, TagChat, TransferChat};
use crate::UseCaseError;
use crate::command_bus::{CommandBus, CommandContext, Executed, UseCase};
use crate::ports::Principal;

/// How many chats are changed at the same time.
const AT_ONCE: usize = 8;

/// One change of many chats. Each chat is changed by the use case of a single chat, under the same rights; a refusal does
/// not stop the others.
#[derive(Clone, Debug)]
pub enum BulkChange {
    Close {
        /// The reason, in a few words.
        reason: Name,
        /// The agent's notes.
        notes: Option<Note>,
    },
    /// Put a tag on them, or remove it.
    Tag {
        tag_id: TagId,
        /// `true` puts it on, `false` removes it.
        on: bool,
    },
    /// Assign them to an agent.
    Assign {
        agent_id: AgentId,
        /// The reason, recorded with the assignments.
        reason: Option<Note>,
    },
    /// Hand them to a colleague.
    HandOver {
        /// The colleague.
        agent_id: AgentId,
        /// The reason, recorded with the assignments.
        reason: Option<Note>,
    },
    /// Hand them to another group.
    Transfer {
        group_id: GroupId,
        /// The reason, recorded with the transfers.
        reason: Option<Note>,
    },
}

/// The outcome for one chat.
#[derive(Debug)]
pub struct BulkPart {
    /// The chat.
    pub conversation_id: ConversationId,
    /// The same as of a command for this chat alone.
    pub outcome: Result<Executed<()>, UseCaseError>,
}

impl BulkChange {
    /// Changes each of these chats, and gives the outcomes in the same order. The context is that of the whole request.
    pub async fn execute(
        &self,
        bus: &CommandBus,
        context: &CommandContext,
        principal: Principal,
        conversation_ids: Vec<ConversationId>,
    ) -> Vec<BulkPart> {
        let parts = futures::stream::iter(conversation_ids).map(async |conversation_id| {
            let part = Part { bus, context: part_of(bus, context, conversation_id), principal, conversation_id };
            BulkPart { conversation_id, outcome: part.execute(self.clone()).await }
        });
        parts.buffered(self.at_once()).collect().await
    }

    /// Chats that compete for one agent's slots are changed one after the other: the first of the list get them.
    const fn at_once(&self) -> usize {
        match self {
            Self::Close { .. } | Self::Tag { .. } | Self::Transfer { .. } => AT_ONCE,
            Self::Assign { .. } | Self::HandOver { .. } => 1,
        }
    }
}

/// Each chat has a command id that follows from the whole request's: a repetition of a request that broke off changes the
/// chats that are left.
fn part_of(bus: &CommandBus, whole: &CommandContext, conversation_id: ConversationId) -> CommandContext {
    let part = whole.part(CommandId::new(bus.new_uuid()));
    let Some(repeatable) = whole.repeatable else { return part };
    let (whole, chat) = (whole.command_id.to_string(), conversation_id.to_string());
    part.repeatable(CommandId::derived(&["bulk", &whole, &chat]), repeatable.request_digest)
}

/// One chat of a bulk change.
struct Part<'a> {
    bus: &'a CommandBus,
    context: CommandContext,
    principal: Principal,
    conversation_id: ConversationId,
}

impl Part<'_> {
    async fn execute(self, change: BulkChange) -> Result<Executed<()>, UseCaseError> {
        let Self { principal, conversation_id, .. } = self;
        match change {
            BulkChange::Close { reason, notes } => {
                self.run(CloseChat { principal, conversation_id, reason, notes }).await
            }
            BulkChange::Tag { tag_id, on } => self.run(TagChat { principal, conversation_id, tag_id, on }).await,
            BulkChange::Assign { agent_id, reason } => {
                let chooser = Chooser::Person { principal, reason };
                self.run(AssignAgent { conversation_id, agent_id, chooser }).await
            }
            BulkChange::HandOver { agent_id, reason } => {
                let chooser = Chooser::Transfer { principal, reason };
                self.run(AssignAgent { conversation_id, agent_id, chooser }).await
            }
            BulkChange::Transfer { group_id, reason } => {
                self.run(TransferChat { principal, conversation_id, group_id, reason }).await
            }
        }
    }

    async fn run(self, use_case: impl UseCase<Output = ()>) -> Result<Executed<()>, UseCaseError> {
        self.bus.execute(self.context, use_case).await
    }
}

#[cfg(test)]
mod tests {
    use domain::agent::{AgentError, Role};
    use uuid::Uuid;

    use super::*;
    use crate::error::Entity;
    use crate::testing::Company;

    fn close() -> BulkChange {
        BulkChange::Close { reason: Name::parse("done").unwrap(), notes: None }
    }

    fn context(company: &Company) -> CommandContext {
        company.bus.context("agent:test".to_owned(), Uuid::from_u128(7))
    }

    const fn supervisor(company: &Company) -> Principal {
        Principal::Agent { id: company.admin_id, role: Role::Supervisor }
    }

    #[tokio::test]
    async fn refused_chat_does_not_stop_the_others_and_outcomes_keep_the_order() {
        let company = Company::open().await;
        let (first, second) = (company.chat().await, company.chat().await);
        let unknown = ConversationId::new(Uuid::from_u128(404));
        let ids = vec![first, unknown, second];
        let parts = close().execute(&company.bus, &context(&company), supervisor(&company), ids.clone()).await;
        assert_eq!(parts.iter().map(|part| part.conversation_id).collect::<Vec<_>>(), ids);
        assert!(parts[0].outcome.is_ok() && parts[2].outcome.is_ok());
        assert!(matches!(parts[1].outcome, Err(UseCaseError::NotFound(Entity::Conversation))));
        assert!(!company.is_open(first).await && !company.is_open(second).await);
    }

    #[tokio::test]
    async fn first_chats_of_the_list_get_the_agents_slots() {
        let company = Company::open().await;
        let agent_id = company.agent_with_slots(2).await;
        let chats = vec![company.chat().await, company.chat().await, company.chat().await];
        let principal = Principal::Agent { id: agent_id, role: Role::Agent };
        let assign = BulkChange::Assign { agent_id, reason: None };
        let parts = assign.execute(&company.bus, &context(&company), principal, chats).await;
        let outcomes: Vec<_> = parts.into_iter().map(|part| part.outcome).collect();
        assert!(outcomes[0].is_ok() && outcomes[1].is_ok(), "{outcomes:?}");
        assert!(matches!(outcomes[2], Err(UseCaseError::Agent(AgentError::AtCapacity))), "{outcomes:?}");
    }

    #[tokio::test]
    async fn repeated_request_changes_only_the_chats_that_are_left() {
        let company = Company::open().await;
        let (first, second) = (company.chat().await, company.chat().await);
        let whole = context(&company).repeatable(CommandId::new(Uuid::from_u128(9)), [1; 32]);
        let once = close().execute(&company.bus, &whole, supervisor(&company), vec![first]).await;
        let again = close().execute(&company.bus, &whole, supervisor(&company), vec![first, second]).await;
        let position = |part: &BulkPart| part.outcome.as_ref().unwrap().position();
        let repeated = |part: &BulkPart| part.outcome.as_ref().unwrap().repeated;
        assert_eq!((position(&again[0]), repeated(&again[0])), (position(&once[0]), true));
        assert!(!repeated(&again[1]) && position(&again[1]) > position(&again[0]));
    }

    #[tokio::test]
    async fn parts_of_a_request_without_a_key_are_new_commands_each_time() {
        let company = Company::open().await;
        let chat = company.chat().await;
        let whole = context(&company);
        let (one, two) = (part_of(&company.bus, &whole, chat), part_of(&company.bus, &whole, chat));
        assert_ne!(one.command_id, two.command_id);
        assert_eq!((one.repeatable, one.actor), (None, whole.actor));
    }
}
