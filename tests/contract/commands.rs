//! The command bus over the real log.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use application::UseCaseError;
use application::command_bus::{CommandBus, Executed, UnitOfWork, UseCase};
use application::ports::{EventLog, LogEvent, StreamId};
use domain::event::AnyEvent;
use domain::ids::{CommandId, EntityId as _, TagId};
use domain::tag::{Tag, TagCommand, TagError, TagEvent};
use domain::time::Timestamp;
use futures::future::join_all;
use harness::{DEADLINE, DatabaseKind, TestDatabase, each_database, eventually};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::support::{Node, all_nodes, stream};
use crate::use_cases::{context, name, tell};

const AT: Timestamp = Timestamp::from_micros(1);

/// How often a command may be decided.
const MOST_ATTEMPTS: u32 = 5;

pub fn tag_id() -> TagId {
    TagId::from_uuid(Uuid::from_u128(1))
}

pub fn create(text: &str) -> TagCommand {
    TagCommand::Create { name: name(text), color: None, at: AT }
}

pub fn restyle(text: &str) -> TagCommand {
    TagCommand::Restyle { name: name(text), color: None, at: AT }
}

/// Sends the same command to two tags, in one append.
#[derive(Clone)]
struct Both(TagCommand);

fn second_id() -> TagId {
    TagId::from_uuid(Uuid::from_u128(2))
}

impl UseCase for Both {
    type Output = ();

    fn locks(&self) -> Vec<StreamId> {
        vec![]
    }

    async fn run(&self, work: &mut UnitOfWork) -> Result<(), UseCaseError> {
        work.execute::<Tag>(tag_id(), self.0.clone()).await?;
        work.execute::<Tag>(second_id(), self.0.clone()).await?;
        Ok(())
    }

    fn recall(&self, _events: &[Arc<LogEvent>]) -> Option<()> {
        None
    }
}

/// Refuses tags of which one is deleted and the other is not, and returns whether both are. Between its two looks somebody
/// deletes both.
#[derive(Clone)]
struct Twins {
    meanwhile: CommandBus,
    attempts: Arc<AtomicU32>,
}

impl UseCase for Twins {
    type Output = bool;

    fn locks(&self) -> Vec<StreamId> {
        vec![]
    }

    async fn run(&self, work: &mut UnitOfWork) -> Result<bool, UseCaseError> {
        let first = work.load::<Tag>(tag_id()).await?;
        if self.attempts.fetch_add(1, Ordering::SeqCst) == 0 {
            let deletion = Both(TagCommand::Delete { at: AT });
            self.meanwhile.execute(context(&self.meanwhile), deletion).await?;
        }
        let second = work.load::<Tag>(second_id()).await?;
        if first.deleted == second.deleted { Ok(first.deleted) } else { Err(UseCaseError::Tag(TagError::NotCreated)) }
    }

    fn recall(&self, _events: &[Arc<LogEvent>]) -> Option<bool> {
        None
    }
}

/// Reads a number and writes the next one. A decision on outdated state loses another writer's update.
#[derive(Clone, Default)]
struct CountUp {
    attempts: Arc<AtomicU32>,
    /// Whether it keeps others of its node away, as real use cases do.
    locks: bool,
}

impl UseCase for CountUp {
    type Output = u32;

    fn locks(&self) -> Vec<StreamId> {
        if self.locks { vec![StreamId::of::<Tag>(tag_id())] } else { vec![] }
    }

    async fn run(&self, work: &mut UnitOfWork) -> Result<u32, UseCaseError> {
        self.attempts.fetch_add(1, Ordering::SeqCst);
        let next = number(&*work.load::<Tag>(tag_id()).await?) + 1;
        // Gives the others the chance to read the same number.
        tokio::task::yield_now().await;
        work.execute::<Tag>(tag_id(), restyle(&next.to_string())).await?;
        Ok(next)
    }

    fn recall(&self, events: &[Arc<LogEvent>]) -> Option<u32> {
        match &events.first()?.event {
            AnyEvent::Tag(TagEvent::TagRestyled { name, .. }) => name.as_str().parse().ok(),
            _ => None,
        }
    }
}

/// Copies the name of one tag to another; another writer changes the first one in between.
struct CopyName {
    from: TagId,
    to: TagId,
    looked: Arc<Notify>,
    go_on: Arc<Notify>,
    attempts: Arc<AtomicU32>,
}

impl UseCase for CopyName {
    type Output = ();

    fn locks(&self) -> Vec<StreamId> {
        vec![StreamId::of::<Tag>(self.to)]
    }

    async fn run(&self, work: &mut UnitOfWork) -> Result<(), UseCaseError> {
        let seen = number(&*work.load::<Tag>(self.from).await?);
        if self.attempts.fetch_add(1, Ordering::SeqCst) == 0 {
            self.looked.notify_one();
            self.go_on.notified().await;
        }
        work.execute::<Tag>(self.to, restyle(&seen.to_string())).await?;
        Ok(())
    }

