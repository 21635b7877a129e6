//! The real clock and random ids.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use application::ports::{Clock, Ids};
use async_trait::async_trait;
use domain::time::Timestamp;
use uuid::Uuid;

/// The clock of the machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the adapter that the rest of the program asks")]
    fn now(&self) -> Timestamp {
        chrono::Utc::now().into()
    }

    fn elapsed(&self) -> Duration {
        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        START.elapsed()
    }

    #[expect(clippy::disallowed_methods, reason = "this is the adapter that the rest of the program asks")]
    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

/// Ids from the random numbers of the operating system.
///
/// Within one process each UUID sorts after those made before it, on whatever thread they were made; when the clock
/// of the machine is set back, the ids go on from where they were.
#[derive(Clone, Copy, Debug, Default)]
pub struct RandomIds;

impl Ids for RandomIds {
    #[expect(clippy::disallowed_methods, reason = "this is the adapter that the rest of the program asks")]
    fn new_uuid(&self) -> Uuid {
        Uuid::now_v7()
    }

    fn fraction(&self) -> f64 {
        // Jitter needs no better answer when the operating system has no random numbers to give.
        getrandom::u32().map_or(0.5, |number| f64::from(number) / (f64::from(u32::MAX) + 1.0))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn ids_are_version_7_and_sort_in_the_order_they_were_made() {
        let ids: Vec<Uuid> = (0..20_000).map(|_| RandomIds.new_uuid()).collect();
        assert!(ids.is_sorted_by(|earlier, later| earlier < later));
        assert!(ids.iter().all(|id| id.get_version_num() == 7));
    }

    #[test]
    fn ids_sort_in_the_order_they_were_made_on_several_threads() {
        let made = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..2_000 {
                        let mut made = made.lock().unwrap();
                        made.push(RandomIds.new_uuid());
                    }
                });
            }
        });
        assert!(made.into_inner().unwrap().is_sorted_by(|earlier, later| earlier < later));
    }

    #[test]
    fn fractions_lie_between_zero_and_one_and_differ() {
        let fractions: Vec<f64> = (0..1_000).map(|_| RandomIds.fraction()).collect();
        assert!(fractions.iter().all(|fraction| (0.0..1.0).contains(fraction)));
        assert!(fractions.iter().map(|fraction| fraction.to_bits()).collect::<HashSet<_>>().len() > 900);
    }

    #[tokio::test]
    async fn clock_moves_on_while_it_sleeps() {
        let before = SystemClock.now();
        SystemClock.sleep(Duration::from_millis(20)).await;
        assert!(SystemClock.now().since(before) >= Duration::from_millis(20));
    }
}
