//! Measures the program: `cargo bench --workspace --bench livechatlog [-- --only SUITE]`.
//!
//! Without `--only` it measures everything that needs no large store: `append`, `http`, `assignment` and `footprint`.
//! `growth`, `lists` and `rebuild` fill databases for minutes first, so they are asked for by name, or with `--all`.
//!
//! On SQLite, and on the server that `TEST_MYSQL_URL` names; `--on sqlite|mysql` picks one. Everything runs on one machine:
//! load, program and database. Each suite prints tables, and keeps them as JSON and as a plot in `target/bench`.
//!
//! `--built` takes the program as it was built last; `--help` lists the other options. With `--profile dev` (before the
//! `--`) nothing is optimised: that shows whether a suite runs, and says nothing about speed.

mod append;
mod arguments;
mod assignment;
mod connection;
mod driver;
mod footprint;
mod growth;
mod http;
mod lists;
mod machine;
mod plot;
mod program;
mod rebuild;
mod report;
mod targets;
mod team;

use arguments::arguments;

struct Suite {
    name: &'static str,
    /// Whether it runs without being asked for.
    is_cheap: bool,
    run: fn(),
}

const SUITES: [Suite; 7] = [
    Suite { name: "append", is_cheap: true, run: append::run },
    Suite { name: "http", is_cheap: true, run: http::run },
    Suite { name: "assignment", is_cheap: true, run: assignment::run },
    Suite { name: "footprint", is_cheap: true, run: footprint::run },
    Suite { name: "growth", is_cheap: false, run: growth::run },
    Suite { name: "lists", is_cheap: false, run: lists::run },
    Suite { name: "rebuild", is_cheap: false, run: rebuild::run },
];

fn main() {
    let asked = arguments();
    if !asked.built {
        program::build();
    }
    let is_wanted = |suite: &&Suite| match &asked.only {
        Some(name) => suite.name == name,
        None => suite.is_cheap || asked.all,
    };
    for suite in SUITES.iter().filter(is_wanted) {
        eprintln!("{}: {}", suite.name, machine::busyness());
        (suite.run)();
    }
}
