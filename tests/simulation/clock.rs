//! A clock that stands still while anybody works, and then goes on to the next thing that is due.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use application::ports::Clock;
use async_trait::async_trait;
use domain::time::Timestamp;

/// The time of a world.
#[derive(Clone)]
pub struct WorldClock(Arc<Mutex<Sleepers>>);

#[derive(Default)]
struct Sleepers {
    now: Timestamp,
    count: u64,
    waiting: BTreeMap<(Timestamp, u64), Option<Waker>>,
}

impl WorldClock {
    pub fn new() -> Self {
        let now = Timestamp::from_micros(1_700_000_000_000_000);
        Self(Arc::new(Mutex::new(Sleepers { now, ..Sleepers::default() })))
    }

    pub fn now(&self) -> Timestamp {
        self.sleepers().now
    }

    pub fn sleep(&self, duration: Duration) -> Sleep {
        let mut sleepers = self.sleepers();
        sleepers.count += 1;
        let key = (sleepers.now.plus(duration), sleepers.count);
        sleepers.waiting.insert(key, None);
        Sleep { clock: self.clone(), key }
    }

    pub fn sleep_millis(&self, millis: u64) -> Sleep {
        self.sleep(Duration::from_millis(millis))
    }

    /// No task can go on: wakes the one that is due next.
    pub fn advance(&self) {
        let waker = {
            let mut sleepers = self.sleepers();
            let Some(((due, _), waker)) = sleepers.waiting.pop_first() else { return };
            sleepers.now = sleepers.now.max(due);
            waker
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn sleepers(&self) -> MutexGuard<'_, Sleepers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends when the clock has come to its time.
pub struct Sleep {
    clock: WorldClock,
    key: (Timestamp, u64),
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        match self.clock.sleepers().waiting.get_mut(&self.key) {
            Some(waker) => {
                *waker = Some(context.waker().clone());
                Poll::Pending
            }
            None => Poll::Ready(()),
        }
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.clock.sleepers().waiting.remove(&self.key);
    }
}

/// Whether a process lives: what it waits for never comes when it is dead.
#[derive(Clone)]
pub struct Life(Arc<AtomicBool>);

impl Life {
    pub fn new() -> Self {
        Self(Arc::new(AtomicBool::new(true)))
    }

    pub fn end(&self) {
        self.0.store(false, Ordering::Relaxed);
    }

    pub fn goes_on(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Never returns to the dead.
    pub async fn check(&self) {
        if !self.goes_on() {
            std::future::pending().await
        }
    }
}

/// The clock of a process.
pub struct NodeClock {
    pub world: WorldClock,
    pub life: Life,
    /// Whether short waits are forgotten until the next sweep.
    pub forgets: bool,
}

#[async_trait]
impl Clock for NodeClock {
    fn now(&self) -> Timestamp {
        self.world.now()
    }

    async fn sleep(&self, duration: Duration) {
        let duration = if self.forgets { duration.max(Duration::from_secs(15)) } else { duration };
        self.world.sleep(duration).await;
        self.life.check().await;
    }
}
