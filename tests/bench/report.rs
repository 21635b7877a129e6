//! The table, and the same as JSON.

use std::fs;
use std::path::PathBuf;
use std::time::SystemTime;

use crate::machine::Footprint;
use crate::operations::Line;
use crate::routing::{Routing, Times};

/// All that was measured on one database.
#[derive(Debug, serde::Serialize)]
pub struct Report {
    pub name: String,
    pub durability: String,
    /// Before and after.
    pub busy: [String; 2],
    pub operations: Vec<Line>,
    pub routing: Routing,
    /// With an empty log.
    pub empty: Footprint,
    /// With what the measurements have left.
    pub used: Footprint,
    pub peak_mib: f64,
}

impl Report {
    /// Prints it and keeps it in `target/bench`.
    pub fn publish(&self) {
        self.print();
        match self.save() {
            Ok(path) => println!("\nkept in {}\n", path.display()),
            Err(error) => eprintln!("not kept: {error}"),
        }
    }

    fn print(&self) {
        println!("\n{}: {}", self.name, self.durability);
        println!("{} before, {} after\n", self.busy[0], self.busy[1]);
        println!(
            "{:<22} {:>26} {:>26} {:>26}",
            "requests per second", "1 connection", "16 connections", "64 connections"
        );
        println!("{:<22} {:>26} {:>26} {:>26}", "", "(p50 / p99 ms)", "(p50 / p99 ms)", "(p50 / p99 ms)");
        for line in &self.operations {
            print!("{:<22}", line.operation);
            for one in &line.measured {
                print!(" {:>10.0} {:>15}", one.per_second, format!("({:.2} / {:.2})", one.p50_ms, one.p99_ms));
            }
            print!(" {:>6.0} MiB", line.mib);
            let refused: u64 = line.measured.iter().map(|one| one.refused).sum();
            println!("{}", if refused > 0 { format!("   {refused} refused") } else { String::new() });
        }
        let Routing { agents, chats_per_second, chats, .. } = self.routing;
        println!("\n{chats} chats, {chats_per_second} a second, {agents} agents: p50 / p99 / max ms");
        row("start answered", self.routing.start_answered);
        row("start to served, seen", self.routing.served_in_view);
        row("start to served, log", self.routing.in_the_log);
        let of = |name: &str, found: Footprint| {
            println!("{name:<22} ready after {:.0} ms, idle {:.1} MiB", found.ready_ms, found.idle_mib);
        };
        println!();
        of("empty log", self.empty);
        of("used log", self.used);
        println!("{:<22} {:.1} MiB", "most under load", self.peak_mib);
    }

    fn save(&self) -> std::io::Result<PathBuf> {
        let program = std::env::current_exe()?;
        // target/release/deps/http-…
        let target = program.ancestors().nth(3).map(PathBuf::from).unwrap_or_default();
        let folder = target.join("bench");
        fs::create_dir_all(&folder)?;
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        let path = folder.join(format!("{}-{now}.json", self.name.to_lowercase()));
        fs::write(&path, serde_json::to_vec_pretty(self)?)?;
        Ok(path)
    }
}

fn row(name: &str, times: Times) {
    println!("{name:<22} {:>8.2} {:>8.2} {:>8.2}", times.p50, times.p99, times.max);
}
