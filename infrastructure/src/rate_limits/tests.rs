use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use application::ports::{Ids as _, Rate, RateLimiter};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::clock::StoppedClock;
use super::*;
use crate::redis::{RedisRateLimiter, SharedCountsOptions};
use crate::system::RandomIds;
use crate::testing::{RedisProxy, redis_url};

const TEN_A_MINUTE: Rate = Rate { times: 10, window: Duration::from_secs(60) };

fn options(url: String, clock: Arc<StoppedClock>) -> SharedCountsOptions {
    let prefix = format!("{}test:{}:", SharedCountsOptions::PREFIX, RandomIds.new_uuid());
    // A busy machine is not what is tested.
    SharedCountsOptions { url, prefix, patience: Duration::from_secs(10), clock }
}

/// Makes one test of a body for each limiter: `name::memory` and `name::redis`.
macro_rules! on_each_limiter {
    ($(async fn $name:ident($limiter:ident, $clock:ident) $body:block)+) => {$(
        mod $name {
            use super::*;

            async fn body($limiter: Arc<dyn RateLimiter>, $clock: Arc<StoppedClock>) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn memory() {
                let clock = StoppedClock::new();
                body(Arc::new(MemoryRateLimiter::new(clock.clone())), clock).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn redis() {
                let Some(url) = redis_url(module_path!()) else { return };
                let clock = StoppedClock::new();
                body(Arc::new(RedisRateLimiter::new(options(url, clock.clone())).unwrap()), clock).await;
            }
        }
    )+};
}

/// The number of concurrent takes that were allowed.
async fn allowed_at_once(limiter: &Arc<dyn RateLimiter>, takes: usize) -> usize {
    let mut tasks = JoinSet::new();
    for _ in 0..takes {
        let limiter = Arc::clone(limiter);
        tasks.spawn(async move { limiter.take("a", TEN_A_MINUTE).await.allowed });
    }
    tasks.join_all().await.into_iter().filter(|allowed| *allowed).count()
}

on_each_limiter! {
    async fn answers_say_where_the_caller_stands(limiter, clock) {
        let first = limiter.take("a", TEN_A_MINUTE).await;
        assert_eq!((first.allowed, first.limit, first.remaining, first.reset_seconds), (true, 10, 9, 60));
        clock.advance(Duration::from_millis(500));
        assert_eq!(limiter.take("a", TEN_A_MINUTE).await.reset_seconds, 60);
        clock.advance(Duration::from_millis(59_400));
        let third = limiter.take("a", TEN_A_MINUTE).await;
        assert_eq!((third.remaining, third.reset_seconds), (7, 1));
    }

    async fn what_is_beyond_the_rate_is_refused_and_others_are_not(limiter, _clock) {
        for left in (0..10).rev() {
            let standing = limiter.take("a", TEN_A_MINUTE).await;
            assert_eq!((standing.allowed, standing.remaining), (true, left));
        }
        let beyond = limiter.take("a", TEN_A_MINUTE).await;
        assert_eq!((beyond.allowed, beyond.remaining), (false, 0));
        assert!(limiter.take("b", TEN_A_MINUTE).await.allowed);
    }

    async fn window_begins_with_the_first_take_and_ends(limiter, clock) {
        assert_eq!(allowed_at_once(&limiter, 15).await, 10);
        clock.advance(Duration::from_millis(59_999));
        assert!(!limiter.take("a", TEN_A_MINUTE).await.allowed);
        clock.advance(Duration::from_millis(1));
        let next = limiter.take("a", TEN_A_MINUTE).await;
        assert_eq!((next.allowed, next.remaining, next.reset_seconds), (true, 9, 60));
    }

    async fn hundred_takes_at_once_of_ten_allow_exactly_ten(limiter, clock) {
        for _ in 0..5 {
            assert_eq!(allowed_at_once(&limiter, 100).await, 10);
            clock.advance(Duration::from_secs(60));
        }
    }

    async fn what_is_given_back_is_free_again_and_nothing_more(limiter, clock) {
        limiter.give_back("a", TEN_A_MINUTE).await;
        assert_eq!(allowed_at_once(&limiter, 20).await, 10);
        limiter.give_back("a", TEN_A_MINUTE).await;
        assert_eq!(allowed_at_once(&limiter, 20).await, 1);
        limiter.take("b", TEN_A_MINUTE).await;
        limiter.give_back("b", TEN_A_MINUTE).await;
        assert_eq!(limiter.take("b", TEN_A_MINUTE).await.remaining, 9);
        clock.advance(Duration::from_secs(60));
        limiter.give_back("a", TEN_A_MINUTE).await;
        assert_eq!(allowed_at_once(&limiter, 20).await, 10);
    }
}

#[tokio::test]
async fn nodes_count_together_in_keys_that_tell_nothing_and_go_away() {
    let Some(url) = redis_url("nodes_count_together_in_keys_that_tell_nothing_and_go_away") else { return };
    let options = options(url.clone(), StoppedClock::new());
    let nodes = [RedisRateLimiter::new(options.clone()).unwrap(), RedisRateLimiter::new(options.clone()).unwrap()];
    for left in (0..10).rev() {
        let standing = nodes[left as usize % 2].take("login:vera@example.com", TEN_A_MINUTE).await;
        assert_eq!((standing.allowed, standing.remaining), (true, left));
    }
    assert!(!nodes[1].take("login:vera@example.com", TEN_A_MINUTE).await.allowed);

    let mut connection = ::redis::Client::open(url).unwrap().get_multiplexed_async_connection().await.unwrap();
    let pattern = format!("{}*", options.prefix);
    let keys: Vec<String> = ::redis::cmd("KEYS").arg(pattern).query_async(&mut connection).await.unwrap();
    assert_eq!(keys.len(), 1);
    assert!(!keys[0].contains("vera") && keys[0].len() == options.prefix.len() + 32, "{keys:?}");
    let left: i64 = ::redis::cmd("PTTL").arg(&keys[0]).query_async(&mut connection).await.unwrap();
    assert!((1..=60_000).contains(&left), "{left}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn outage_is_bridged_by_the_node_itself_and_ends_without_a_restart() {
    let Some(url) = redis_url("outage_is_bridged_by_the_node_itself_and_ends_without_a_restart") else { return };
    let proxy = RedisProxy::start(SocketAddr::from(([127, 0, 0, 1], 0)), &url).await;
    let address = proxy.address();
    let clock = StoppedClock::new();
    let limiter = RedisRateLimiter::new(options(proxy.url(), Arc::clone(&clock))).unwrap();
    for left in [9, 8, 7] {
        assert_eq!(limiter.take("a", TEN_A_MINUTE).await.remaining, left);
    }

    proxy.stop().await;
    for left in (0..10).rev() {
        let standing = limiter.take("a", TEN_A_MINUTE).await;
        assert_eq!((standing.allowed, standing.remaining), (true, left), "this node alone");
    }
    assert!(!limiter.take("a", TEN_A_MINUTE).await.allowed);

    let proxy = RedisProxy::start(address, &url).await;
    clock.advance(Duration::from_secs(2));
    assert_eq!(limiter.take("a", TEN_A_MINUTE).await.remaining, 6, "Redis has kept its count");
    proxy.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_that_is_not_there_or_does_not_answer_delays_nobody() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    for url in ["redis://127.0.0.1:1".to_owned(), format!("redis://{}", silent.local_addr().unwrap())] {
        let clock = StoppedClock::new();
        let options =
            SharedCountsOptions { patience: SharedCountsOptions::PATIENCE, ..options(url, Arc::clone(&clock)) };
        let limiter: Arc<dyn RateLimiter> = Arc::new(RedisRateLimiter::new(options).unwrap());
        let start = Instant::now();
        assert_eq!(allowed_at_once(&limiter, 100).await, 10);
        assert!(!limiter.take("a", TEN_A_MINUTE).await.allowed);
        clock.advance(Duration::from_secs(60));
        assert_eq!(allowed_at_once(&limiter, 100).await, 10);
        assert!(start.elapsed() < Duration::from_secs(2), "it took {:?}", start.elapsed());
    }
}

#[tokio::test]
async fn url_of_something_else_is_refused() {
    assert!(RedisRateLimiter::new(options("http://127.0.0.1".to_owned(), StoppedClock::new())).is_err());
}
