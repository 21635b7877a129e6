//! The places of chats in their groups' queues.

use std::collections::BTreeMap;

use application::ports::Position;
use domain::ids::{EntityId, GroupId};
use infrastructure::database::{Database, DatabaseError, Row, SqlValue};
use infrastructure::sql_args;

use crate::conversations::scope_of_group;
use crate::sql::{chunks, filled_chunks};

/// Which rows stand for the queues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Queues {
    /// The conversations that wait.
    Conversations,
    /// What the router keeps.
    Router,
}

/// From the first to the last of those that are looked for, so many arrivals of a group are sorted at most; where more lie
/// between, each part is counted. Tests are satisfied with few.
const MOST_ARRIVALS: i64 = if cfg!(test) { 6 } else { 2_048 };

/// So many are counted from each end of a queue at most, the first time and the second, before all of them are. Of chats
/// that start at the same time each finds the others behind it.
const MOST_COUNTED: [i64; 2] = if cfg!(test) { [1, 4] } else { [128, 1_024] };

/// Counts who waits before a place, and from there on, each up to a bound; and tells how many wait in all.
pub(crate) const AROUND: &str = "SELECT ? AS step, \
    (SELECT COUNT(*) FROM (SELECT 1 FROM conversations WHERE group_id = ? AND queue_arrival >= 0 AND queue_arrival < ? \
     ORDER BY queue_arrival LIMIT ?) before_it) AS ahead, \
    (SELECT COUNT(*) FROM (SELECT 1 FROM conversations WHERE group_id = ? AND queue_arrival >= ? \
     ORDER BY queue_arrival LIMIT ?) from_it) AS behind, \
    (SELECT pending FROM conversation_counts WHERE scope = ?) AS waiting";

impl Queues {
    /// Counts who waits between two places: a short range of an index.
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

