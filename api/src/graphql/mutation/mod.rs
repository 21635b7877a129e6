//! The changes. A field translates its input, makes one call of the service and shows what it has changed.
//!
//! Each takes `idempotencyKey` where a repetition is possible, and `ifMatch` where the thing has a version. A repeated change
//! has the outcome and the position of the first one; the fields of its object show the present.

mod agents;
mod bulk;
mod chats;
mod groups;
mod sessions;
mod tags;

use async_graphql::{Context, Error, ID, MaybeUndefined, MergedObject, Result, SimpleObject};
use domain::text::TextError;

use super::errors::error_of;
use super::scope::{Admitted, Scope};
use super::types::{Agent, Conversation, Erasure, Group, Heartbeat, Position, Tag, ThreadEvent, VisitorSession};
use crate::service::{Caller, ChangeRequest, CommandContext, Done, Entrance, Executed, Fields, Refusal, UseCase};

/// The changes.
#[derive(Default, MergedObject)]
pub struct Mutation(
    agents::AgentMutations,
    groups::GroupMutations,
    tags::TagMutations,
    chats::ChatMutations,
    bulk::BulkMutations,
    sessions::SessionMutations,
);

/// What every change reports.
#[derive(Clone, Debug)]
pub(super) struct Receipt {
    position: Option<Position>,
    repeated: bool,
}

impl Receipt {
    fn of<T>(done: &Done<T>) -> Self {
        Self { position: done.position.map(Position), repeated: done.repeated }
    }
}

macro_rules! payloads {
    ($($(#[doc = $doc:literal])+ $name:ident { $field:ident: $object:ty, $about:literal })+) => {$(
        $(#[doc = $doc])+
        #[derive(Clone, Debug, SimpleObject)]
        pub struct $name {
            #[doc = $about]
            pub $field: $object,
            /// The position of the change in the log; null if nothing had to change.
            pub position: Option<Position>,
            /// Whether an earlier request with the same idempotency key made the change.
            pub repeated: bool,
        }

        impl $name {
            fn new($field: $object, Receipt { position, repeated }: Receipt) -> Self {
                Self { $field, position, repeated }
            }
        }
    )+};
}

payloads! {
    /// A change of an agent.
    AgentPayload { agent: Agent, "The agent after the change." }
    /// A change of a group.
    GroupPayload { group: Group, "The group after the change." }
    /// A change of a tag.
    TagPayload { tag: Tag, "The tag after the change." }
    /// A change of a conversation.
    ConversationPayload { conversation: Conversation, "The conversation after the change." }
    /// A message that was sent.
    MessagePayload { message: ThreadEvent, "The message." }
    /// A mark of how far the caller has read.
    ReadingPayload { progress: ReadingProgress, "How far the caller has read, as it is stored." }
    /// A chat that has begun or goes on.
    VisitorSessionPayload { session: VisitorSession, "The chat, and the visitor's token." }
    /// A heartbeat.
    HeartbeatPayload { heartbeat: Heartbeat, "The lease." }
    /// An erasure of a visitor's personal data.
    ErasurePayload { erasure: Erasure, "The result." }
}

/// How far the caller has read a thread.
#[derive(Clone, Debug, SimpleObject)]
pub struct ReadingProgress {
    /// The thread that was read.
    pub thread_id: ID,
    /// The position of the last message that the caller has seen; 0 if there is none.
    pub up_to: Position,
}

/// A change that has nothing to show.
#[derive(Clone, Debug, SimpleObject)]
pub struct DonePayload {
    /// Always true.
    pub done: bool,
}

const DONE: DonePayload = DonePayload { done: true };

/// A caller's change through one field.
struct Change<'a> {
    scope: &'a Scope,
    ctx: &'a Context<'a>,
    caller: Caller,
    /// The way in, for services that count more closely.
    entrance: Entrance,
    idempotency_key: Option<String>,
}

impl<'a> Change<'a> {
    /// Counts the field's action and admits its caller.
    async fn begin(ctx: &'a Context<'a>, idempotency_key: Option<String>) -> Result<Self> {
        let scope = Scope::of(ctx)?;
        let Admitted { caller, entrance } = scope.admit(ctx).await?;
        Ok(Self { scope, ctx, caller, entrance, idempotency_key })
    }

    fn request(&self) -> Result<ChangeRequest> {
        self.scope.change(self.ctx, &self.caller, self.idempotency_key.as_deref())
    }

    /// Runs a use case and waits until reads show it.
    async fn run<U: UseCase>(&self, use_case: U) -> Result<(U::Output, Receipt)> {
        let dispatch = &self.scope.services.dispatch;
        let done = dispatch.execute(&self.caller, &self.request()?, use_case).await.map_err(refused)?;
        let receipt = Receipt::of(&done);
        Ok((done.output, receipt))
    }

    /// Makes a change that a service makes, in the context that it is given.
    async fn carry_out<T>(
        &self,
        execute: impl AsyncFnOnce(CommandContext) -> Result<Executed<T>, Refusal>,
    ) -> Result<(T, Receipt)> {
        let (dispatch, request) = (&self.scope.services.dispatch, self.request()?);
        let executed = execute(dispatch.context(&self.caller, &request)).await.map_err(refused)?;
        let done = dispatch.settle(executed, request.wait).await;
        let receipt = Receipt::of(&done);
        Ok((done.output, receipt))
    }
}

fn refused(refusal: impl Into<Refusal>) -> Error {
    error_of(&refusal.into())
}

/// The version that the caller knows.
fn version(if_match: Option<i32>) -> Option<i64> {
    if_match.map(i64::from)
}

/// A field of an input that must have a value if it is given: null leaves the thing as it is.
fn id<T: std::str::FromStr>(fields: &mut Fields, field: &str, id: &ID) -> Option<T> {
    fields.id(field, Some(id))
}

/// A field that null or an empty text empties, and that stays as it is when absent.
fn emptiable<T>(
    fields: &mut Fields,
    (field, value): (&str, MaybeUndefined<String>),
    parse: fn(&str) -> Result<T, TextError>,
) -> Option<Option<T>> {
    let value = Option::<Option<String>>::from(value)?;
    Some(fields.optional(field, value.as_deref(), parse))
}
