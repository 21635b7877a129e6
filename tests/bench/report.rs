//! Tables, and the same as JSON and as a plot.

use std::fs;
use std::path::Path;

use harness::{DatabaseKind, TestDatabase};
use serde_json::json;

use crate::arguments::arguments;
use crate::plot::{Panel, draw};
use crate::targets::Target;
use crate::{machine, program};

/// What a suite finds on one database.
pub trait Found: serde::Serialize {
    /// Prints the table.
    fn print(&self);

    /// What was to be reached, and was or was not.
    fn targets(&self) -> Vec<Target> {
        vec![]
    }

    /// The plot.
    fn panels(&self) -> Vec<Panel>;
}

/// What was found, and under what circumstances.
#[derive(Debug, serde::Serialize)]
pub struct Part<T> {
    pub database: &'static str,
    /// What a commit means there.
    pub durability: String,
    /// How busy the machine was, before and after.
    pub busy: [String; 2],
    pub found: T,
}

impl<T> Part<T> {
    /// Measures, and looks at the circumstances.
    pub async fn measure(database: &TestDatabase, found: impl Future<Output = T>) -> Self {
        Self::at(database.kind(), database.url(), found).await
    }

    /// The same for a database at this address.
    pub async fn at(kind: DatabaseKind, url: &str, found: impl Future<Output = T>) -> Self {
        let before = machine::busyness();
        let found = found.await;
        let durability = machine::durability(kind, url).await;
        Self { database: title(kind), durability, busy: [before, machine::busyness()], found }
    }
}

/// What the kind is called in tables.
pub const fn title(kind: DatabaseKind) -> &'static str {
    match kind {
        DatabaseKind::Sqlite => "SQLite",
        DatabaseKind::MySql => "MySQL",
    }
}

/// Prints everything, and keeps it.
pub fn publish<T: Found>(suite: &str, parts: &[Part<T>]) {
    for part in parts {
        println!("\n{suite} on {}: {}", part.database, part.durability);
        println!("{}; {} before, {} after\n", machine::description(), part.busy[0], part.busy[1]);
        part.found.print();
        println!();
        for target in part.found.targets() {
            println!("{target}");
        }
    }
    let folder = match cfg!(debug_assertions) {
        true => program::folder().join("unoptimised"),
        false => program::folder(),
    };
    // What is measured on one database alone does not take the place of both.
    let name = arguments().on.map_or_else(|| suite.to_owned(), |on| format!("{suite}-{on}"));
    match save(&name, parts, &folder) {
        Ok(()) => println!("\nkept in {}/{name}.json and .svg", folder.display()),
        Err(error) => eprintln!("not kept: {error}"),
    }
}

fn save<T: Found>(name: &str, parts: &[Part<T>], folder: &Path) -> Result<(), Box<dyn std::error::Error>> {
    fs::create_dir_all(folder)?;
    let targets: Vec<_> = parts.iter().map(|part| (part.database, part.found.targets())).collect();
    let all = json!({
        "suite": name,
        "machine": machine::description(),
        "optimised": !cfg!(debug_assertions),
        "parts": parts,
        "targets": targets,
    });
    fs::write(folder.join(format!("{name}.json")), serde_json::to_vec_pretty(&all)?)?;
    let on = |part: &Part<T>| {
        let database = part.database;
        part.found.panels().into_iter().map(move |panel| panel.on(database)).collect::<Vec<_>>()
    };
    let panels: Vec<_> = parts.iter().flat_map(on).collect();
    draw(&folder.join(format!("{name}.svg")), &panels)
}
