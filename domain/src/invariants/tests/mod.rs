//! Each rule is broken once, and exactly that rule is reported.

mod breaches;
mod story;

use std::collections::BTreeSet;

use super::Rule;
use crate::fixtures::{THREAD, VERA};
use story::{Story, message};

fn broken(story: &Story) -> BTreeSet<Rule> {
    story.violations().into_iter().map(|violation| violation.rule).collect()
}

#[test]
fn ordinary_day_violates_nothing() {
    assert_eq!(Story::of_a_day().violations(), []);
}

#[test]
fn each_prefix_of_a_day_violates_nothing() {
    let day = Story::of_a_day();
    for appends in 0..day.len() {
        assert_eq!(day.first(appends).violations(), [], "the first {appends} appends");
    }
}

#[test]
fn each_rule_is_broken_and_exactly_that_is_reported() {
    let mut covered = BTreeSet::new();
    for breach in breaches::all() {
        assert_eq!(broken(&breach.story), BTreeSet::from([breach.rule]), "{}", breach.what);
        covered.insert(breach.rule);
    }
    assert_eq!(covered, Rule::ALL.iter().copied().collect(), "every rule has a breach");
}

#[test]
fn breach_is_reported_at_its_position() {
    let mut story = Story::of_a_day();
    let end = story.end();
    story.append([message(THREAD, VERA)]);
    let reported: Vec<_> = story.violations().iter().map(|violation| (violation.rule, violation.position)).collect();
    assert_eq!(reported, [(Rule::NothingAfterClose, end + 1)]);
}

#[test]
fn names_of_rules_differ() {
    let names: BTreeSet<_> = Rule::ALL.iter().map(|rule| rule.as_str()).collect();
    assert_eq!(names.len(), Rule::ALL.len());
}
