use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use application::ports::{Ids as _, PlaceLimit, Places};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::super::clock::StoppedClock;
use super::MemoryPlaces;
use crate::redis::{RedisPlaces, SharedCounts, SharedCountsOptions};
use crate::system::RandomIds;
use crate::testing::{RedisProxy, redis_url};

const HOUR: Duration = Duration::from_secs(3_600);
const THREE_AN_HOUR: PlaceLimit = PlaceLimit { most: 3, held_for: HOUR };

/// The places of nodes of one new installation on this Redis.
fn nodes<const N: usize>(url: &str, clock: &Arc<StoppedClock>) -> [Arc<dyn Places>; N] {
    let prefix = format!("{}test:{}:", SharedCountsOptions::PREFIX, RandomIds.new_uuid());
    std::array::from_fn(|_| -> Arc<dyn Places> {
        // A busy machine is not what is tested.
        let patience = Duration::from_secs(10);
        let clock = Arc::<StoppedClock>::clone(clock);
        let options = SharedCountsOptions { url: url.to_owned(), prefix: prefix.clone(), patience, clock };
        Arc::new(RedisPlaces::over(Arc::new(SharedCounts::new(options).unwrap())))
    })
}

/// The places of two nodes that share them, or of one node twice.
fn two(url: Option<&str>, clock: &Arc<StoppedClock>) -> [Arc<dyn Places>; 2] {
    match url {
        Some(url) => nodes(url, clock),
        None => {
            let places: Arc<dyn Places> = Arc::new(MemoryPlaces::new(Arc::<StoppedClock>::clone(clock)));
            [Arc::clone(&places), places]
        }
    }
}

fn id() -> Uuid {
    RandomIds.new_uuid()
}

fn sorted(mut ids: Vec<Uuid>) -> Vec<Uuid> {
    ids.sort_unstable();
    ids
}

/// Makes one test of a body for each store: `name::memory` and `name::redis`.
macro_rules! on_each_store {
    ($(async fn $name:ident($nodes:ident, $clock:ident) $body:block)+) => {$(
        mod $name {
            use super::*;

            async fn body($nodes: [Arc<dyn Places>; 2], $clock: Arc<StoppedClock>) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn memory() {
                let clock = StoppedClock::new();
                body(two(None, &clock), clock).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn redis() {
                let Some(url) = redis_url(module_path!()) else { return };
                let clock = StoppedClock::new();
                body(two(Some(&url), &clock), clock).await;
            }
        }
    )+};
}

on_each_store! {
    async fn of_fifty_at_once_on_both_nodes_three_get_a_place(nodes, _clock) {
        let mut tasks = JoinSet::new();
        for n in 0..50 {
            let node = Arc::clone(&nodes[n % 2]);
            tasks.spawn(async move { node.take("a", id(), THREE_AN_HOUR).await });
        }
        assert_eq!(tasks.join_all().await.into_iter().filter(|taken| *taken).count(), 3);
        assert!(nodes[0].take("b", id(), THREE_AN_HOUR).await, "another key");
    }

    async fn holder_has_one_place_however_often_it_takes_it(nodes, _clock) {
        let holder = id();
        for n in 0..6 {
            assert!(nodes[n % 2].take("a", holder, THREE_AN_HOUR).await);
        }
        assert!(nodes[1].take("a", id(), THREE_AN_HOUR).await && nodes[0].take("a", id(), THREE_AN_HOUR).await);
        assert!(!nodes[0].take("a", id(), THREE_AN_HOUR).await);
        assert!(nodes[1].take("a", holder, THREE_AN_HOUR).await, "it has one, though all are taken");
    }

    async fn place_that_is_passed_on_is_one_place(nodes, _clock) {
        let holders = [id(), id(), id(), id()];
        for holder in &holders[..3] {
            assert!(nodes[0].take("a", *holder, THREE_AN_HOUR).await);
        }
        nodes[0].pass_on("a", (holders[0], holders[3]), HOUR).await;
        assert_eq!(sorted(nodes[1].holders("a").await), sorted(holders[1..].to_vec()));
        assert!(!nodes[1].take("a", id(), THREE_AN_HOUR).await);
    }

    async fn place_is_free_when_it_is_given_back_on_any_node_or_its_time_is_over(nodes, clock) {
        let holders = [id(), id(), id()];
        for holder in &holders {
            assert!(nodes[0].take("a", *holder, THREE_AN_HOUR).await);
        }
        nodes[0].give_back("a", &holders[..2]).await;
        assert_eq!(nodes[1].holders("a").await, &holders[2..]);
        clock.advance(HOUR - Duration::from_millis(1));
        assert!(nodes[1].take("a", id(), THREE_AN_HOUR).await && nodes[1].take("a", id(), THREE_AN_HOUR).await);
        assert!(!nodes[1].take("a", id(), THREE_AN_HOUR).await);
        clock.advance(Duration::from_millis(1));
        assert!(nodes[1].take("a", id(), THREE_AN_HOUR).await, "the first one's hour is over");
        assert!(!nodes[1].take("a", id(), THREE_AN_HOUR).await);
        clock.advance(HOUR);
        assert!(nodes[0].holders("a").await.is_empty());
    }

    async fn clock_that_is_set_back_lets_nobody_hold_a_place_for_longer(nodes, clock) {
        clock.advance(HOUR * 24);
        for _ in 0..3 {
            assert!(nodes[0].take("a", id(), THREE_AN_HOUR).await);
        }
        clock.set_back(HOUR * 24);
        assert!(!nodes[0].take("a", id(), THREE_AN_HOUR).await);
        clock.advance(HOUR);
        assert!(nodes[0].take("a", id(), THREE_AN_HOUR).await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn outage_leaves_each_node_its_own_places_and_ends_without_a_restart() {
    const TEST: &str = "outage_leaves_each_node_its_own_places_and_ends_without_a_restart";
    let Some(url) = redis_url(TEST) else { return };
    let proxy = RedisProxy::start(SocketAddr::from(([127, 0, 0, 1], 0)), &url).await;
    let (address, clock) = (proxy.address(), StoppedClock::new());
    let nodes = nodes::<2>(&proxy.url(), &clock);
    let of_first = [id(), id()];
    for holder in of_first {
        assert!(nodes[0].take("a", holder, THREE_AN_HOUR).await);
    }
    assert!(nodes[1].take("a", id(), THREE_AN_HOUR).await);
    assert!(!nodes[1].take("a", id(), THREE_AN_HOUR).await, "all three, together");

    proxy.stop().await;
    assert!(nodes[0].take("a", id(), THREE_AN_HOUR).await, "the first has two of its own");
    assert!(!nodes[0].take("a", id(), THREE_AN_HOUR).await, "and now three");
    assert!(nodes[1].take("a", id(), THREE_AN_HOUR).await && nodes[1].take("a", id(), THREE_AN_HOUR).await);
    assert!(!nodes[1].take("a", id(), THREE_AN_HOUR).await);
    // Redis does not hear of it; whoever looks which places are still needed gives them back once more.
    nodes[0].give_back("a", &of_first).await;

    let proxy = RedisProxy::start(address, &url).await;
    clock.advance(Duration::from_secs(2));
    assert!(!nodes[0].take("a", id(), THREE_AN_HOUR).await, "Redis has kept its places");
    let known = nodes[0].holders("a").await;
    assert!(of_first.iter().all(|holder| known.contains(holder)), "{known:?}");
    nodes[0].give_back("a", &of_first).await;
    assert!(nodes[0].take("a", id(), THREE_AN_HOUR).await);
    proxy.stop().await;
}
