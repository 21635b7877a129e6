//! How a list of conversations is read: which ranges of which indexes, and the statement that puts them together.
//!
//! Every list is a page: the next `limit` conversations of an order (newest first, oldest first, longest waiting first) after
//! a place, of those that a filter lets through. A page must cost the same however long the list is, at its beginning and deep
//! in it. So nothing is sorted that an index has in order, and nothing is counted or skipped: a page begins where the last one
//! ended, and reads `limit + 1` rows from there. Newest and oldest first follow `created_position`, the position in the log at
//! which the conversation began, which is the last column of their indexes; longest waiting first follows
//! `waiting_position`, where the wait began.
//!
//! 1. `ranges.rs` turns the filter into **ranges**: parts of an index whose rows are in the list's order. An agent who sees
//!    two groups has three kinds of them: the chats in their own list, the chats that wait and were theirs before, and all
//!    chats of each group. Where one index serves no such filter (more than 16 groups), the whole list is one range, and its
//!    rows are sifted.
//! 2. `conditions.rs` says in SQL what places a range in an index, and what is looked up for each of its rows.
//! 3. With a search, `candidates` are different ways to the same rows: along the list, looking for the words at each step,
//!    or along the rows of one word, looking for all else. The way whose next entries reach farthest has the fewest rows to
//!    look at; `sparsest` asks for that in one statement.
//! 4. `statement.rs` puts the ranges together: of each range the first `limit + 1` keys, of these keys the first `limit + 1`,
//!    and only then the rows. Newest first, for an agent who sees one group, after position 2000, 25 a page, it reads on
//!    SQLite:
//!
//! ```text
//! SELECT c.* FROM (
//!   SELECT * FROM (SELECT x.created_position AS created_position FROM conversations x
//!                  WHERE x.listed_agent_id = ? AND x.status = ? AND x.created_position < ?
//!                  ORDER BY x.created_position DESC LIMIT ?) r0
//!   UNION
//!   SELECT * FROM (…the same for each status, each group, and the chats that wait and were the agent's before…) r1
//!   ORDER BY created_position DESC LIMIT ?) picked
//! CROSS JOIN conversations c ON c.created_position = picked.created_position
//! ORDER BY c.created_position DESC
//! ```
//!
//! `UNION` drops the conversation that two ranges hold. MySQL and MariaDB get the index of a range (`FORCE INDEX`): they
//! would otherwise look a page up by the equalities alone and walk to it from the end of the list. The join keeps its order
//! on both (`CROSS JOIN`, `STRAIGHT_JOIN`). The tests in `tests/plans.rs` read the plans of every range on each database.

mod conditions;
mod ranges;
mod statement;

use application::ports::Position;
use infrastructure::database::{Database, DatabaseError, SqlValue};

use super::time_range::{self, Between};
use super::{ConversationFilter, ConversationOrder, ListBounds};
use crate::search::{self, Word};
use conditions::Conditions;
use ranges::{Range, Source};
use statement::Frame;

/// The part of a list that is read.
pub(super) struct Wanted<'a> {
    pub(super) filter: &'a ConversationFilter,
    pub(super) order: ConversationOrder,
    /// The last entry of the page before.
    pub(super) after: Option<Position>,
}

/// A list that is ready to be read.
pub(super) struct List {
    frame: Frame,
    ranges: Vec<Range>,
}

impl List {
    /// Chooses the way in which the list is read. None when nothing can be in it.
    pub(super) async fn prepare(
        database: &Database,
        bounds: ListBounds,
        Wanted { filter, order, after }: Wanted<'_>,
    ) -> Result<Option<Self>, DatabaseError> {
        let between = time_range::positions(database, filter).await?;
        let frame = Frame { dialect: database.dialect(), order, after, between, look_ahead: bounds.look_ahead };
        let ranges = ranges::of_filter(filter, order);
        let Some(text) = &filter.search else { return Ok(Self::of(frame, ranges)) };
        let Some(words) = search::expand(database, text, bounds.words).await? else { return Ok(None) };
        let candidates = candidates(&words, filter, ranges, order);
        let ranges = match candidates.len() {
            0 | 1 => candidates.into_iter().next().unwrap_or_default(),
            _ => sparsest(database, &frame, candidates).await?,
        };
        Ok(Self::of(frame, ranges))
    }

    fn of(frame: Frame, ranges: Vec<Range>) -> Option<Self> {
        (!ranges.is_empty()).then_some(Self { frame, ranges })
    }

