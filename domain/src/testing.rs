//! Given past events, when a command arrives, then these events or this error: the form of the rules' tests.

use crate::aggregate::Root;

/// An aggregate with a past.
#[derive(Debug)]
pub struct Given<A: Root>(A);

/// The outcome of a command.
#[derive(Debug)]
pub struct Outcome<A: Root>(Result<Vec<A::Event>, A::Error>);

/// Replays these events.
pub fn given<A: Root>(events: impl IntoIterator<Item = A::Event>) -> Given<A> {
    let mut state = A::default();
    for event in events {
        state.apply(event);
    }
    Given(state)
}

impl<A: Root> Given<A> {
    /// Lets the aggregate decide on a command.
    pub fn when(self, command: A::Command) -> Outcome<A> {
        Outcome(self.0.decide(command))
    }

    /// The state after the past events.
    pub fn state(self) -> A {
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
    pub fn then(self, events: impl IntoIterator<Item = A::Event>) {
        assert_eq!(self.0, Ok(events.into_iter().collect()));
    }

    /// Asserts that the command was accepted without events.
    ///
    /// # Panics
    /// If the command gave events or an error.
    pub fn then_nothing(self) {
        self.then([]);
    }

    /// Asserts exactly this error.
    ///
    /// # Panics
    /// If the command gave events or another error.
    pub fn then_error(self, error: A::Error) {
        assert_eq!(self.0, Err(error));
    }
}
