//! Whether other machines have the same time.

use std::time::Duration;

use application::ports::Clock;
use domain::time::Timestamp;

use super::{Finding, unknown};
use crate::database::{Database, DatabaseError};

/// Further apart is worth a word, and wrong.
const NOTED: Duration = Duration::from_secs(1);
const WRONG: Duration = Duration::from_secs(15);

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
