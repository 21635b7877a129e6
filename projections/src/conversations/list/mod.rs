//! How a list is read: which ranges of which indexes, and the statement that puts them together.

mod conditions;
mod ranges;
mod statement;

use application::ports::Position;
use infrastructure::database::{Database, DatabaseError, SqlValue};

use super::time_range::{self, Between};
use super::{ConversationFilter, ConversationOrder};
use crate::search::{self, Word};
use conditions::Conditions;
use ranges::{Range, Source};
use statement::Frame;

/// A list in which more than so many entries lie ahead is compared with others by how far these reach.
const LOOK_AHEAD: u32 = if cfg!(test) { 3 } else { 63 };

/// A list that is ready to be read.
pub(super) struct List {
    frame: Frame,
    ranges: Vec<Range>,
}

impl List {
    /// Chooses the way in which the list is read after a place in it. None when nothing can be in it.
    pub(super) async fn prepare(
        database: &Database,
        filter: &ConversationFilter,
        order: ConversationOrder,
        after: Option<Position>,
    ) -> Result<Option<Self>, DatabaseError> {
        let between = time_range::positions(database, filter).await?;
        let frame = Frame { dialect: database.dialect(), order, after, between };
        let ranges = ranges::of_filter(filter, order);
        let Some(text) = &filter.search else { return Ok(Self::of(frame, ranges)) };
        let Some(words) = search::expand(database, text).await? else { return Ok(None) };
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

/// The words that must be found beside what a range is read along.
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
                _ => sought.others = sought.others.and_all(conditions::with_any(word)),
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
    /// So far from the beginning of the page.
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
    let frame = Frame { dialect, order, after: Some(2_000), between: Between::default() };
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
