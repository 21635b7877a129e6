//! The readers of this node, and how they learn that something is there for them.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use application::chat::Parties;
use application::ports::{Hash, Position, Principal};
use domain::ids::{SessionId, VisitorId};
use domain::time::Timestamp;
use tokio::sync::Notify;
use uuid::Uuid;

use super::change::{Change, Ends, Scope};
use super::end::End;
use super::reader::Reader;

/// The most things about the moment that wait for a reader. More are dropped.
const MOST_MOMENTS: usize = 32;

/// What a thing about the moment replaces: the one before of the same kind, conversation or group, and person.
pub(super) type MomentKey = (&'static str, Uuid, Uuid);

/// No position of an event.
const NOTHING: Position = 0;

/// What a reader's right to read rests on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Credentials {
    pub(super) session: Option<SessionId>,
    pub(super) expires_at: Timestamp,
    /// The ticket, and the connection that has it.
    pub(super) ticket: Option<(Hash, Uuid)>,
    /// Whether the reader knows that the token is about to expire.
    pub(super) warned: bool,
}

/// A reader's place. The hub and the authority leave messages here; nothing is ever queued.
pub(super) struct Seat {
    pub(super) reader: Reader,
    credentials: Mutex<Credentials>,
    /// The first event that may be for the reader since the last look; [`NOTHING`] if there is none.
    pending: AtomicI64,
    verdict: OnceLock<End>,
    expiring: AtomicBool,
    /// The last renewal of the agent's lease of presence, in microseconds since 1970; 0 if there was none.
    leased_at: AtomicI64,
    moments: Mutex<Moments>,
    wake: Notify,
}

/// What is about the moment, for one reader.
#[derive(Default)]
struct Moments {
    waiting: Vec<(MomentKey, Arc<str>)>,
    /// What the reader was last shown of each queue.
    shown: Vec<(MomentKey, Arc<str>)>,
}

impl Moments {
    fn put(&mut self, key: MomentKey, frame: Arc<str>) {
        // Queues, of which there are few, are not repeated: they must not be dropped.
        let is_queue = key.0.starts_with("queue");
        self.waiting.retain(|(other, _)| *other != key);
        if is_queue || self.waiting.len() < MOST_MOMENTS {
            self.waiting.push((key, frame));
        }
    }
}

impl Seat {
    fn new(reader: Reader, credentials: Credentials) -> Self {
        Self {
            reader,
            credentials: Mutex::new(credentials),
            pending: AtomicI64::new(NOTHING),
            verdict: OnceLock::new(),
            expiring: AtomicBool::new(false),
            leased_at: AtomicI64::new(0),
            moments: Mutex::default(),
            wake: Notify::new(),
        }
    }

    /// Ends the stream. The first reason counts.
    pub(super) fn end(&self, end: End) {
        // An earlier reason stays.
        let _ = self.verdict.set(end);
        self.wake.notify_one();
    }

    pub(super) fn verdict(&self) -> Option<End> {
        self.verdict.get().copied()
    }

    pub(super) fn warn(&self) {
        self.expiring.store(true, Ordering::SeqCst);
        self.wake.notify_one();
    }

    /// Whether the token is about to expire; `true` once.
    pub(super) fn take_warning(&self) -> bool {
        self.expiring.swap(false, Ordering::SeqCst)
    }

    /// Whether the lease of presence was renewed longer ago than this.
    pub(super) fn is_lease_due(&self, now: Timestamp, after: Duration) -> bool {
        now.since(Timestamp::from_micros(self.leased_at.load(Ordering::SeqCst))) >= after
    }

    pub(super) fn note_lease(&self, now: Timestamp) {
        self.leased_at.store(now.as_micros(), Ordering::SeqCst);
    }

    pub(super) fn credentials(&self) -> MutexGuard<'_, Credentials> {
        self.credentials.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The first event that may be for the reader since the last call.
    pub(super) fn take_pending(&self) -> Option<Position> {
        let position = self.pending.swap(NOTHING, Ordering::SeqCst);
        (position != NOTHING).then_some(position)
    }

    /// Leaves a frame about the moment, which replaces an earlier one of the same key.
    pub(super) fn whisper(&self, key: MomentKey, frame: Arc<str>) {
        self.moments().put(key, frame);
        self.wake.notify_one();
    }

    /// Leaves the frames about queues that differ from those that the reader was shown before. They are all that there are.
    pub(super) fn show_queues(&self, frames: Vec<(MomentKey, Arc<str>)>) {
        let mut moments = self.moments();
        let news: Vec<_> = frames.iter().filter(|frame| !moments.shown.contains(frame)).cloned().collect();
        moments.shown = frames;
        if news.is_empty() {
            return;
        }
        news.into_iter().for_each(|(key, frame)| moments.put(key, frame));
        drop(moments);
        self.wake.notify_one();
    }

    /// The frames about the moment since the last call.
    pub(super) fn take_moments(&self) -> Vec<Arc<str>> {
        std::mem::take(&mut self.moments().waiting).into_iter().map(|(_, frame)| frame).collect()
    }

    /// Drops the frames about the moment, for a reader that has events to read. Queues wait for their turn.
    pub(super) fn drop_moments(&self) {
        let mut moments = self.moments();
        moments.waiting.retain(|((kind, ..), _)| kind.starts_with("queue"));
        if !moments.waiting.is_empty() {
            self.wake.notify_one();
        }
    }

    fn moments(&self) -> MutexGuard<'_, Moments> {
        self.moments.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a message. One that was left before the call counts.
    pub(super) async fn message(&self) {
        self.wake.notified().await;
    }

