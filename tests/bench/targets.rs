//! Targets, and what was measured.

use std::fmt;

/// A figure with a bound.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Target {
    pub what: String,
    pub measured: f64,
    pub bound: Bound,
    /// Of both figures.
    pub unit: &'static str,
    pub reached: bool,
}

/// On which side of it the figure should be.
#[derive(Clone, Copy, Debug, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

impl Target {
    pub fn at_least(what: impl Into<String>, measured: f64, bound: f64, unit: &'static str) -> Self {
        let reached = measured >= bound;
        Self { what: what.into(), measured, bound: Bound::AtLeast(bound), unit, reached }
    }

    pub fn at_most(what: impl Into<String>, measured: f64, bound: f64, unit: &'static str) -> Self {
        let reached = measured <= bound;
        Self { what: what.into(), measured, bound: Bound::AtMost(bound), unit, reached }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, measured, unit, .. } = self;
        let (sign, bound) = match self.bound {
            Bound::AtLeast(bound) => (">=", bound),
            Bound::AtMost(bound) => ("<=", bound),
        };
        let verdict = if self.reached { "reached" } else { "missed" };
        write!(f, "{what:<58} {measured:>9.2} {unit:<3} {sign} {bound:>6} {unit:<3} {verdict}")
    }
}
