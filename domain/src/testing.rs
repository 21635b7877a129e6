//! Given past events, when a command comes, then these events or this refusal: the form of the rules' tests.

use crate::aggregate::Root;

/// An aggregate with a past.
#[derive(Debug)]
pub struct Given<A: Root>(A);

/// What came of a command.
#[derive(Debug)]
pub struct Outcome<A: Root>(Result<Vec<A::Event>, A::Error>);

/// The aggregate after these events.
pub fn given<A: Root>(events: impl IntoIterator<Item = A::Event>) -> Given<A> {
    let mut state = A::default();
    for event in events {
        state.apply(event);
    }
    Given(state)
}

impl<A: Root> Given<A> {
    /// Gives it a command.
    pub fn when(self, command: A::Command) -> Outcome<A> {
        Outcome(self.0.decide(command))
    }

    /// The state itself.
    pub fn state(self) -> A {
        self.0
    }
}

impl<A: Root> Outcome<A>
where
    A::Error: PartialEq + std::fmt::Debug,
{
    /// The command made exactly these events happen.
    ///
    /// # Panics
    /// When it did not.
    pub fn then(self, events: impl IntoIterator<Item = A::Event>) {
        assert_eq!(self.0, Ok(events.into_iter().collect()));
    }

    /// The command made nothing happen, and was not refused.
    ///
    /// # Panics
    /// When it did.
    pub fn then_nothing(self) {
        self.then([]);
    }

    /// The command was refused for exactly this reason.
    ///
    /// # Panics
    /// When it was not.
    pub fn then_error(self, error: A::Error) {
        assert_eq!(self.0, Err(error));
    }
}
