//! The table, in the form in which it goes into the docs.

use super::measure::{Line, TOLERATED};
use crate::plot::{Panel, Series};
use crate::report::Found;
use crate::targets::Target;

/// Milliseconds.
const P99: f64 = 50.0;

/// Both stores: many conversations, and few.
#[derive(Debug, serde::Serialize)]
pub struct Lists {
    pub conversations: [usize; 2],
    pub lines: Vec<Line>,
}

impl Lists {
    fn worst(&self, value: fn(&Line) -> Option<f64>) -> f64 {
        self.lines.iter().filter_map(value).fold(f64::NAN, f64::max)
    }
}

impl Found for Lists {
    fn print(&self) {
        println!(
            "| list | page | rows | p50 | p99 | max | at {}: page | rows | p50 | p99 | ratio of p99, with as many rows |",
            self.conversations[1]
        );
        println!("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
        for line in &self.lines {
            let [a, b] = &line.times;
            let ratio = match (line.ratio(), &line.alike) {
                (Some(ratio), Some([alike, _])) if alike.rows != a.rows => format!("{ratio:.1} ({} rows)", alike.rows),
                (Some(ratio), _) => format!("{ratio:.1}"),
                (None, _) => "–".to_owned(),
            };
            println!(
                "| {} | {} | {} | {:.1} | {:.1} | {:.1} | {} | {} | {:.1} | {:.1} | {ratio}{} |",
                line.case,
                a.page,
                a.rows,
                a.p50_ms,
                a.p99_ms,
                a.max_ms,
                b.page,
                b.rows,
                b.p50_ms,
                b.p99_ms,
                if line.tries > 1 { format!(" (best of {})", line.tries) } else { String::new() }
            );
        }
    }

    fn targets(&self) -> Vec<Target> {
        let [many, few] = self.conversations;
        let p99 = self.worst(|line| Some(line.times[0].p99_ms));
        let ratio = format!("highest ratio of p99 to that at {few}, with as many rows");
        vec![
            Target::at_most(format!("highest p99 at {many} conversations"), p99, P99, "ms"),
            Target::at_most(ratio, self.worst(Line::ratio), TOLERATED, "x"),
        ]
    }

    fn panels(&self) -> Vec<Panel> {
        let side = |side: usize| Series {
            name: format!("{} conversations", self.conversations[side]),
            values: self.lines.iter().map(|line| line.times[side].p99_ms).collect(),
        };
        vec![Panel {
            title: "Lists, p99".to_owned(),
            is_joined: false,
            across: "line of the table",
            places: (1..=self.lines.len())
                .map(|line| if line % 10 == 0 { line.to_string() } else { String::new() })
                .collect(),
            upright: "ms",
            series: vec![side(0), side(1)],
        }]
    }
}