    /// The statement with its values; it gives one row more than `limit`, if there is one.
    pub(super) fn statement(self, limit: u32) -> (String, Vec<SqlValue>) {
        self.frame.list(&self.ranges, limit)
    }
}

/// The ways in which a search can go: along the list that the filter gives or along one of the words, looking for all
/// else at each step.
fn candidates(
    words: &[Word],
    filter: &ConversationFilter,
    of_filter: Vec<Range>,
    order: ConversationOrder,
) -> Vec<Vec<Range>> {
    if of_filter.is_empty() {
        return vec![];
    }
    let others = |but: Option<usize>| {
        let rest = words.iter().enumerate().filter(|(place, _)| Some(*place) != but);
        Sought::of(rest.map(|(_, word)| word))
    };
    let mut candidates = vec![];
    if order != ConversationOrder::LongestWaiting {
        let filter = conditions::of_filter(filter);
        let along = words.iter().enumerate().filter_map(|(place, word)| Some((place, word.alternatives()?)));
        candidates.extend(along.map(|(place, words)| along_words(words, &filter, &others(Some(place)))));
    }
    let is_everything = matches!(of_filter.as_slice(), [only] if only.conditions.is_empty());
    if !is_everything || candidates.is_empty() {
        let all = others(None);
        candidates.push(of_filter.into_iter().map(|range| all.clone().within(range)).collect());
    }
    candidates
}

/// The words that must be found in addition to what a range is read along.
#[derive(Clone)]
struct Sought {
    alone: Vec<String>,
    others: Conditions,
}

impl Sought {
    fn of<'a>(words: impl Iterator<Item = &'a Word>) -> Self {
        let mut sought = Self { alone: vec![], others: Conditions::default() };
        for word in words {
            match word.alternatives() {
                Some([only]) => sought.alone.push(only.clone()),
                Some(_) | None => sought.others = sought.others.and_all(conditions::with_any(word)),
            }
        }
        sought
    }

    fn within(self, range: Range) -> Range {
        Range { words: self.alone, sought: range.sought.clone().and_all(self.others), ..range }
    }
}

fn along_words(words: &[String], filter: &Conditions, others: &Sought) -> Vec<Range> {
    let along = |word: &String| {
        let word = Conditions::default().and("w.word = ?", vec![word.as_str().into()]);
        others.clone().within(Range { sought: filter.clone(), ..Range::new(Source::Words, word) })
    };
    words.iter().map(along).collect()
}

/// The candidate whose next entries reach farthest: it has the fewest of them to look at.
async fn sparsest(
    database: &Database,
    frame: &Frame,
    mut candidates: Vec<Vec<Range>>,
) -> Result<Vec<Range>, DatabaseError> {
    let (sql, args) = frame.reaches(&candidates);
    let mut reaches = vec![Reach::End; candidates.len()];
    for row in database.fetch_all(&sql, args).await? {
        let candidate = usize::try_from(row.int("candidate")?).unwrap_or_default();
        if let (Some(position), Some(reach)) = (row.opt_int("reach")?, reaches.get_mut(candidate)) {
            *reach = (*reach).min(Reach::To(frame.distance(position)));
        }
    }
    let farthest = (0..candidates.len()).max_by_key(|candidate| reaches[*candidate]).unwrap_or_default();
    Ok(candidates.swap_remove(farthest))
}

/// How far a number of entries of a list goes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Reach {
    /// This far from the beginning of the page.
    To(Position),
    /// There are fewer.
    End,
}

/// Every range that a list may be read from, as a statement.
#[cfg(test)]
pub(super) fn ranges_of(
    filter: &ConversationFilter,
    order: ConversationOrder,
    dialect: infrastructure::database::Dialect,
) -> Vec<(String, Vec<SqlValue>)> {
    let frame = Frame {
        dialect,
        order,
        after: Some(2_000),
        between: Between::default(),
        look_ahead: ListBounds::default().look_ahead,
    };
    let ranges = ranges::of_filter(filter, order);
    let candidates = match &filter.search {
        None => vec![ranges],
        Some(text) => {
            let words: Vec<_> = text.words().map(|word| Word::Any(vec![word.to_owned()])).collect();
            candidates(&words, filter, ranges, order)
        }
    };
    candidates.iter().flatten().map(|range| frame.one(range)).collect()
}
