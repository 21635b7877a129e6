//! The places of chats in their groups' queues.

use std::collections::BTreeMap;

use application::ports::Position;
use domain::ids::{EntityId, GroupId};
use infrastructure::database::{Database, DatabaseError};
use infrastructure::sql_args;

use crate::sql::chunks;

/// Which rows stand for the queues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Queues {
    /// The conversations that wait.
    Conversations,
    /// What the router keeps.
    Router,
}

impl Queues {
    /// Counts who waits between two places. Constants in each branch, so that each is a short range of an index.
    pub(crate) const fn between(self) -> &'static str {
        match self {
            Self::Conversations => {
                "SELECT ? AS step, COUNT(*) AS waiting FROM conversations \
                 WHERE group_id = ? AND queue_arrival >= ? AND queue_arrival < ?"
            }
            Self::Router => {
                "SELECT ? AS step, COUNT(*) AS waiting FROM routing_queue \
                 WHERE group_id = ? AND arrival >= ? AND arrival < ?"
            }
        }
    }
}

/// The places, from 1, of those that wait in a group's queue since their arrival. In each group it counts those before the
/// first of them, and from each of them to the next, so that nobody is counted twice.
pub(crate) async fn places(
    database: &Database,
    queues: Queues,
    waiting: &[Option<(GroupId, Position)>],
) -> Result<Vec<Option<i64>>, DatabaseError> {
    let mut groups: BTreeMap<GroupId, Vec<(Position, usize)>> = BTreeMap::new();
    for (index, chat) in waiting.iter().enumerate() {
        if let Some((group_id, arrival)) = chat {
            groups.entry(*group_id).or_default().push((*arrival, index));
        }
    }
    let mut steps = vec![];
    for (group_id, queue) in &mut groups {
        queue.sort_unstable();
        let from = std::iter::once(0).chain(queue.iter().map(|(arrival, _)| *arrival));
        steps.extend(from.zip(queue.iter()).map(|(from, (to, _))| (*group_id, from, *to)));
    }
    let mut counts = count(database, queues, &steps).await?.into_iter();
    let mut places = vec![None; waiting.len()];
    for queue in groups.values() {
        let mut ahead = 0;
        for ((_, index), between) in queue.iter().zip(&mut counts) {
            ahead += between;
            places[*index] = Some(ahead + 1);
        }
    }
    Ok(places)
}

/// How many wait in each of these parts of queues.
async fn count(
    database: &Database,
    queues: Queues,
    steps: &[(GroupId, Position, Position)],
) -> Result<Vec<i64>, DatabaseError> {
    let mut counts = vec![0; steps.len()];
    let numbered: Vec<_> = (0_i64..).zip(steps).collect();
    for chunk in chunks(&numbered) {
        let sql = vec![queues.between(); chunk.len()].join(" UNION ALL ");
        let args = chunk.iter().flat_map(|(step, (group_id, from, to))| sql_args![*step, group_id.uuid(), *from, *to]);
        for row in database.fetch_all(&sql, args.collect()).await? {
            if let Some(count) = usize::try_from(row.int("step")?).ok().and_then(|step| counts.get_mut(step)) {
                *count = row.int("waiting")?;
            }
        }
    }
    Ok(counts)
}
