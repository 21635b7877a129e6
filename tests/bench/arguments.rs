//! What was asked for on the command line.

use std::str::FromStr;
use std::time::Duration;

use harness::{DatabaseKind, TestDatabase};

/// How long each rate is measured, unless `--seconds` says otherwise.
const SECONDS: f64 = 3.0;

/// Whether this word is there.
pub fn flag(name: &str) -> bool {
    std::env::args().any(|argument| argument == name)
}

/// What follows this word.
pub fn text(name: &str) -> Option<String> {
    std::env::args().skip_while(|argument| argument != name).nth(1)
}

/// The number that follows this word.
pub fn number<T: FromStr>(name: &str) -> Option<T> {
    text(name).map(|text| text.parse().unwrap_or_else(|_| panic!("{name} takes a number")))
}

/// How long each rate is measured.
pub fn duration() -> Duration {
    Duration::from_secs_f64(number("--seconds").unwrap_or(SECONDS))
}

/// Whether to measure on this kind of database.
pub fn is_wanted(kind: DatabaseKind) -> bool {
    text("--on").is_none_or(|name| name == kind.to_string())
}

/// The address of the MySQL server, if there is one to measure on.
pub fn mysql() -> Option<String> {
    let address = std::env::var("TEST_MYSQL_URL").ok().filter(|url| !url.is_empty());
    address.filter(|_| is_wanted(DatabaseKind::MySql))
}

/// A fresh database of each wanted kind.
pub async fn databases() -> Vec<TestDatabase> {
    let mut all = vec![];
    if is_wanted(DatabaseKind::Sqlite) {
        all.push(TestDatabase::sqlite());
    }
    if is_wanted(DatabaseKind::MySql) {
        all.extend(TestDatabase::mysql("the measurements on MySQL").await);
    }
    all
}
