//! Looks at what the service stands on, changes nothing, and says what to do.

mod clocks;
mod finding;
mod log;
mod mysql;
mod redis;
mod sqlite;
#[cfg(test)]
mod tests;

use application::ports::Clock;

pub use self::redis::inspect_redis;
pub use clocks::ahead_of_clock;
pub use finding::{Finding, Status};

use crate::database::{Database, DatabaseError, DatabaseOptions, Dialect};
use crate::subscription::SubscriberId;

/// How thorough to be, and what to expect.
#[derive(Clone, Copy, Debug)]
pub struct Expectations<'a> {
    /// The projectors of this program.
    pub projectors: &'a [SubscriberId],
    /// Whether to read an SQLite file as a whole.
    pub integrity: bool,
}

/// Looks at the database with this address.
pub async fn inspect_database(url: &str, expected: Expectations<'_>, clock: &dyn Clock) -> Vec<Finding> {
    if let Some(file) = Database::file(url)
        && let Some(finding) = sqlite::before_opening(&file)
    {
        return vec![finding];
    }
    let options = DatabaseOptions { pool_size: 2, ..DatabaseOptions::default() };
    let database = match Database::connect(url, options).await {
        Ok(database) => database,
        Err(error) => return vec![unreachable(url, &error)],
    };
    let mut findings = vec![];
    match database.dialect() {
        Dialect::Mysql => mysql::inspect(&database, &mut findings).await,
        Dialect::Sqlite => sqlite::inspect(&database, (url, expected.integrity), &mut findings).await,
    }
    if database.dialect() == Dialect::Mysql {
        findings.push(clocks::of_database(&database, clock).await);
    }
    log::inspect(&database, expected.projectors, clock, &mut findings).await;
    database.close().await;
    findings
}

fn unreachable(url: &str, error: &DatabaseError) -> Finding {
    if error.is_damage() {
        return sqlite::damaged(url, &with_causes(error));
    }
    let advice = match Database::file(url) {
        Some(file) => sqlite::advice_to_open(&file),
        None => "see that DATABASE_URL is right, that the server runs and lets this machine in; the rest was left out",
    };
    Finding::failed("database", with_causes(error), advice)
}

/// Of something that was looked at and did not answer.
fn unknown(subject: &'static str, error: &DatabaseError) -> Finding {
    if error.is_damage() {
        let advice = "`livechatlog check --integrity` says which tables are damaged, and what to do";
        return Finding::failed(subject, format!("the database file is damaged: {}", with_causes(error)), advice);
    }
    Finding::failed(subject, with_causes(error), "the database has to answer first")
}

/// An error with its causes in one line.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let said = cause.to_string();
        // Some errors quote their causes themselves.
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        source = cause.source();
    }
    text
}
