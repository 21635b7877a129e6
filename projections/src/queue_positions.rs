//! The positions of chats in their groups' queues.

use std::collections::BTreeMap;

use application::ports::Position;
use domain::ids::{EntityId, GroupId};
use infrastructure::database::{Database, DatabaseError, Row, SqlValue};
use infrastructure::sql_args;

use crate::sql::{chunks, filled_chunks};

/// Which rows stand for the queues.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Queues {
    /// The conversations that wait, with the name of a group's counters.
    Conversations(fn(GroupId) -> String),
    /// What the router keeps.
    Router,
}

/// Up to where a queue is read; beyond that the database counts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PositionBounds {
    /// From the first to the last of the chats that are looked for, at most this number of arrivals of a group is sorted. Where
    /// more lie between, each part is counted.
    pub(crate) arrivals: i64,
    /// At most this number of chats is counted from each end of a queue, the first time and the second, before all of them
    /// are. Of chats that start at the same time each finds the others behind it.
    pub(crate) from_each_end: [i64; 2],
}

impl Default for PositionBounds {
    fn default() -> Self {
        Self { arrivals: 2_048, from_each_end: [128, 1_024] }
    }
}

/// Counts the chats before a place, and from there on, each up to a bound; and all that wait.
pub(crate) const AROUND: &str = "SELECT ? AS step, \
    (SELECT COUNT(*) FROM (SELECT 1 FROM conversations WHERE group_id = ? AND queue_arrival >= 0 AND queue_arrival < ? \
     ORDER BY queue_arrival LIMIT ?) before_it) AS ahead, \
    (SELECT COUNT(*) FROM (SELECT 1 FROM conversations WHERE group_id = ? AND queue_arrival >= ? \
     ORDER BY queue_arrival LIMIT ?) from_it) AS behind, \
    (SELECT pending FROM conversation_counts WHERE scope = ?) AS waiting";

#[cfg(test)]
impl PositionBounds {
    /// Bounds that a handful of chats crosses.
    pub(crate) const SMALL: Self = Self { arrivals: 6, from_each_end: [1, 4] };
}

impl Queues {
    /// Counts the chats between two places: a short range of an index.
    pub(crate) const fn between(self) -> &'static str {
        match self {
            Self::Conversations(_) => {
                "SELECT ? AS step, COUNT(*) AS waiting FROM conversations \
                 WHERE group_id = ? AND queue_arrival >= ? AND queue_arrival < ?"
            }
            Self::Router => {
                "SELECT ? AS step, COUNT(*) AS waiting FROM routing_queue \
                 WHERE group_id = ? AND arrival >= ? AND arrival < ?"
            }
        }
    }

    /// The arrivals between two places, both included.
    pub(crate) const fn arrivals(self) -> &'static str {
        match self {
            Self::Conversations(_) => {
                "SELECT queue_arrival AS arrival FROM conversations \
                 WHERE group_id = ? AND queue_arrival >= ? AND queue_arrival <= ? ORDER BY queue_arrival LIMIT ?"
            }
            Self::Router => {
                "SELECT arrival FROM routing_queue \
                 WHERE group_id = ? AND arrival >= ? AND arrival <= ? ORDER BY arrival LIMIT ?"
            }
        }
    }
}

/// A chat that is looked for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Wanted {
    arrival: Position,
    /// Where it is in the list of those that are looked for.
    index: usize,
}

/// The chats of one group that are looked for, in the order of their arrivals.
struct GroupQueue {
    group_id: GroupId,
    wanted: Vec<Wanted>,
}

impl GroupQueue {
    /// All groups of these chats, in their order.
    fn of(waiting: &[Option<(GroupId, Position)>]) -> Vec<Self> {
        let mut groups: BTreeMap<GroupId, Vec<Wanted>> = BTreeMap::new();
        for (index, chat) in waiting.iter().enumerate() {
            if let Some((group_id, arrival)) = *chat {
                groups.entry(group_id).or_default().push(Wanted { arrival, index });
            }
        }
        let sorted = |(group_id, mut wanted): (GroupId, Vec<Wanted>)| {
            wanted.sort_unstable();
            Self { group_id, wanted }
        };
        groups.into_iter().map(sorted).collect()
    }

    fn first(&self) -> Position {
        self.wanted.first().map_or(0, |first| first.arrival)
    }

    fn last(&self) -> Position {
        self.wanted.last().map_or(0, |last| last.arrival)
    }

    /// From the beginning of the queue to the first chat that is looked for.
    fn before_first(&self) -> Part {
        Part { group_id: self.group_id, from: 0, to: self.first() }
    }

    /// From each to the next.
    fn between(&self) -> Vec<Part> {
        let part = |pair: &[Wanted]| Part { group_id: self.group_id, from: pair[0].arrival, to: pair[1].arrival };
        self.wanted.windows(2).map(part).collect()
    }
}

