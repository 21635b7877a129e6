use std::sync::Arc;

use domain::conversation::{Conversation, Participant};
use domain::ids::{ConversationId, ThreadId};
use domain::thread::{Messages, Thread, ThreadCommand, ThreadError, ThreadEvent};

use super::access::{ensure_may_read, participant};
use crate::UseCaseError;
use crate::command_bus::{UnitOfWork, UseCase, recall};
use crate::error::Entity;
use crate::ports::{LogEvent, Position, Principal, StreamId};

/// A participant has read a thread up to a message.
#[derive(Clone, Copy, Debug)]
pub struct MarkRead {
    /// The participant who has read.
    pub principal: Principal,
    pub conversation_id: ConversationId,
    pub thread_id: ThreadId,
    /// The position of the last message that the reader has seen.
    pub up_to: Position,
    /// The messages of the thread up to there.
    pub read: Messages,
}

/// How far a reader has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadReceipt {
    /// The position of the last message of the thread that the reader has seen, now or earlier.
    pub up_to: Position,
}

impl UseCase for MarkRead {
    type Output = ReadReceipt;

    fn locks(&self) -> Vec<StreamId> {
        vec![StreamId::of::<Thread>(self.thread_id)]
    }

    async fn run(&self, work: &mut UnitOfWork) -> Result<ReadReceipt, UseCaseError> {
        let conversation = work.load::<Conversation>(self.conversation_id).await?;
        ensure_may_read(work, self.principal, &conversation).await?;
        let threads = &conversation.thread_ids;
        let place = threads.iter().position(|id| *id == self.thread_id);
        let place = place.ok_or(UseCaseError::NotFound(Entity::Thread))?;
        let reader = participant(self.principal);
        let thread = work.load::<Thread>(self.thread_id).await?;
        let known = thread.read_by(reader);
        let mut unread = 0;
        if self.up_to > known {
            unread = thread.messages.for_reader(reader).saturating_sub(self.read.for_reader(reader));
            for later in &threads[place + 1..] {
                unread = unread.saturating_add(work.load::<Thread>(*later).await?.messages.for_reader(reader));
            }
        }
        let serves_chat = matches!(reader, Participant::Agent(id) if conversation.agent_id == Some(id));
        let mark = ThreadCommand::MarkRead { reader, up_to: self.up_to, unread, serves_chat, at: work.now() };
        match work.execute::<Thread>(self.thread_id, mark).await {
            Ok(_) => Ok(ReadReceipt { up_to: self.up_to.max(known) }),
            Err(UseCaseError::Thread(ThreadError::NotAParticipant)) => {
                Err(UseCaseError::Forbidden("only participants may mark messages of the thread as read"))
            }
            Err(error) => Err(error),
        }
    }

    fn recall(&self, events: &[Arc<LogEvent>]) -> Option<ReadReceipt> {
        recall::<Thread, _>(events, |_, event| {
            let ThreadEvent::MessagesRead { up_to, .. } = *event else { return None };
            Some(ReadReceipt { up_to })
        })
    }
}

#[cfg(test)]
mod tests {
    use domain::agent::Role;
    use domain::ids::{AgentId, EntityId as _, VisitorId};
    use domain::text::MessageText;
    use uuid::Uuid;

    use super::*;
    use crate::chat::{AssignAgent, Chooser, CloseChat, ReopenChat, SendMessage};
    use crate::testing::Company;

    const VERA: VisitorId = VisitorId::new(Uuid::from_u128(3));
    const VISITOR: Principal = Principal::Visitor { id: VERA };

    struct Chat {
        company: Company,
        id: ConversationId,
    }

    impl Chat {
        async fn open() -> Self {
            let company = Company::open().await;
            let id = company.chat_of(VERA, None).await;
            Self { company, id }
        }

        async fn thread(&self) -> ThreadId {
            self.company.bus.read::<Conversation>(self.id).await.unwrap().active_thread_id.unwrap()
        }

        async fn act<U: UseCase>(&self, use_case: U) -> Result<U::Output, UseCaseError> {
            let context = self.company.bus.context("test".to_owned(), Uuid::nil());
            self.company.bus.execute(context, use_case).await.map(|executed| executed.output)
        }

        async fn assign(&self, agent_id: AgentId) {
            let chooser = Chooser::Person { principal: self.company.admin(), reason: None };
            self.act(AssignAgent { conversation_id: self.id, agent_id, chooser }).await.unwrap();
        }

        async fn say(&self, principal: Principal) {
            let text = MessageText::parse("Hello").unwrap();
            let (conversation_id, thread_id) = (self.id, None);
            let message =
                SendMessage { principal, conversation_id, thread_id, text, client_event_id: None, metadata: None };
            self.act(message).await.unwrap();
        }

