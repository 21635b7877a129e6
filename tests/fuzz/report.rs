//! What a run has shown.

use std::collections::BTreeMap;
use std::fmt;

use crate::people::Role;

/// The least share of requests that must succeed, in percent: a run that is refused everywhere finds nothing.
const LEAST_SUCCESS: usize = 40;

/// Each operation is called at least this often, in a run that is long enough.
const LEAST_CALLS: usize = 50;

/// Counts and findings.
#[derive(Debug, Default)]
pub struct Report {
    pub seed: u64,
    /// Calls and successes of each operation.
    pub operations: BTreeMap<&'static str, (usize, usize)>,
    pub roles: BTreeMap<Role, usize>,
    pub statuses: BTreeMap<u16, usize>,
    /// The codes of the refusals of each operation.
    pub refusals: BTreeMap<&'static str, BTreeMap<String, usize>>,
    /// Answers that must not be.
    pub findings: Vec<String>,
}

impl Report {
    /// Counts an answer.
    pub fn count(&mut self, operation: &'static str, role: Role, status: u16) {
        let (calls, successes) = self.operations.entry(operation).or_default();
        *calls += 1;
        *successes += usize::from((200..300).contains(&status));
        *self.roles.entry(role).or_default() += 1;
        *self.statuses.entry(status).or_default() += 1;
    }

    fn calls(&self) -> usize {
        self.operations.values().map(|(calls, _)| calls).sum()
    }

    /// How many of a hundred requests succeeded.
    fn success(&self) -> usize {
        let successes: usize = self.operations.values().map(|(_, successes)| successes).sum();
        successes * 100 / self.calls().max(1)
    }

    /// Everything that is wrong with a run that was to call these operations.
    pub fn problems(&self, operations: &[&'static str]) -> Vec<String> {
        let mut problems = self.findings.clone();
        if self.success() < LEAST_SUCCESS {
            problems.push(format!("only {} % of the requests succeeded", self.success()));
        }
        let least = LEAST_CALLS.min(self.calls() / operations.len().max(1));
        for name in operations {
            let (calls, successes) = self.operations.get(name).copied().unwrap_or_default();
            if calls < least {
                problems.push(format!("{name} was called {calls} times instead of {least}"));
            }
            if successes == 0 {
                problems.push(format!("{name} never succeeded"));
            }
        }
        let unused = Role::ALL.into_iter().filter(|role| !self.roles.contains_key(role));
        problems.extend(unused.map(|role| format!("nobody called as {role:?}")));
        problems
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, roles, statuses, .. } = self;
        writeln!(f, "seed {seed}: {} requests, {} % succeeded", self.calls(), self.success())?;
        writeln!(f, "by role {roles:?}, by status {statuses:?}")?;
        let rare = self.operations.iter().filter(|(_, (calls, successes))| successes * 5 < *calls);
        let rare = rare
            .map(|(name, (calls, successes))| format!("{name} {successes} of {calls} {:?}", self.refusals.get(name)));
        write!(f, "seldom successful: {}", rare.collect::<Vec<_>>().join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(status: u16, roles: &[Role]) -> Report {
        let mut report = Report::default();
        for _ in 0..60 {
            roles.iter().for_each(|role| report.count("one", *role, status));
        }
        report
    }

    #[test]
    fn run_that_shows_little_is_a_problem() {
        assert_eq!(of(200, &Role::ALL).problems(&["one"]), Vec::<String>::new());
        let refused = of(403, &Role::ALL).problems(&["one"]);
        assert_eq!(refused, ["only 0 % of the requests succeeded", "one never succeeded"]);
        assert_eq!(of(200, &Role::ALL[1..]).problems(&["one"]), ["nobody called as Nobody"]);
        let missing = of(200, &Role::ALL).problems(&["one", "other"]);
        assert_eq!(missing, ["other was called 0 times instead of 50", "other never succeeded"]);
    }

    #[test]
    fn finding_is_a_problem() {
        let mut report = of(200, &Role::ALL);
        report.findings.push("500".to_owned());
        assert_eq!(report.problems(&["one"]), ["500"]);
    }
}