/// A part of a group's queue: from one arrival to another, which does not belong to it.
#[derive(Clone, Copy)]
struct Part {
    group_id: GroupId,
    from: Position,
    to: Position,
}

/// Looks chats up in the queues.
pub(crate) struct QueuePositions<'a> {
    pub(crate) database: &'a Database,
    pub(crate) queues: Queues,
    pub(crate) bounds: PositionBounds,
}

impl QueuePositions<'_> {
    /// The positions, from 1, of chats that wait in a group's queue since their arrival. In each group it counts the chats
    /// before the first of them, and lets the database sort those from there to the last one: to prepare a count for each
    /// takes it as long as some thousand rows.
    pub(crate) async fn find(
        &self,
        waiting: &[Option<(GroupId, Position)>],
    ) -> Result<Vec<Option<i64>>, DatabaseError> {
        let groups = GroupQueue::of(waiting);
        let first: Vec<_> = groups.iter().map(GroupQueue::before_first).collect();
        let ahead = async {
            match self.queues {
                Queues::Conversations(scope) => self.ahead(scope, &first).await,
                Queues::Router => self.count(&first).await,
            }
        };
        let (ahead, behind) = tokio::try_join!(ahead, self.behind_first(&groups))?;
        let mut positions = vec![None; waiting.len()];
        for ((group, ahead), behind) in groups.iter().zip(ahead).zip(behind) {
            for (chat, behind) in group.wanted.iter().zip(behind) {
                positions[chat.index] = Some(ahead + behind + 1);
            }
        }
        Ok(positions)
    }

    /// How many wait before the end of each of these parts, which begin where the queue does. A queue may be long, and most
    /// chats that are looked for are near one of its ends: there nothing else is counted.
    async fn ahead(&self, scope: fn(GroupId) -> String, parts: &[Part]) -> Result<Vec<i64>, DatabaseError> {
        let mut counts = vec![None; parts.len()];
        for most in self.bounds.from_each_end {
            let unknown = (0_i64..).zip(parts).zip(&counts).filter(|(_, count)| count.is_none());
            let unknown: Vec<_> = unknown.map(|(part, _)| part).collect();
            for chunk in chunks(&unknown) {
                let sql = vec![AROUND; chunk.len()].join(" UNION ALL ");
                for row in self.database.fetch_all(&sql, around(chunk, scope, most + 1)).await? {
                    if let Some(count) = usize::try_from(row.int("step")?).ok().and_then(|step| counts.get_mut(step)) {
                        *count = near_an_end(&row, most)?;
                    }
                }
            }
        }
        let inside = counts.iter().zip(parts).filter(|(count, _)| count.is_none());
        let inside: Vec<_> = inside.map(|(_, part)| *part).collect();
        let mut inside = self.count(&inside).await?.into_iter();
        Ok(counts.into_iter().map(|count| count.or_else(|| inside.next()).unwrap_or_default()).collect())
    }

    /// How many are between the first of a group and each of the others, for each group.
    async fn behind_first(&self, groups: &[GroupQueue]) -> Result<Vec<Vec<i64>>, DatabaseError> {
        let numbered: Vec<_> = groups.iter().enumerate().filter(|(_, group)| group.wanted.len() > 1).collect();
        let mut counts: Vec<Vec<i64>> = groups.iter().map(|group| vec![0; group.wanted.len()]).collect();
        for chunk in chunks(&numbered) {
            let (sql, args) = self.sort(chunk);
            for row in self.database.fetch_all(&sql, args).await? {
                let part = usize::try_from(row.int("part")?).ok().and_then(|part| counts.get_mut(part));
                let step = usize::try_from(row.int("step")?).ok();
                if let Some(count) = part.zip(step).and_then(|(counts, step)| counts.get_mut(step)) {
                    *count = row.int("waiting")?;
                }
            }
        }
        let mut all = vec![];
        for (group, counts) in groups.iter().zip(counts) {
            let is_cut = counts.iter().sum::<i64>() > self.bounds.arrivals;
            // From each to the next, so that no chat is counted twice.
            let counted = if is_cut { Some(self.count(&group.between()).await?) } else { None };
            all.push(sums(counted.as_deref().unwrap_or_else(|| counts.get(1..).unwrap_or_default())));
        }
        Ok(all)
    }

    /// Sorts, in one walk through each group's queue, the chats between those that are looked for: step 1 ends at the second
    /// of these. Chats behind them all get step 0.
    fn sort(&self, groups: &[(usize, &GroupQueue)]) -> (String, Vec<SqlValue>) {
        let mut parts = vec![];
        let mut args = vec![];
        for (part, group) in groups {
            let bounds: Vec<_> = group.wanted.iter().skip(1).map(|chat| chat.arrival).collect();
            let bounds: Vec<_> = filled_chunks(&bounds).flatten().collect();
            let cases: String = (1..=bounds.len()).map(|step| format!("WHEN arrival < ? THEN {step} ")).collect();
            parts.push(format!(
                "SELECT {part} AS part, step, COUNT(*) AS waiting \
                 FROM (SELECT CASE {cases}ELSE 0 END AS step FROM ({}) a) s GROUP BY step",
                self.queues.arrivals()
            ));
            args.extend(bounds.into_iter().map(SqlValue::from));
            args.extend(sql_args![group.group_id.uuid(), group.first(), group.last(), self.bounds.arrivals + 1]);
        }
        (parts.join(" UNION ALL "), args)
    }

    /// How many wait in each of these parts of queues.
    async fn count(&self, parts: &[Part]) -> Result<Vec<i64>, DatabaseError> {
        let mut counts = vec![0; parts.len()];
        let numbered: Vec<_> = (0_i64..).zip(parts).collect();
        for chunk in chunks(&numbered) {
            let sql = vec![self.queues.between(); chunk.len()].join(" UNION ALL ");
            let args = chunk
                .iter()
                .flat_map(|(step, Part { group_id, from, to })| sql_args![*step, group_id.uuid(), *from, *to]);
            for row in self.database.fetch_all(&sql, args.collect()).await? {
                if let Some(count) = usize::try_from(row.int("step")?).ok().and_then(|step| counts.get_mut(step)) {
                    *count = row.int("waiting")?;
                }
            }
        }
        Ok(counts)
    }
}

