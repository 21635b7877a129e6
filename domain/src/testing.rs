//! Given past events, when a command arrives, then these events or this error: the form of the rules' tests.

use crate::aggregate::Root;

/// An aggregate with a past.
#[derive(Debug)]
pub(crate) struct Given<A: Root>(A);

/// An event type, which names its aggregate.
pub(crate) trait EventOf: Sized {
    type Aggregate: Root<Event = Self>;
}

/// The outcome of a command.
#[derive(Debug)]
pub(crate) struct Outcome<A: Root>(Result<Vec<A::Event>, A::Error>);

/// The aggregate after these events.
pub(crate) fn given<E: EventOf, const N: usize>(events: [E; N]) -> Given<E::Aggregate> {
    let mut state = E::Aggregate::default();
    for event in events {
        cqrs_es::Aggregate::apply(&mut state, event);
    }
    Given(state)
}

/// An aggregate before its first event.
pub(crate) fn given_nothing<A: Root>() -> Given<A> {
    Given(A::default())
}

impl<A: Root> Given<A> {
    /// Lets the aggregate decide on a command.
    pub(crate) fn when(self, command: A::Command) -> Outcome<A> {
        Outcome(self.0.decide(command))
    }

    /// The state after the past events.
    pub(crate) fn state(self) -> A {
        self.0
    }
}

impl<A: Root> Outcome<A>
where
    A::Error: PartialEq + std::fmt::Debug,
{
    /// Asserts exactly these events.
    ///
    /// # Panics
    /// If the command gave another outcome.
    pub(crate) fn then(self, events: impl IntoIterator<Item = A::Event>) {
        assert_eq!(self.0, Ok(events.into_iter().collect()));
    }

    /// Asserts that the command was accepted without events.
    ///
    /// # Panics
    /// If the command gave events or an error.
    pub(crate) fn then_nothing(self) {
        self.then([]);
    }

    /// Asserts exactly this error.
    ///
    /// # Panics
    /// If the command gave events or another error.
    pub(crate) fn then_error(self, error: A::Error) {
        assert_eq!(self.0, Err(error));
    }
}
