//! The promise as a check for any log: a reader that sees position N sees every position below N.

use std::collections::HashMap;

use application::ports::{Position, Sequence};
use async_trait::async_trait;
use uuid::Uuid;

/// An event as a reader sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    pub position: Position,
    pub stream: Uuid,
    pub sequence: Sequence,
    pub recorded_us: i64,
    pub event_id: Uuid,
}

/// A log that can be read.
#[async_trait]
pub trait LogUnderTest: Send + Sync {
    /// What is visible after a position, in order; not necessarily all of it.
    async fn visible_after(&self, position: Position) -> Vec<Seen>;
}

/// How a log breaks the promise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Violation {
    /// A position is visible, and one below it is not.
    Hole { missing: Position, visible: Position },
    /// There are two events at one position.
    Duplicate { position: Position },
    /// The events of a stream are not numbered 1, 2, 3 …
    Sequence { position: Position, expected: Sequence, found: Sequence },
    /// An event is dated before its predecessor.
    Time { position: Position },
    /// A reader that comes later sees something else than one that was there from the beginning.
    Rewritten { position: Position },
}

/// A reader that follows a log from its beginning and checks everything.
#[derive(Default)]
pub struct Tail {
    history: Vec<Seen>,
    sequences: HashMap<Uuid, Sequence>,
}

impl Tail {
    pub fn position(&self) -> Position {
        self.history.last().map_or(0, |seen| seen.position)
    }

    pub fn history(&self) -> &[Seen] {
        &self.history
    }

    /// Reads on until nothing more is visible.
    pub async fn follow(&mut self, log: &dyn LogUnderTest) -> Result<(), Violation> {
        loop {
            let page = log.visible_after(self.position()).await;
            if page.is_empty() {
                return Ok(());
            }
            for seen in page {
                self.take(seen)?;
            }
        }
    }

    fn take(&mut self, seen: Seen) -> Result<(), Violation> {
        let position = self.position() + 1;
        if seen.position < position {
            return Err(Violation::Duplicate { position: seen.position });
        }
        if seen.position > position {
            return Err(Violation::Hole { missing: position, visible: seen.position });
        }
        let sequence = self.sequences.entry(seen.stream).or_default();
        *sequence += 1;
        if seen.sequence != *sequence {
            return Err(Violation::Sequence { position, expected: *sequence, found: seen.sequence });
        }
        if self.history.last().is_some_and(|last| last.recorded_us > seen.recorded_us) {
            return Err(Violation::Time { position });
        }
        self.history.push(seen);
        Ok(())
    }

    /// Reads everything again, and compares it with what was seen as it came.
    pub async fn look_back(&self, log: &dyn LogUnderTest) -> Result<(), Violation> {
        let mut later = Self::default();
        later.follow(log).await?;
        let differs = self.history.iter().zip(&later.history).find(|(then, now)| then != now);
        match differs {
            Some((then, _)) => Err(Violation::Rewritten { position: then.position }),
            None if later.history.len() < self.history.len() => Err(Violation::Rewritten { position: self.position() }),
            None => Ok(()),
        }
    }
}

/// A log that another process has written.
struct Written(Vec<Seen>);

#[async_trait]
impl LogUnderTest for Written {
    async fn visible_after(&self, position: Position) -> Vec<Seen> {
        self.0.iter().filter(|seen| seen.position > position).copied().collect()
    }
}

fn seen(position: Position, stream: u128, sequence: Sequence, recorded_us: i64) -> Seen {
    let event_id = Uuid::from_u128(position.unsigned_abs().into());
    Seen { position, stream: Uuid::from_u128(stream), sequence, recorded_us, event_id }
}

async fn verdict(history: &[Seen]) -> Result<(), Violation> {
    Tail::default().follow(&Written(history.to_vec())).await
}

#[tokio::test]
async fn checker_accepts_what_is_promised_and_names_what_is_not() {
    let first = [seen(1, 1, 1, 5), seen(2, 2, 1, 5)];
    let and = |next: Seen| [first.as_slice(), &[next]].concat();
    assert_eq!(verdict(&and(seen(3, 1, 2, 6))).await, Ok(()));
    assert_eq!(verdict(&and(seen(4, 1, 2, 6))).await, Err(Violation::Hole { missing: 3, visible: 4 }));
    assert_eq!(verdict(&and(seen(2, 1, 2, 6))).await, Err(Violation::Duplicate { position: 2 }));
    let sequence = Violation::Sequence { position: 3, expected: 2, found: 3 };
    assert_eq!(verdict(&and(seen(3, 1, 3, 6))).await, Err(sequence));
    assert_eq!(verdict(&and(seen(3, 1, 2, 4))).await, Err(Violation::Time { position: 3 }));
}

#[tokio::test]
async fn checker_sees_that_history_was_rewritten() {
    let history = vec![seen(1, 1, 1, 5), seen(2, 2, 1, 5)];
    let mut tail = Tail::default();
    tail.follow(&Written(history.clone())).await.unwrap();
    assert_eq!(tail.look_back(&Written(history.clone())).await, Ok(()));
    let other = Seen { event_id: Uuid::nil(), ..history[0] };
    assert_eq!(tail.look_back(&Written(vec![other])).await, Err(Violation::Rewritten { position: 1 }));
    assert_eq!(tail.look_back(&Written(vec![history[0]])).await, Err(Violation::Rewritten { position: 2 }));
}