    fn mark(&self, position: Position) {
        // The first mark since the last look stays: later events are found from there.
        let marked = self.pending.compare_exchange(NOTHING, position, Ordering::SeqCst, Ordering::SeqCst);
        if marked.is_ok() {
            self.wake.notify_one();
        }
    }
}

/// All readers of this node.
#[derive(Default)]
pub(super) struct Seats(Mutex<Table>);

#[derive(Default)]
struct Table {
    last_number: u64,
    visitors: HashMap<VisitorId, Vec<(u64, Arc<Seat>)>>,
    agents: BTreeMap<u64, Arc<Seat>>,
}

/// A taken seat. Dropping it frees the seat.
pub(super) struct Place {
    seats: Arc<Seats>,
    number: u64,
    pub(super) seat: Arc<Seat>,
}

impl Seats {
    /// Takes a seat, unless the reader has too many already. The position is that of the head as the hub has published it:
    /// what comes after it is marked.
    pub(super) fn take(
        self: &Arc<Self>,
        reader: Reader,
        credentials: Credentials,
        (most, head): (usize, &AtomicI64),
    ) -> Result<(Place, Position), End> {
        let mut table = self.table();
        if table.taken_by(reader.principal) >= most {
            return Err(End::TooManyStreams);
        }
        table.last_number += 1;
        let (number, principal) = (table.last_number, reader.principal);
        let seat = Arc::new(Seat::new(reader, credentials));
        match principal {
            Principal::Visitor { id } => table.visitors.entry(id).or_default().push((number, Arc::clone(&seat))),
            Principal::Agent { .. } => drop(table.agents.insert(number, Arc::clone(&seat))),
        }
        let head = head.load(Ordering::SeqCst);
        Ok((Place { seats: Arc::clone(self), number, seat }, head))
    }

    /// Marks the seats of those for whom the changes may be, then publishes the position that they reach.
    pub(super) fn publish(&self, changes: &[Arc<Change>], end: Position, head: &AtomicI64) {
        let table = self.table();
        for change in changes {
            table.mark(change);
        }
        head.store(end, Ordering::SeqCst);
    }

    /// Does something while nobody can take a seat, if none is taken.
    pub(super) fn if_empty(&self, act: impl FnOnce()) -> bool {
        let table = self.table();
        let is_empty = table.visitors.is_empty() && table.agents.is_empty();
        if is_empty {
            act();
        }
        is_empty
    }

    /// How many seats have been taken so far.
    pub(super) fn taken(&self) -> u64 {
        self.table().last_number
    }

    /// All taken seats.
    pub(super) fn all(&self) -> Vec<Arc<Seat>> {
        let table = self.table();
        let visitors = table.visitors.values().flatten().map(|(_, seat)| Arc::clone(seat));
        visitors.chain(table.agents.values().cloned()).collect()
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn taken_by(&self, principal: Principal) -> usize {
        match principal {
            Principal::Visitor { id } => self.visitors.get(&id).map_or(0, Vec::len),
            Principal::Agent { id, .. } => self.agents.values().filter(|seat| seat.reader.is(id)).count(),
        }
    }

    fn mark(&self, change: &Change) {
        let position = change.position;
        match &change.scope {
            Scope::Nobody => {}
            Scope::Conversation { before, now, removed, .. } => {
                self.mark_visitor(now.visitor_id, position);
                let lost = before.as_ref().filter(|_| removed.is_some());
                let may = |seat: &Seat, parties: &Parties| seat.reader.may_read(parties);
                self.mark_agents(position, |seat| may(seat, now) || lost.is_some_and(|before| may(seat, before)));
            }
            Scope::Staff { visitors, .. } => {
                visitors.iter().for_each(|(id, _)| self.mark_visitor(Some(*id), position));
                self.mark_agents(position, |_| true);
            }
            Scope::Erased { .. } => self.mark_agents(position, |_| true),
        }
        match &change.ends {
            None => {}
            Some(Ends::Erased(id)) => self.mark_visitor(Some(*id), position),
            Some(Ends::Deleted(_) | Ends::Role(_) | Ends::Groups(_)) => self.mark_agents(position, |_| true),
        }
    }

    fn mark_visitor(&self, id: Option<VisitorId>, position: Position) {
        let seats = id.and_then(|id| self.visitors.get(&id)).into_iter().flatten();
        seats.for_each(|(_, seat)| seat.mark(position));
    }

    fn mark_agents(&self, position: Position, is_for: impl Fn(&Seat) -> bool) {
        self.agents.values().filter(|seat| is_for(seat)).for_each(|seat| seat.mark(position));
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut table = self.seats.table();
        match self.seat.reader.principal {
            Principal::Agent { .. } => drop(table.agents.remove(&self.number)),
            Principal::Visitor { id } => {
                let Some(seats) = table.visitors.get_mut(&id) else { return };
                seats.retain(|(number, _)| *number != self.number);
                if seats.is_empty() {
                    table.visitors.remove(&id);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queues_are_kept_where_much_happens() {
        let mut moments = Moments::default();
        let key = |kind, number| (kind, Uuid::from_u128(number), Uuid::nil());
        for number in 0..100 {
            moments.put(key("typing", number), "{}".into());
            moments.put(key("queue", number), "{}".into());
        }
        let count = |kind| moments.waiting.iter().filter(|((one, ..), _)| *one == kind).count();
        assert!(count("typing") <= MOST_MOMENTS);
        assert_eq!(count("queue"), 100);
    }
}
