//! A team and a day of its chats, created with the ordinary commands, to explore the program.

mod clock;
mod day;
mod team;
mod texts;

use application::UseCaseError;
use application::command_bus::UseCase;
use application::ports::{HashError, Principal, StoreError};
use domain::text::TextError;
use domain::time::Timestamp;

use crate::wiring::Internals;
use crate::wiring::StartError;

pub use clock::DemoClock;
pub use day::{Summary, live};
pub use team::{Member, Team, found};

/// The number of chats in the day.
pub const CHATS: usize = 200;

/// The reason why the demonstration cannot be created.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The store already holds data.
    #[error("the store is not empty: create the demonstration in a new one, such as DATA_DIR=./demo")]
    NotEmpty,
    /// The store cannot be used.
    #[error("the store cannot be used")]
    Start(#[from] StartError),
    /// A command failed.
    #[error("a command of the demonstration failed")]
    UseCase(#[from] UseCaseError),
    /// A password could not be hashed.
    #[error("a password could not be hashed")]
    Hash(#[from] HashError),
    /// A password could not be stored.
    #[error("a password could not be stored")]
    Store(#[from] StoreError),
    /// A text of the demonstration is not valid.
    #[error("a text of the demonstration is not valid")]
    Text(#[from] TextError),
}

/// 8 o'clock UTC on the day before `now`.
#[must_use]
pub fn beginning(now: Timestamp) -> Timestamp {
    Timestamp::of_day(now.day() - 1).plus(hours(8))
}

const fn hours(hours: u64) -> std::time::Duration {
    std::time::Duration::from_secs(hours * 3_600)
}

async fn execute<U: UseCase>(app: &Internals, principal: Principal, use_case: U) -> Result<U::Output, UseCaseError> {
    let context = app.bus.context(principal.actor(), app.ids.new_uuid());
    Ok(app.bus.execute(context, use_case).await?.output)
}