fn around(parts: &[(i64, &Part)], scope: fn(GroupId) -> String, bound: i64) -> Vec<SqlValue> {
    let args = parts.iter().flat_map(|(step, Part { group_id, to, .. })| {
        let group = group_id.uuid();
        sql_args![*step, group, *to, bound, group, *to, bound, scope(*group_id)]
    });
    args.collect()
}

/// How many wait before a place, if no more than `most` do on one side of it.
fn near_an_end(row: &Row, most: i64) -> Result<Option<i64>, DatabaseError> {
    let (ahead, behind, waiting) = (row.int("ahead")?, row.int("behind")?, row.opt_int("waiting")?);
    let from_the_end = waiting.filter(|_| behind <= most).map(|waiting| waiting - behind);
    Ok(if ahead <= most { Some(ahead) } else { from_the_end })
}

/// How far each is behind the first, from how many there are from each to the next.
fn sums(between: &[i64]) -> Vec<i64> {
    let sums = between.iter().scan(0, |sum, count| {
        *sum += count;
        Some(*sum)
    });
    std::iter::once(0).chain(sums).collect()
}

#[cfg(test)]
mod tests {
    use infrastructure::testing::fresh_databases;
    use uuid::Uuid;

    use super::*;

    fn group(number: u128) -> GroupId {
        GroupId::from_uuid(Uuid::from_u128(number))
    }

    /// Two groups take turns: one has the even arrivals, the other the odd ones.
    async fn fill(database: &Database) {
        const COLUMNS: [&str; 6] = ["conversation_id", "group_id", "arrival", "waiting_since", "since_us", "attempts"];
        let row = |at: i64| {
            let id = Uuid::from_u128(u128::try_from(at).unwrap() + 100);
            sql_args![id, group(u128::try_from(at % 2).unwrap()).uuid(), at, at, at, 0_i64]
        };
        let mut tx = database.begin_view().await.unwrap();
        tx.insert_many("routing_queue", &COLUMNS, (1..=60).map(row).collect()).await.unwrap();
        tx.commit().await.unwrap();
    }

    #[tokio::test]
    async fn positions_are_those_of_the_groups_queues_however_far_apart() {
        for fresh in fresh_databases().await {
            fill(&fresh.database).await;
            // Near each other, with more between them than are read, one alone, in the opposite order, none.
            let asked: [&[i64]; 6] = [&[1, 3, 5, 7], &[2, 40, 58, 60], &[33], &[60, 59, 2, 1], &[1, 2, 12, 59], &[]];
            for arrivals in asked {
                let of = |at: &i64| Some((group(u128::try_from(at % 2).unwrap()), *at));
                let waiting: Vec<_> = arrivals.iter().map(of).chain([None]).collect();
                let positions =
                    QueuePositions { database: &fresh.database, queues: Queues::Router, bounds: PositionBounds::SMALL };
                let found = positions.find(&waiting).await.unwrap();
                let expected: Vec<_> = arrivals.iter().map(|at| Some((at + 1) / 2)).chain([None]).collect();
                assert_eq!(found, expected, "{arrivals:?}");
            }
        }
    }
}
