//! The table.

use std::time::Duration;

use super::load::Seen;
use crate::driver::Latency;
use crate::plot::{Panel, Series};
use crate::report::Found;

/// Something that was done to every event of the log.
#[derive(Debug, serde::Serialize)]
pub struct Step {
    what: &'static str,
    events: i64,
    seconds: f64,
    /// What the command said at its end.
    outcome: Option<String>,
}

#[derive(Debug, serde::Serialize)]
pub struct Rebuild {
    pub steps: Vec<Step>,
    /// What visitors saw while the read models were rebuilt, and without that.
    pub load_meanwhile: Seen,
    pub load_without: Seen,
}

impl Step {
    pub const fn new(what: &'static str, events: i64, took: Duration) -> Self {
        Self { what, events, seconds: took.as_secs_f64(), outcome: None }
    }

    pub fn with(self, outcome: String) -> Self {
        Self { outcome: Some(outcome), ..self }
    }

    fn per_second(&self) -> f64 {
        self.events as f64 / self.seconds
    }
}

impl Found for Rebuild {
    fn print(&self) {
        let reading =
            self.steps.iter().find(|step| step.what == "log read alone").map_or(f64::NAN, |step| step.seconds);
        println!("{:<34} {:>9} {:>9} {:>12} {:>16}", "", "events", "seconds", "events/s", "times the read");
        for step in &self.steps {
            let times = step.seconds / reading;
            println!(
                "{:<34} {:>9} {:>9.1} {:>12.0} {times:>16.2}",
                step.what,
                step.events,
                step.seconds,
                step.per_second()
            );
            if let Some(outcome) = &step.outcome {
                println!("  {outcome}");
            }
        }
        println!("\n{:<34} {:>9} {:>9}{}", "load, ms from when it was due", "a second", "failed", Latency::head());
        for (what, seen) in [("alongside a replay", &self.load_meanwhile), ("without one", &self.load_without)] {
            let Seen { per_second, failed, latency } = seen;
            println!("{what:<34} {per_second:>9.0} {failed:>9}{latency}");
        }
    }

    fn panels(&self) -> Vec<Panel> {
        vec![Panel {
            title: "Rebuild".to_owned(),
            is_joined: false,
            across: "",
            places: self.steps.iter().map(|step| step.what.to_owned()).collect(),
            upright: "events/s",
            series: vec![Series {
                name: "events/s".to_owned(),
                values: self.steps.iter().map(Step::per_second).collect(),
            }],
        }]
    }
}
