//! The command line.

use std::sync::LazyLock;
use std::time::Duration;

use clap::Parser;
use clap::builder::PossibleValuesParser;
use harness::{DatabaseKind, TestDatabase};

use crate::SUITES;

/// Measures the program on SQLite, and on the server that TEST_MYSQL_URL names
#[derive(Parser)]
#[command(name = "cargo bench --workspace --bench livechatlog --")]
pub struct Arguments {
    /// Measure this suite only
    #[arg(long, value_name = "SUITE", value_parser = suites())]
    pub only: Option<String>,
    /// Measure all suites, those that fill large stores first included
    #[arg(long)]
    pub all: bool,
    /// Measure on this kind of database only: sqlite or mysql
    #[arg(long, value_name = "DATABASE", value_parser = database_kind)]
    pub on: Option<DatabaseKind>,
    /// Use the program as it was built last
    #[arg(long)]
    pub built: bool,
    /// How long each rate is measured
    #[arg(long, default_value_t = 3.0)]
    pub seconds: f64,
    /// How often each contender has its turn; the median counts
    #[arg(long, default_value_t = 5)]
    pub rounds: usize,
    /// The events of the long log [default: 200000 for rebuild, 1000000 for growth]
    #[arg(long)]
    pub events: Option<u32>,
    /// The writes per second while a rebuild runs
    #[arg(long, default_value_t = 200)]
    pub writes: u32,
    /// The conversations of the large store
    #[arg(long, default_value_t = 104_000)]
    pub conversations: usize,
    /// How often each page is requested
    #[arg(long, default_value_t = 300)]
    pub requests: usize,
    /// Measure only the cases whose names contain this text
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub case: String,
    /// Cargo passes it to every bench.
    #[arg(long, hide = true)]
    bench: bool,
}

/// What was asked for. A mistake in it ends the program with a message.
pub fn arguments() -> &'static Arguments {
    static ARGUMENTS: LazyLock<Arguments> = LazyLock::new(Arguments::parse);
    &ARGUMENTS
}

fn suites() -> PossibleValuesParser {
    PossibleValuesParser::new(SUITES.iter().map(|suite| suite.name))
}

fn database_kind(name: &str) -> Result<DatabaseKind, &'static str> {
    let kinds = [DatabaseKind::Sqlite, DatabaseKind::MySql];
    kinds.into_iter().find(|kind| kind.to_string() == name).ok_or("sqlite and mysql are known")
}

/// How long each rate is measured.
pub fn duration() -> Duration {
    Duration::from_secs_f64(arguments().seconds)
}

/// Whether to measure on this kind of database.
pub fn is_wanted(kind: DatabaseKind) -> bool {
    arguments().on.is_none_or(|on| on == kind)
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