    fn recall(&self, _events: &[Arc<LogEvent>]) -> Option<()> {
        Some(())
    }
}

pub fn number(tag: &Tag) -> u32 {
    tag.name.as_ref().unwrap().as_str().parse().unwrap()
}

/// Stops before it decides, until it may go on.
struct Gated {
    reached: Arc<Notify>,
    go_on: Arc<Notify>,
}

impl UseCase for Gated {
    type Output = ();

    fn locks(&self) -> Vec<StreamId> {
        vec![]
    }

    async fn run(&self, work: &mut UnitOfWork) -> Result<(), UseCaseError> {
        self.reached.notify_one();
        self.go_on.notified().await;
        work.execute::<Tag>(tag_id(), create("late")).await.map(drop)
    }

    fn recall(&self, _events: &[Arc<LogEvent>]) -> Option<()> {
        Some(())
    }
}

/// Runs commands at once on these buses, and gives their answers sorted.
async fn count_up(buses: &[CommandBus], commands: usize, locks: bool) -> Vec<u32> {
    let runs = (0..commands).map(|n| {
        let bus = buses[n % buses.len()].clone();
        tokio::spawn(async move {
            let command = CountUp { locks, ..CountUp::default() };
            let answer = bus.execute(context(&bus), command.clone()).await;
            let attempts = command.attempts.load(Ordering::SeqCst);
            assert!(attempts <= MOST_ATTEMPTS, "{attempts} attempts");
            answer.unwrap_or_else(|error| panic!("refused after {attempts} attempts: {error:?}")).output
        })
    });
    let mut numbers: Vec<_> = join_all(runs).await.into_iter().map(Result::unwrap).collect();
    numbers.sort_unstable();
    numbers
}

each_database!(reads_as_of_a_moment_ask_no_more_where_the_log_ends);
async fn reads_as_of_a_moment_ask_no_more_where_the_log_ends(database: TestDatabase) {
    let node = Node::start(&database).await;
    let (bus, others) = (node.bus(), node.bus());
    bus.execute(context(&bus), Both(create("1"))).await.unwrap();
    others.execute(context(&others), Both(restyle("2"))).await.unwrap();
    let as_of = bus.as_of_now().await.unwrap();
    node.database.execute("ALTER TABLE log_head RENAME TO log_head_away", vec![]).await.unwrap();
    for _ in 0..2 {
        for id in [tag_id(), second_id()] {
            assert_eq!(number(&bus.read_as_of::<Tag>(id, as_of).await.unwrap()), 2);
        }
    }
    bus.read::<Tag>(tag_id()).await.unwrap_err();
    bus.as_of_now().await.unwrap_err();
}

each_database!(what_was_only_looked_at_must_stand_until_the_append);
async fn what_was_only_looked_at_must_stand_until_the_append(database: TestDatabase) {
    let node = Node::start(&database).await;
    let other = node.newcomer().await;
    let (from, to) = (tag_id(), TagId::from_uuid(Uuid::from_u128(2)));
    let bus = node.bus();
    tell::<Tag>(&bus, from, create("1")).await.unwrap();
    tell::<Tag>(&bus, to, create("0")).await.unwrap();
    let (looked, go_on, attempts) = (Arc::default(), Arc::default(), Arc::default());
    let copy =
        CopyName { from, to, looked: Arc::clone(&looked), go_on: Arc::clone(&go_on), attempts: Arc::clone(&attempts) };
    let copying = {
        let bus = bus.clone();
        tokio::spawn(async move { bus.execute(context(&bus), copy).await })
    };
    looked.notified().await;
    tell::<Tag>(&other.bus(), from, restyle("2")).await.unwrap();
    go_on.notify_one();
    copying.await.unwrap().unwrap();
    assert_eq!(number(&bus.read::<Tag>(to).await.unwrap()), 2, "it was decided again");
    assert_eq!(attempts.load(Ordering::SeqCst), 2);
}

each_database!(commands_at_the_same_time_on_one_aggregate_all_succeed_and_lose_nothing);
async fn commands_at_the_same_time_on_one_aggregate_all_succeed_and_lose_nothing(database: TestDatabase) {
    let node = Node::start(&database).await;
    let bus = node.bus();
    tell::<Tag>(&bus, tag_id(), create("0")).await.unwrap();
    for (round, locks) in [(0, true), (1, false)] {
        let numbers = count_up(std::slice::from_ref(&bus), 64, locks).await;
        assert_eq!(numbers, (round * 64 + 1..=round * 64 + 64).collect::<Vec<_>>(), "locks: {locks}");
    }
    assert_eq!(number(&node.bus().read::<Tag>(tag_id()).await.unwrap()), 128);
    node.ends_at(129).await;
}

