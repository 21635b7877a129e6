use application::ports::Position;
use infrastructure::database::{Dialect, SqlValue};
use infrastructure::sql_args;

use super::conditions::Conditions;
use super::{Between, Range, Source};
use crate::conversations::ConversationOrder;

/// What all ranges of a list have in common.
#[derive(Clone, Copy)]
pub(super) struct Frame {
    pub(super) dialect: Dialect,
    pub(super) order: ConversationOrder,
    pub(super) after: Option<Position>,
    pub(super) between: Between,
    /// How many entries of each candidate are compared by how far they reach.
    pub(super) look_ahead: u32,
}

impl Frame {
    /// One row more than `limit` of what the ranges hold together, if there is one.
    pub(super) fn list(&self, ranges: &[Range], limit: u32) -> (String, Vec<SqlValue>) {
        let rows = i64::from(limit) + 1;
        // What is sifted by its words is picked by the index alone, before whole rows are read.
        if let [only] = ranges
            && only.source == Source::Conversations
            && only.words.is_empty()
        {
            let (range, mut args) = self.range(only);
            args.extend(sql_args![rows]);
            return (format!("SELECT x.* {range} LIMIT ?"), args);
        }
        let column = self.order.column();
        let mut args = vec![];
        let mut parts = vec![];
        for (number, range) in ranges.iter().enumerate() {
            let key = self.key(range.source);
            let also = if column == "created_position" { "" } else { ", x.created_position AS created_position" };
            let (range, values) = self.range(range);
            args.extend(values);
            args.extend(sql_args![rows]);
            parts.push(format!("SELECT * FROM (SELECT {key} AS {column}{also} {range} LIMIT ?) r{number}"));
        }
        args.extend(sql_args![rows]);
        let (union, direction, then) = (parts.join(" UNION "), self.order.direction(), self.dialect.join_in_order());
        let sql = format!(
            "SELECT c.* FROM ({union} ORDER BY {column} {direction} LIMIT ?) picked \
             {then} conversations c ON c.created_position = picked.created_position ORDER BY c.{column} {direction}"
        );
        (sql, args)
    }

    #[cfg(test)]
    pub(super) fn one(&self, range: &Range) -> (String, Vec<SqlValue>) {
        let (sql, args) = self.range(range);
        (format!("SELECT x.* {sql} LIMIT 26"), args)
    }

    /// How far the next entries of each candidate reach, one row for each of its ranges.
    pub(super) fn reaches(&self, candidates: &[Vec<Range>]) -> (String, Vec<SqlValue>) {
        let mut args = vec![];
        let look_ahead = self.look_ahead;
        let mut selects = vec![];
        for (candidate, ranges) in candidates.iter().enumerate() {
            for range in ranges {
                let key = self.key(range.source);
                let (sql, values) = self.read(range, false);
                args.extend(values);
                selects.push(format!(
                    "SELECT {candidate} AS candidate, (SELECT {key} {sql} LIMIT 1 OFFSET {look_ahead}) AS reach"
                ));
            }
        }
        (selects.join(" UNION ALL "), args)
    }

    /// How far a position is from the beginning of the page.
    pub(super) fn distance(&self, position: Position) -> Position {
        match self.order {
            ConversationOrder::Newest => position.saturating_neg(),
            ConversationOrder::Oldest | ConversationOrder::LongestWaiting => position,
        }
    }

    fn range(&self, range: &Range) -> (String, Vec<SqlValue>) {
        self.read(range, true)
    }

    /// Without what is sought, it is only the range of the index.
    fn read(&self, range: &Range, seek: bool) -> (String, Vec<SqlValue>) {
        let key = self.key(range.source);
        let then = self.dialect.join_in_order();
        let mut from = match range.source {
            Source::Conversations => format!("conversations x{}", self.dialect.along(range.index)),
            Source::Tags => "conversation_tags x".to_owned(),
            Source::Words => "search_words w".to_owned(),
        };
        let mut args = vec![];
        let mut conditions = range.conditions.clone().and_all(self.place(&key));
        if seek {
            let read = alias(range.source);
            for (number, word) in range.words.iter().enumerate() {
                let row = format!("s{number}.created_position = {read}.created_position AND s{number}.word = ?");
                from = format!("{from} {then} search_words s{number} ON {row}");
                args.push(word.as_str().into());
            }
            if range.source == Source::Words {
                // After all words: of these an index alone is read.
                from = format!("{from} {then} conversations x ON x.created_position = w.created_position");
            }
            conditions = conditions.and_all(range.sought.clone());
        }
        let (conditions, values) = conditions.into_parts();
        args.extend(values);
        (format!("FROM {from} WHERE {conditions} ORDER BY {key} {}", self.order.direction()), args)
    }

    fn key(&self, source: Source) -> String {
        format!("{}.{}", alias(source), self.order.column())
    }

    /// After the last page and inside the positions of the range of time.
    fn place(&self, key: &str) -> Conditions {
        let order = self.order;
        let mut after = self.after.unwrap_or(order.beginning());
        let mut conditions = Conditions::default();
        match order {
            ConversationOrder::Newest => {
                after = after.min(self.between.before.unwrap_or(after));
                if let Some(first) = self.between.after {
                    conditions = conditions.and(format!("{key} > ?"), sql_args![first]);
                }
            }
            ConversationOrder::Oldest => {
                after = after.max(self.between.after.unwrap_or(after));
                if let Some(beyond) = self.between.before {
                    conditions = conditions.and(format!("{key} < ?"), sql_args![beyond]);
                }
            }
            // The times themselves are compared; few wait.
            ConversationOrder::LongestWaiting => {}
        }
        conditions.and(format!("{key} {} ?", order.comparison()), sql_args![after])
    }
}

/// What the rows are called that a range is read along.
const fn alias(source: Source) -> &'static str {
    match source {
        Source::Words => "w",
        Source::Conversations | Source::Tags => "x",
    }
}
