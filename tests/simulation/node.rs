//! Processes: command bus and router over the shared log, with a feed such as the program's subscription is.

use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use application::command_bus::CommandBus;
use application::ports::{Clock, EventLog, Ids, Position, StoreError};
use application::process_managers::router::{AttemptStore, FailedAttempt, Router, RoutingPart, RoutingSnapshot};
use async_trait::async_trait;
use tokio::sync::futures::Notified;
use uuid::Uuid;

use crate::clock::{Life, NodeClock};
use crate::log::{NodeLog, Shared};
use crate::mutation::Mutation;

/// What the router's projector has stored: rows and checkpoint, and which node may write them.
#[derive(Default)]
pub struct Store {
    pub snapshot: RoutingSnapshot,
    pub checkpoint: Position,
    /// Counted up when another process takes over.
    pub lease: u64,
}

impl Store {
    fn save(&mut self, parts: Vec<RoutingPart>, checkpoint: Position) {
        let snapshot = &mut self.snapshot;
        for part in parts {
            match part {
                RoutingPart::Agent(id, agent) => {
                    snapshot.agents.insert(id, agent);
                }
                RoutingPart::Group(id, group) => {
                    snapshot.groups.insert(id, group);
                }
                RoutingPart::DefaultGroup(id) => snapshot.default_group_id = Some(id),
                RoutingPart::Waiting(id, chat) => {
                    snapshot.served.remove(&id);
                    snapshot.waiting.insert(id, chat);
                }
                RoutingPart::Served(id, arrival) => {
                    snapshot.waiting.remove(&id);
                    snapshot.served.insert(id, arrival);
                }
                RoutingPart::Gone(id) => {
                    snapshot.waiting.remove(&id);
                    snapshot.served.remove(&id);
                }
            }
        }
        self.checkpoint = checkpoint;
    }
}

/// Ids that come again with the seed.
pub struct WorldIds {
    shared: Arc<Shared>,
    count: AtomicU64,
}

impl WorldIds {
    pub const fn new(shared: Arc<Shared>) -> Self {
        Self { shared, count: AtomicU64::new(0) }
    }
}

impl Ids for WorldIds {
    fn new_uuid(&self) -> Uuid {
        Uuid::from_u128(
            0x0190_0000_0000_7000_8000_0000_0000_0000 + u128::from(self.count.fetch_add(1, Ordering::Relaxed)),
        )
    }

    fn fraction(&self) -> f64 {
        self.shared.below(1 << 30) as f64 / f64::from(1 << 30)
    }
}

/// A process.
pub struct Node {
    pub number: u64,
    pub life: Life,
    pub bus: CommandBus,
    pub router: Arc<Router>,
    shared: Arc<Shared>,
    store: Arc<Mutex<Store>>,
    /// A process has one feed, which starts over after it has lost its lease.
    turn: tokio::sync::Mutex<()>,
}

impl Node {
    pub fn start(number: u64, shared: &Arc<Shared>, store: &Arc<Mutex<Store>>, ids: &Arc<WorldIds>) -> Arc<Self> {
        let life = Life::new();
        let log: Arc<dyn EventLog> = Arc::new(NodeLog { shared: Arc::clone(shared), life: life.clone(), node: number });
        let clock = |forgets| -> Arc<dyn Clock> {
            Arc::new(NodeClock { world: shared.clock.clone(), life: life.clone(), forgets })
        };
        let ids: Arc<dyn Ids> = Arc::<WorldIds>::clone(ids);
        let bus = CommandBus::new(log, clock(false), Arc::clone(&ids));
        let attempts =
            Attempts { shared: Arc::clone(shared), store: Arc::clone(store), life: life.clone(), node: number };
        let routers_clock = clock(shared.is(Mutation::ForgetRetries));
        let router = Router::new(bus.clone(), routers_clock, ids, Arc::new(attempts));
        tokio::spawn(Arc::clone(&router).run());
        let (shared, store) = (Arc::clone(shared), Arc::clone(store));
        Arc::new(Self { number, life, bus, router, shared, store, turn: tokio::sync::Mutex::new(()) })
    }

