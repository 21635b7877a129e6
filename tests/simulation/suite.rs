use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

use crate::actions::{Step, plan};
use crate::mutation::Mutation;
use crate::oracle::Failure;
use crate::world::{Outcome, live};

/// How many worlds, unless `SIMULATION_SEEDS` says otherwise.
const SEEDS: u64 = 2_000;

/// Each defect shows itself within this number of worlds.
const SEEDS_FOR_A_MUTATION: u64 = 1_000;

fn setting(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok().filter(|text| !text.is_empty())?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

/// Runs worlds on all cores until one fails; the lowest seed that did.
fn first_failure(
    seeds: std::ops::Range<u64>,
    mutation: Option<Mutation>,
    counts: impl Fn(&Failure) -> bool + Sync,
    each: impl Fn(&Outcome) + Sync,
) -> Option<u64> {
    let next = AtomicU64::new(seeds.start);
    let has_failed = AtomicBool::new(false);
    let failed = Mutex::new(None::<u64>);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while !has_failed.load(Ordering::Relaxed) {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        return;
                    }
                    let outcome = live(seed, &plan(seed), mutation, false);
                    each(&outcome);
                    if outcome.failure.is_some_and(|failure| counts(&failure)) {
                        has_failed.store(true, Ordering::Relaxed);
                        let mut failed = failed.lock().expect("no thread panics with it");
                        *failed = Some(failed.map_or(seed, |other| other.min(seed)));
                    }
                }
            });
        }
    });
    failed.into_inner().expect("no thread panics with it")
}

/// Leaves out steps as long as the world fails in the same way.
fn shrink(seed: u64, mutation: Option<Mutation>) -> Vec<Step> {
    let mut steps = plan(seed);
    let kind = |steps: &[Step]| live(seed, steps, mutation, false).failure.map(|failure| failure.kind);
    let wanted = kind(&steps);
    let mut width = steps.len() / 2;
    while width > 0 {
        let mut from = 0;
        while from < steps.len() {
            let mut fewer = steps.clone();
            fewer.drain(from..(from + width).min(steps.len()));
            if kind(&fewer) == wanted {
                steps = fewer;
            } else {
                from += width;
            }
        }
        width /= 2;
    }
    steps
}

fn report(seed: u64, mutation: Option<Mutation>) -> String {
    let steps = shrink(seed, mutation);
    let outcome = live(seed, &steps, mutation, true);
    let failure = outcome.failure.map(|failure| format!("{}: {}", failure.kind, failure.sentence));
    format!(
        "seed {seed} fails: {}\n\nwith {} of {} steps:\n{}\n\nSIMULATION_SEED={seed} cargo test --workspace --test simulation worlds",
        failure.unwrap_or_else(|| "not any more".to_owned()),
        steps.len(),
        plan(seed).len(),
        outcome.trace.join("\n"),
    )
}

#[test]
fn worlds_keep_their_rules_and_leave_nobody_waiting() {
    let (from, count) = match setting("SIMULATION_SEED") {
        Some(seed) => (seed, 1),
        None => (setting("SIMULATION_FROM").unwrap_or(0), setting("SIMULATION_SEEDS").unwrap_or(SEEDS)),
    };
    let (routed, failed, events) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    let begun = Instant::now();
    let failure = first_failure(
        from..from + count,
        None,
        |_| true,
        |outcome| {
            routed.fetch_add(outcome.routed, Ordering::Relaxed);
            failed.fetch_add(outcome.failed_attempts, Ordering::Relaxed);
            events.fetch_add(outcome.events as usize, Ordering::Relaxed);
        },
    );
    if let Some(seed) = failure {
        panic!("{}", report(seed, None));
    }
    let seconds = begun.elapsed().as_secs_f64();
    let (routed, failed, events) = (routed.into_inner(), failed.into_inner(), events.into_inner());
    println!(
        "{count} worlds in {seconds:.1} s ({:.0} a second): {events} events, {routed} chats routed, {failed} attempts failed",
        count as f64 / seconds
    );
    assert!(
        count < 100 || routed as u64 > count && failed as u64 > count / 10,
        "worlds in which nothing happens prove nothing"
    );
}

#[test]
fn seed_comes_again() {
    for seed in 0..20 {
        let again = || live(seed, &plan(seed), None, true).trace;
        assert_eq!(again(), again(), "seed {seed}");
    }
}

#[test]
fn each_mutation_is_caught() {
    let mut missed = vec![];
    for mutation in Mutation::ALL {
        match first_failure(
            0..SEEDS_FOR_A_MUTATION,
            Some(mutation),
            |failure| failure.kind == mutation.symptom(),
            |_| {},
        ) {
            Some(seed) => {
                let failure = live(seed, &plan(seed), Some(mutation), false).failure.expect("it comes again");
                println!("{mutation:?}: seed {seed}, {}", failure.kind);
            }
            None => missed.push(mutation),
        }
    }
    assert!(missed.is_empty(), "nothing shows {missed:?}");
}
