//! Whatever people, agents and the router do, in whatever order: the rules hold after every step.

mod world;

use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, proptest};
use proptest::test_runner::FileFailurePersistence;
use world::World;
use world::step::{beginning, peoples_steps, steps};

fn config(cases: u32) -> ProptestConfig {
    let seeds = FileFailurePersistence::Direct(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/properties.seeds"));
    ProptestConfig { cases, failure_persistence: Some(Box::new(seeds)), ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config(384))]

    /// The router reads late and in pieces of appends, its commands come late or never, it restarts in between.
    #[test]
    fn rules_hold_and_nobody_waits_in_vain_with_a_router_in_trouble(
        mut world in beginning(),
        steps in vec(steps(), 1..80),
    ) {
        for step in steps {
            world.perform(step);
            world.check();
        }
        world.settle();
        world.check();
        world.nobody_waits_in_vain();
    }
}

proptest! {
    #![proptest_config(config(256))]

    /// The router has read everything before it decides, and its decisions are carried out at once and in order.
    #[test]
    fn router_that_is_up_to_date_is_never_refused_and_serves_at_once(
        mut world in beginning(),
        steps in vec(peoples_steps(), 1..60),
    ) {
        for step in steps {
            world.perform(step);
            world.restart_changes_no_proposal();
            world.serve_at_once();
            world.check();
            world.nobody_waits_in_vain();
        }
    }
}

#[test]
fn the_world_itself_comes_to_assignments() {
    // Guards the properties above against a world in which nothing ever happens.
    let mut world = World::new([2, 2, 2, 2], [0b1111, 0, 0]);
    for visitor in 0..8 {
        world.start(visitor, 0).expect("nobody has a chat yet");
    }
    world.settle();
    world.check();
    world.nobody_waits_in_vain();
    assert_eq!(world.count_slots(), 8);
}