    /// Routes from now on, until it dies or another process takes over.
    pub fn lead(self: &Arc<Self>) {
        let lease = {
            let mut store = store(&self.store);
            store.lease += 1;
            store.lease
        };
        let node = Arc::clone(self);
        tokio::spawn(async move { node.feed(lease).await });
    }

    pub fn is_leader(&self, lease: u64) -> bool {
        store(&self.store).lease == lease
    }

    async fn feed(&self, lease: u64) {
        let _turn = self.turn.lock().await;
        if !self.is_leader(lease) {
            return;
        }
        let (mut snapshot, mut position) = {
            let store = store(&self.store);
            (store.snapshot.clone(), store.checkpoint)
        };
        if self.shared.is(Mutation::ForgetTheQueue) {
            snapshot.waiting.clear();
        }
        self.shared.oracle().router_starts(self.number, self.shared.clock.now());
        self.router.memory().load(snapshot);
        loop {
            self.life.check().await;
            let growth = self.shared.growth.notified();
            tokio::pin!(growth);
            // Before looking: what is added after that is heard.
            growth.as_mut().enable();
            let page = self.shared.after(position, 1 + self.shared.below(12));
            let Some(last) = page.last().map(|event| event.header.position) else {
                if !self.is_leader(lease) {
                    break;
                }
                self.wait_for_more(growth).await;
                continue;
            };
            let page = self.shared.mutation.map_or_else(|| page.clone(), |mutation| mutation.feed(page.clone()));
            let parts = self.router.memory().handle(&page).unwrap_or_default();
            self.shared.oracle().router_knows(self.number, self.shared.clock.now(), last);
            self.shared.clock.sleep_millis(self.shared.below(8) as u64).await;
            self.life.check().await;
            if !self.is_leader(lease) {
                break;
            }
            store(&self.store).save(parts, last);
            position = last;
            if !self.shared.is(Mutation::DropWakeUps) {
                self.router.memory().committed();
            }
        }
        self.router.memory().released();
        self.shared.oracle().router_ends(self.number, self.shared.clock.now());
    }

    /// A word from the log, or the next look without one.
    async fn wait_for_more(&self, growth: Pin<&mut Notified<'_>>) {
        let now = self.shared.clock.now();
        let weather = *self.shared.weather();
        if now < weather.deaf {
            self.shared.clock.sleep_millis(1_000).await;
        } else {
            tokio::select! {
                biased;
                () = growth => {}
                () = self.shared.clock.sleep_millis(1_000) => {}
            }
        }
        if now < weather.slow {
            self.shared.clock.sleep_millis(200 + self.shared.below(800) as u64).await;
        }
    }
}

struct Attempts {
    shared: Arc<Shared>,
    store: Arc<Mutex<Store>>,
    life: Life,
    node: u64,
}

#[async_trait]
impl AttemptStore for Attempts {
    async fn save_failure(&self, attempt: &FailedAttempt) -> Result<(), StoreError> {
        self.life.check().await;
        self.shared.clock.sleep_millis(self.shared.below(4) as u64).await;
        self.life.check().await;
        let mut store = store(&self.store);
        let waiting = store.snapshot.waiting.get_mut(&attempt.conversation_id);
        // As the program does: of a wait that is not stored yet, nothing is, and a restart tries it at once.
        let row = waiting.filter(|chat| chat.waiting_since == attempt.waiting_since);
        self.shared.oracle().attempt_failed(self.node, self.shared.clock.now(), attempt, row.is_some());
        if let Some(chat) = row.filter(|_| !self.shared.is(Mutation::ForgetStoredAttempts)) {
            chat.attempts = attempt.attempts;
            chat.next_attempt_at = Some(attempt.next_attempt_at);
        }
        Ok(())
    }
}

pub fn store(store: &Mutex<Store>) -> MutexGuard<'_, Store> {
    store.lock().unwrap_or_else(PoisonError::into_inner)
}