        /// The positions of the messages, and how many there are up to each.
        fn messages(&self, thread_id: ThreadId) -> Vec<(Position, Messages)> {
            let events = self.company.log.events().into_iter().filter(|event| {
                event.header.aggregate_id == thread_id.uuid() && event.header.event_type == "MessageSent"
            });
            let mut read = Messages::default();
            let count = |event: Arc<LogEvent>| {
                let Some(ThreadEvent::MessageSent { author, .. }) = event.event.of::<Thread>() else { panic!() };
                read.add(*author);
                (event.header.position, read)
            };
            events.map(count).collect()
        }

        async fn read(
            &self,
            principal: Principal,
            thread_id: ThreadId,
            number: usize,
        ) -> Result<(Position, Option<u32>), UseCaseError> {
            let (up_to, read) = self.messages(thread_id)[number];
            let mark = MarkRead { principal, conversation_id: self.id, thread_id, up_to, read };
            let before = self.company.log.events().len();
            let receipt = self.act(mark).await?;
            let event = self.company.log.events().split_off(before).pop();
            let unread = event.map(|event| match event.event.of::<Thread>() {
                Some(ThreadEvent::MessagesRead { unread, .. }) => *unread,
                other => panic!("{other:?}"),
            });
            Ok((receipt.up_to, unread))
        }
    }

    #[tokio::test]
    async fn unread_are_the_later_messages_of_the_other_side() {
        let chat = Chat::open().await;
        let anna = chat.company.agent_with_slots(1).await;
        chat.assign(anna).await;
        let agent = Principal::Agent { id: anna, role: Role::Agent };
        for author in [VISITOR, agent, VISITOR, agent, agent] {
            chat.say(author).await;
        }
        let thread_id = chat.thread().await;
        // Those of the visitor: the first one, 1 and 3; of the agent: 2, 4 and 5.
        let positions = chat.messages(thread_id);
        assert_eq!(chat.read(agent, thread_id, 0).await.unwrap(), (positions[0].0, Some(2)));
        assert_eq!(chat.read(agent, thread_id, 3).await.unwrap(), (positions[3].0, Some(0)));
        assert_eq!(chat.read(VISITOR, thread_id, 2).await.unwrap(), (positions[2].0, Some(2)));
        assert_eq!(chat.read(VISITOR, thread_id, 1).await.unwrap(), (positions[2].0, None), "never backwards");
        assert_eq!(chat.read(VISITOR, thread_id, 5).await.unwrap(), (positions[5].0, Some(0)));
    }

    #[tokio::test]
    async fn messages_of_later_threads_are_unread_too() {
        let chat = Chat::open().await;
        let anna = chat.company.agent_with_slots(1).await;
        chat.assign(anna).await;
        let first = chat.thread().await;
        let (principal, conversation_id) = (VISITOR, chat.id);
        let reason = domain::text::Name::parse("enough").unwrap();
        chat.act(CloseChat { principal, conversation_id, reason, notes: None }).await.unwrap();
        chat.act(ReopenChat { principal, conversation_id }).await.unwrap();
        chat.say(VISITOR).await;
        chat.say(VISITOR).await;
        let agent = Principal::Agent { id: anna, role: Role::Agent };
        assert_eq!(chat.read(agent, first, 0).await.unwrap().1, Some(2), "those of the second thread");
        // Another agent gets the chat, and may mark what came before them.
        let bert = chat.company.agent_with_slots(1).await;
        let next = Principal::Agent { id: bert, role: Role::Agent };
        assert!(matches!(chat.read(next, first, 0).await, Err(UseCaseError::Forbidden(_))));
        chat.assign(bert).await;
        assert_eq!(chat.read(next, first, 0).await.unwrap().1, Some(2));
    }

    #[tokio::test]
    async fn only_participants_leave_marks_and_strangers_learn_nothing() {
        let chat = Chat::open().await;
        let thread_id = chat.thread().await;
        let colleague = chat.company.agent_with_slots(1).await;
        let agent = |id, role| Principal::Agent { id, role };
        for reader in [agent(colleague, Role::Agent), agent(AgentId::new(Uuid::from_u128(9)), Role::Supervisor)] {
            let refused = chat.read(reader, thread_id, 0).await;
            assert!(matches!(refused, Err(UseCaseError::Forbidden(_))), "{reader:?}: {refused:?}");
        }
        let stranger = Principal::Visitor { id: VisitorId::new(Uuid::from_u128(4)) };
        for reader in [stranger, agent(AgentId::new(Uuid::from_u128(9)), Role::Agent)] {
            let refused = chat.read(reader, thread_id, 0).await;
            assert!(matches!(refused, Err(UseCaseError::NotFound(_))), "{reader:?}: {refused:?}");
        }
    }
}
