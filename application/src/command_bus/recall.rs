use std::sync::Arc;

use domain::aggregate::Root;
use domain::ids::EntityId as _;

use crate::ports::LogEvent;

/// What `pick` makes of the first event of an `A` for which it gives anything, for [`super::UseCase::recall`].
pub fn recall<A: Root, T>(events: &[Arc<LogEvent>], pick: impl Fn(A::Id, &A::Event) -> Option<T>) -> Option<T>
where
    A::Event: 'static,
{
    events.iter().find_map(|event| pick(A::Id::from_uuid(event.header.aggregate_id), event.event.of::<A>()?))
}

/// The id of the first `A` that has one of these events, for [`super::UseCase::recall`].
#[must_use]
pub fn recall_id<A: Root>(events: &[Arc<LogEvent>]) -> Option<A::Id>
where
    A::Event: 'static,
{
    recall::<A, _>(events, |id, _| Some(id))
}