each_database!(commands_of_several_nodes_lose_nothing);
async fn commands_of_several_nodes_lose_nothing(database: TestDatabase) {
    let nodes = all_nodes(&database).await;
    let buses: Vec<_> = nodes.iter().map(Node::bus).collect();
    tell::<Tag>(&buses[0], tag_id(), create("0")).await.unwrap();
    let mut expected = 0;
    for _ in 0..20 {
        let numbers = count_up(&buses, 2, true).await;
        assert_eq!(numbers, [expected + 1, expected + 2]);
        expected += 2;
    }
    nodes[0].ends_at(41).await;
}

each_database!(caller_who_goes_away_cancels_nothing);
async fn caller_who_goes_away_cancels_nothing(database: TestDatabase) {
    let node = Node::start(&database).await;
    let bus = node.bus();
    let (reached, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let gated = Gated { reached: Arc::clone(&reached), go_on: Arc::clone(&go_on) };
    {
        let mut executing = std::pin::pin!(bus.execute(context(&bus), gated));
        assert!(futures::poll!(&mut executing).is_pending());
        reached.notified().await;
    }
    go_on.notify_one();
    eventually(DEADLINE, "the command is carried out", async || {
        let tag = node.bus().read::<Tag>(tag_id()).await.unwrap();
        tag.name.as_ref().map(drop).ok_or("no tag")
    })
    .await;
    node.ends_at(1).await;
}

each_database!(refusals_and_silence_from_an_outdated_cache_are_looked_at_again);
async fn refusals_and_silence_from_an_outdated_cache_are_looked_at_again(database: TestDatabase) {
    let nodes = all_nodes(&database).await;
    let (here, there) = (nodes[0].bus(), nodes[nodes.len() - 1].bus());
    let execute = async |bus: &CommandBus, command| {
        tell::<Tag>(bus, tag_id(), command).await.map(|Executed { output, .. }| output)
    };
    // Here it is known that there is no tag; there it is created.
    here.peek::<Tag>(tag_id()).await.unwrap();
    assert!(execute(&there, create("VIP")).await.unwrap());
    assert!(execute(&here, restyle("Very important")).await.unwrap(), "refused from an outdated cache");
    // There nothing would change, if it were still as it was.
    assert!(execute(&there, restyle("VIP")).await.unwrap(), "silent from an outdated cache");
    // Here it can be restyled, if it were not deleted.
    assert!(execute(&there, TagCommand::Delete { at: AT }).await.unwrap());
    let refused = execute(&here, restyle("Too late")).await.unwrap_err();
    assert!(matches!(refused, UseCaseError::Tag(TagError::NotCreated)), "{refused:?}");
    assert!(here.read::<Tag>(tag_id()).await.unwrap().deleted);
    nodes[0].ends_at(4).await;
}

each_database!(read_sees_all_that_any_node_had_committed_when_it_was_asked);
async fn read_sees_all_that_any_node_had_committed_when_it_was_asked(database: TestDatabase) {
    let nodes = all_nodes(&database).await;
    let buses: Vec<_> = nodes.iter().map(Node::bus).collect();
    tell::<Tag>(&buses[0], tag_id(), create("0")).await.unwrap();
    for n in 1..=100_usize {
        let text = n.to_string();
        tell::<Tag>(&buses[n % buses.len()], tag_id(), restyle(&text)).await.unwrap();
        // More than a node remembers: what it knew of the tag before can only be read from the database.
        if n % 50 == 25 {
            for filler in 0..9 {
                nodes[0].append(1_000 * n as u128 + filler, 0, 1_000).await;
            }
        }
        let reads = join_all(buses.iter().cycle().take(8).map(|bus| bus.read::<Tag>(tag_id()))).await;
        for read in reads {
            assert_eq!(number(&read.unwrap()), u32::try_from(n).unwrap());
        }
    }
}

each_database!(what_never_was_at_the_same_time_refuses_nobody);
async fn what_never_was_at_the_same_time_refuses_nobody(database: TestDatabase) {
    let nodes = all_nodes(&database).await;
    let (here, there) = (nodes[0].bus(), nodes[nodes.len() - 1].bus());
    there.execute(context(&there), Both(create("VIP"))).await.unwrap();
    let twins = Twins { meanwhile: there.clone(), attempts: Arc::default() };
    let agreed = here.execute(context(&here), twins.clone()).await.map(|done| done.output);
    assert!(matches!(agreed, Ok(true)), "{agreed:?}");
    assert_eq!(twins.attempts.load(Ordering::SeqCst), 2);
}

/// Lets every append fail by what a trigger raises, until it is dropped.
const fn failing(kind: DatabaseKind) -> &'static str {
    match kind {
        DatabaseKind::Sqlite => {
            "CREATE TRIGGER failing BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'a fault'); END"
        }
        DatabaseKind::MySql => {
            "CREATE TRIGGER failing BEFORE INSERT ON events FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'a fault'"
        }
    }
}

