//! Times, as quantiles.

use std::fmt;
use std::time::Duration;

use hdrhistogram::Histogram;

/// Quantiles in milliseconds.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub struct Latency {
    pub count: u64,
    pub p50_ms: f64,
    pub p90_ms: f64,
    pub p99_ms: f64,
    pub p999_ms: f64,
    pub max_ms: f64,
}

impl Latency {
    /// What its figures are.
    pub const COLUMNS: [&str; 5] = ["p50", "p90", "p99", "p99.9", "max"];

    /// Of times in microseconds.
    pub fn of(times: &Histogram<u64>) -> Self {
        let at = |quantile: f64| times.value_at_quantile(quantile) as f64 / 1_000.0;
        let max_ms = times.max() as f64 / 1_000.0;
        Self { count: times.len(), p50_ms: at(0.5), p90_ms: at(0.9), p99_ms: at(0.99), p999_ms: at(0.999), max_ms }
    }

    /// In the order of the columns, in milliseconds.
    pub const fn figures(&self) -> [f64; 5] {
        [self.p50_ms, self.p90_ms, self.p99_ms, self.p999_ms, self.max_ms]
    }

    /// The head of a table.
    pub fn head() -> String {
        format!("{:>9}{}", "requests", Self::COLUMNS.map(|column| format!("{column:>9}")).concat())
    }
}

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>9}", self.count)?;
        f.write_str(&self.figures().map(|figure| format!("{figure:>9.2}")).concat())
    }
}

/// For times in microseconds, up to a minute, with three digits.
pub fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000, 3).expect("these bounds are valid")
}

pub fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