    /// The arrivals between two places, both included.
    pub(crate) const fn arrivals(self) -> &'static str {
        match self {
            Self::Conversations => {
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

/// Those of a group that are looked for: their arrivals, in order, and where they are in the list.
type Wanted = (GroupId, Vec<(Position, usize)>);

/// A part of a group's queue.
type Part = (GroupId, Position, Position);

/// The places, from 1, of those that wait in a group's queue since their arrival. In each group it counts those before the
/// first of them, and lets the database sort who waits from there to the last one: to prepare a count for each takes it as
/// long as some thousand rows.
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
    groups.values_mut().for_each(|queue| queue.sort_unstable());
    let groups: Vec<Wanted> = groups.into_iter().collect();
    let first: Vec<Part> =
        groups.iter().filter_map(|(group_id, queue)| Some((*group_id, 0, queue.first()?.0))).collect();
    let ahead = async {
        match queues {
            Queues::Conversations => ahead(database, &first).await,
            Queues::Router => count(database, queues, &first).await,
        }
    };
    let (ahead, behind) = tokio::try_join!(ahead, behind_first(database, queues, &groups))?;
    let mut places = vec![None; waiting.len()];
    for (((_, queue), ahead), behind) in groups.iter().zip(ahead).zip(behind) {
        for ((_, index), behind) in queue.iter().zip(behind) {
            places[*index] = Some(ahead + behind + 1);
        }
    }
    Ok(places)
}

/// How many wait before the end of each of these parts, which begin where the queue does. A queue may be long, and most who
/// are looked for are near one of its ends: there nobody else is counted.
async fn ahead(database: &Database, parts: &[Part]) -> Result<Vec<i64>, DatabaseError> {
    let mut counts = vec![None; parts.len()];
    for most in MOST_COUNTED {
        let unknown = (0_i64..).zip(parts).zip(&counts).filter(|(_, count)| count.is_none());
        let unknown: Vec<_> = unknown.map(|(part, _)| part).collect();
        for chunk in chunks(&unknown) {
            let sql = vec![AROUND; chunk.len()].join(" UNION ALL ");
            for row in database.fetch_all(&sql, around(chunk, most + 1)).await? {
                if let Some(count) = usize::try_from(row.int("step")?).ok().and_then(|step| counts.get_mut(step)) {
                    *count = near_an_end(&row, most)?;
                }
            }
        }
    }
    let inside: Vec<_> = counts.iter().zip(parts).filter(|(count, _)| count.is_none()).map(|(_, part)| *part).collect();
    let mut inside = count(database, Queues::Conversations, &inside).await?.into_iter();
    Ok(counts.into_iter().map(|count| count.or_else(|| inside.next()).unwrap_or_default()).collect())
}

fn around(parts: &[(i64, &Part)], bound: i64) -> Vec<SqlValue> {
    let args = parts.iter().flat_map(|(step, (group_id, _, at))| {
        let group = group_id.uuid();
        sql_args![*step, group, *at, bound, group, *at, bound, scope_of_group(*group_id)]
    });
    args.collect()
}

/// How many wait before a place, if no more than `most` do on one side of it.
fn near_an_end(row: &Row, most: i64) -> Result<Option<i64>, DatabaseError> {
    let (ahead, behind, waiting) = (row.int("ahead")?, row.int("behind")?, row.opt_int("waiting")?);
    let from_the_end = waiting.filter(|_| behind <= most).map(|waiting| waiting - behind);
    Ok(if ahead <= most { Some(ahead) } else { from_the_end })
}

/// How many are between the first of a group and each of the others, for each group.
async fn behind_first(database: &Database, queues: Queues, groups: &[Wanted]) -> Result<Vec<Vec<i64>>, DatabaseError> {
    let numbered: Vec<_> = groups.iter().enumerate().filter(|(_, (_, queue))| queue.len() > 1).collect();
    let mut counts: Vec<Vec<i64>> = groups.iter().map(|(_, queue)| vec![0; queue.len()]).collect();
    for chunk in chunks(&numbered) {
        let (sql, args) = sort(queues, chunk);
        for row in database.fetch_all(&sql, args).await? {
            let part = usize::try_from(row.int("part")?).ok().and_then(|part| counts.get_mut(part));
            let step = usize::try_from(row.int("step")?).ok();
            if let Some(count) = part.zip(step).and_then(|(counts, step)| counts.get_mut(step)) {
                *count = row.int("waiting")?;
            }
        }
    }
    let mut all = vec![];
    for ((group_id, queue), counts) in groups.iter().zip(counts) {
        let is_cut = counts.iter().sum::<i64>() > MOST_ARRIVALS;
        let between = counts.get(1..).unwrap_or_default();
        all.push(if is_cut { counted(database, queues, *group_id, queue).await? } else { sums(between) });
    }
    Ok(all)
}

/// Sorts, in one walk through each group's queue, who waits between which of those who are looked for: step 1 ends at the
/// second of them. Whoever is behind them all gets step 0.
fn sort(queues: Queues, groups: &[(usize, &Wanted)]) -> (String, Vec<SqlValue>) {
    let mut parts = vec![];
    let mut args = vec![];
    for (part, (group_id, queue)) in groups {
        let bounds: Vec<_> = queue.iter().skip(1).map(|(arrival, _)| *arrival).collect();
        let bounds: Vec<_> = filled_chunks(&bounds).flatten().collect();
        let cases: String = (1..=bounds.len()).map(|step| format!("WHEN arrival < ? THEN {step} ")).collect();
        parts.push(format!(
            "SELECT {part} AS part, step, COUNT(*) AS waiting \
             FROM (SELECT CASE {cases}ELSE 0 END AS step FROM ({}) a) s GROUP BY step",
            queues.arrivals()
        ));
        let (first, last) = (queue.first().map_or(0, |first| first.0), queue.last().map_or(0, |last| last.0));
        args.extend(bounds.into_iter().map(SqlValue::from));
        args.extend(sql_args![group_id.uuid(), first, last, MOST_ARRIVALS + 1]);
    }
    (parts.join(" UNION ALL "), args)
}

/// How far each is behind the first, from how many there are from each to the next.
fn sums(between: &[i64]) -> Vec<i64> {
    let sums = between.iter().scan(0, |sum, count| {
        *sum += count;
        Some(*sum)
    });
    std::iter::once(0).chain(sums).collect()
}

/// From each to the next, so that nobody is counted twice.
async fn counted(
    database: &Database,
    queues: Queues,
    group_id: GroupId,
    queue: &[(Position, usize)],
) -> Result<Vec<i64>, DatabaseError> {
    let parts: Vec<Part> = queue.windows(2).map(|pair| (group_id, pair[0].0, pair[1].0)).collect();
    Ok(sums(&count(database, queues, &parts).await?))
}

/// How many wait in each of these parts of queues.
async fn count(database: &Database, queues: Queues, parts: &[Part]) -> Result<Vec<i64>, DatabaseError> {
    let mut counts = vec![0; parts.len()];
    let numbered: Vec<_> = (0_i64..).zip(parts).collect();
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

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use infrastructure::testing::fresh_databases;

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
    async fn places_are_those_of_the_groups_queues_however_far_apart() {
        for fresh in fresh_databases().await {
            fill(&fresh.database).await;
            // Near each other, with more between them than are read, one alone, in the opposite order, none.
            let asked: [&[i64]; 6] = [&[1, 3, 5, 7], &[2, 40, 58, 60], &[33], &[60, 59, 2, 1], &[1, 2, 12, 59], &[]];
            for arrivals in asked {
                let of = |at: &i64| Some((group(u128::try_from(at % 2).unwrap()), *at));
                let waiting: Vec<_> = arrivals.iter().map(of).chain([None]).collect();
                let found = places(&fresh.database, Queues::Router, &waiting).await.unwrap();
                let expected: Vec<_> = arrivals.iter().map(|at| Some((at + 1) / 2)).chain([None]).collect();
                assert_eq!(found, expected, "{arrivals:?}");
            }
        }
    }
}