async fn run(node: &Node, statement: &str) {
    let mut session = node.database.log_session().await.unwrap();
    session.run(statement).await.unwrap();
    session.close().await;
}

each_database!(command_whose_commit_failed_is_stored_once_when_it_is_sent_again);
async fn command_whose_commit_failed_is_stored_once_when_it_is_sent_again(database: TestDatabase) {
    let node = Node::start(&database).await;
    let bus = node.bus();
    tell::<Tag>(&bus, tag_id(), create("0")).await.unwrap();
    for round in 1..=10 {
        run(&node, failing(database.kind())).await;
        let id = CommandId::from_uuid(bus.new_uuid());
        let command = CountUp { locks: true, ..CountUp::default() };
        for _ in 0..3 {
            let failed = bus.execute(context(&bus).repeatable(id, [1; 32]), command.clone()).await;
            assert!(matches!(failed, Err(UseCaseError::Append(_))), "{failed:?}");
        }
        // What a trigger raises is no conflict, which would be decided again.
        assert_eq!(command.attempts.load(Ordering::SeqCst), 3);
        assert_eq!(bus.read::<Tag>(tag_id()).await.map(|tag| number(&tag)).unwrap(), round - 1);
        run(&node, "DROP TRIGGER failing").await;
        let first = bus.execute(context(&bus).repeatable(id, [1; 32]), command.clone()).await.unwrap();
        let again = bus.execute(context(&bus).repeatable(id, [1; 32]), command).await.unwrap();
        assert_eq!((first.output, first.repeated, again.output, again.repeated), (round, false, round, true));
    }
    node.ends_at(11).await;
    assert_eq!(node.log.read_stream(StreamId::of::<Tag>(tag_id()), 0).await.unwrap().len(), 11);
}

/// Counts how often its rule is asked, which refuses.
#[derive(Clone, Default)]
struct Refused(Arc<AtomicU32>);

impl UseCase for Refused {
    type Output = ();

    fn locks(&self) -> Vec<StreamId> {
        vec![]
    }

    async fn run(&self, work: &mut UnitOfWork) -> Result<(), UseCaseError> {
        self.0.fetch_add(1, Ordering::SeqCst);
        work.execute::<Tag>(tag_id(), restyle("1")).await.map(drop)
    }

    fn recall(&self, _events: &[Arc<LogEvent>]) -> Option<()> {
        None
    }
}

each_database!(rule_that_refuses_is_not_asked_again);
async fn rule_that_refuses_is_not_asked_again(database: TestDatabase) {
    let bus = Node::start(&database).await.bus();
    for attempts in 1..=3 {
        let refused = Refused::default();
        let answer = bus.execute(context(&bus), refused.clone()).await;
        assert!(matches!(answer, Err(UseCaseError::Tag(TagError::NotCreated))), "{answer:?}");
        assert_eq!(refused.0.load(Ordering::SeqCst), 1, "attempt {attempts}");
    }
}

each_database!(repeated_command_is_carried_out_once_on_whatever_node);
async fn repeated_command_is_carried_out_once_on_whatever_node(database: TestDatabase) {
    let nodes = all_nodes(&database).await;
    let buses: Vec<_> = nodes.iter().map(Node::bus).collect();
    tell::<Tag>(&buses[0], tag_id(), create("0")).await.unwrap();
    for round in 1..=10 {
        let id = CommandId::from_uuid(buses[0].new_uuid());
        let runs = (0..8).map(|n| {
            let bus = buses[n % buses.len()].clone();
            tokio::spawn(async move {
                let command = CountUp { locks: true, ..CountUp::default() };
                bus.execute(context(&bus).repeatable(id, [1; 32]), command).await.unwrap()
            })
        });
        let answers: Vec<_> = join_all(runs).await.into_iter().map(Result::unwrap).collect();
        assert!(answers.iter().all(|answer| answer.output == round), "{answers:?}");
        assert!(answers.iter().all(|answer| answer.receipt == answers[0].receipt), "{answers:?}");
        assert_eq!(answers.iter().filter(|answer| !answer.repeated).count(), 1);
        let other = buses[0].execute(context(&buses[0]).repeatable(id, [2; 32]), CountUp::default()).await;
        assert!(matches!(other, Err(UseCaseError::CommandReused)), "{other:?}");
    }
    assert_eq!(nodes[0].log.read_stream(stream(1), 0).await.unwrap().len(), 11);
    nodes[0].ends_at(11).await;
}
