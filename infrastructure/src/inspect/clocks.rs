//! Whether other machines have the same time.

use std::time::Duration;

use application::ports::Clock;
use domain::time::Timestamp;

use super::{Finding, unknown};
use crate::database::{Database, DatabaseError};

/// Further apart is worth a word, and wrong.
const NOTED: Duration = Duration::from_secs(1);
const WRONG: Duration = Duration::from_secs(15);

/// Events recorded further in the future were recorded while the clock was wrong.
const FUTURE: Duration = Duration::from_secs(300);

/// How far the last event's time is ahead of the clock, if that cannot be a difference between two machines. Times of events
/// never go back, so that until then all new events get the same time.
#[must_use]
pub fn ahead_of_clock(recorded_at: Timestamp, now: Timestamp) -> Option<Duration> {
    let ahead = recorded_at.since(now);
    (ahead > FUTURE).then_some(ahead)
}

/// Whether the log's times can be those of its events.
pub(super) fn of_log(recorded_at: Timestamp, now: Timestamp) -> Option<Finding> {
    let found = match ahead_of_clock(recorded_at, now)? {
        ahead if ahead.as_secs() >= 86_400 => {
            format!("the last event is recorded {} days in the future", ahead.as_secs() / 86_400)
        }
        ahead => format!("the last event is recorded {} s in the future", ahead.as_secs()),
    };
    let advice = "set this machine's clock (NTP); if it was ahead before, new events get that time until the clock reaches it: \
                  find events by position instead of by time, or restore a backup from before";
    Some(Finding::failed("times of the log", found, advice))
}

/// Compares the database's clock with this machine's.
pub(super) async fn of_database(database: &Database, clock: &dyn Clock) -> Finding {
    let before = clock.now();
    match now(database).await {
        Ok(theirs) => compare("clock of the database", theirs, before, clock.now()),
        Err(error) => unknown("clock of the database", &error),
    }
}

async fn now(database: &Database) -> Result<Timestamp, DatabaseError> {
    let row = database.fetch_optional(&format!("SELECT {} AS now", database.now_micros()), vec![]).await?;
    Ok(Timestamp::from_micros(row.map(|row| row.int("now")).transpose()?.unwrap_or_default()))
}

/// Compares a time that was asked for between two times here.
pub(super) fn compare(subject: &'static str, theirs: Timestamp, before: Timestamp, after: Timestamp) -> Finding {
    let distance = match (theirs < before, theirs > after) {
        (true, _) => before.as_micros() - theirs.as_micros(),
        (_, true) => theirs.as_micros() - after.as_micros(),
        _ => 0,
    };
    let distance = Duration::from_micros(distance.unsigned_abs());
    let side = if theirs < before { "behind" } else { "ahead of" };
    let found = format!("{:.1} s {side} this machine's", distance.as_secs_f64());
    let advice =
        "let NTP set the clocks of all machines: heartbeats, limits and times of events are compared across them";
    match distance {
        distance if distance >= WRONG => Finding::failed(subject, found, advice),
        distance if distance >= NOTED => Finding::warning(subject, found, advice),
        _ => Finding::ok(subject, "like this machine's"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    #[test]
    fn times_in_the_future_are_found() {
        for (seconds, ahead) in [(0, None), (1_000, None), (1_300, None), (1_301, Some(301))] {
            assert_eq!(ahead_of_clock(at(seconds), at(1_000)), ahead.map(Duration::from_secs), "{seconds}");
        }
        let finding = of_log(at(1_000 + 10 * 365 * 86_400), at(1_000)).unwrap();
        assert!(finding.found.contains("3650 days in the future"), "{finding:?}");
    }
}
