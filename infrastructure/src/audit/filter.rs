//! Which part of the log is asked for.

use std::str::FromStr;

use application::ports::{EventHeader, Position};
use domain::aggregate::AggregateType;
use domain::time::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use crate::database::{Database, DatabaseError};
use crate::sql_args;

/// What events must be like. Where nothing is said, all are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditFilter {
    /// On whose behalf, such as `agent:01890…` or `system:router`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// Of which stream or kind of streams.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aggregate: Option<Aggregate>,
    /// The event's name.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub event_type: Option<String>,
}

/// A kind of streams, or one of them: `thread`, `thread:01890…`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Aggregate {
    pub kind: AggregateType,
    /// One stream of the kind; all of them when absent.
    pub id: Option<Uuid>,
}

/// A text that names no aggregate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a kind of aggregate such as thread, or one of them such as thread:ID")]
pub struct NotAnAggregate;

impl FromStr for Aggregate {
    type Err = NotAnAggregate;

    fn from_str(text: &str) -> Result<Self, NotAnAggregate> {
        let (kind, id) = text.split_once(':').map_or((text, None), |(kind, id)| (kind, Some(id)));
        let kind = AggregateType::parse(kind).ok_or(NotAnAggregate)?;
        let id = id.map(|id| id.parse().map_err(|_| NotAnAggregate)).transpose()?;
        Ok(Self { kind, id })
    }
}

impl Serialize for Aggregate {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.id {
            Some(id) => serializer.collect_str(&format_args!("{}:{id}", self.kind)),
            None => serializer.collect_str(&self.kind),
        }
    }
}

impl AuditFilter {
    /// Whether it leaves nothing out.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.actor.is_none() && self.aggregate.is_none() && self.event_type.is_none()
    }

    /// Whether it lets an event through.
    #[must_use]
    pub fn matches(&self, header: &EventHeader) -> bool {
        let of_aggregate = |wanted: &Aggregate| {
            wanted.kind == header.aggregate_type && wanted.id.is_none_or(|id| id == header.aggregate_id)
        };
        self.actor.as_ref().is_none_or(|actor| *actor == header.actor)
            && self.aggregate.as_ref().is_none_or(of_aggregate)
            && self.event_type.as_ref().is_none_or(|event_type| *event_type == header.event_type)
    }
}

/// A place in the log: a position, or the time at which events were recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// The event at the position, included.
    Position(Position),
    /// The first event recorded then or later; as an end, the last one recorded then or earlier.
    Time(Timestamp),
}

/// A text that is no moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a position such as 1 or a time such as 2026-01-31T12:00:00Z")]
pub struct NotAMoment;

impl FromStr for Moment {
    type Err = NotAMoment;

    fn from_str(text: &str) -> Result<Self, NotAMoment> {
        let position = text.parse().ok().filter(|position| *position >= 1).map(Self::Position);
        let time = || text.parse().ok().map(Self::Time);
        position.or_else(time).ok_or(NotAMoment)
    }
}

/// The first and the last position that lie between two moments, both included, in a log that ends at `end`. The first
/// is greater than the last when nothing does.
///
/// # Errors
/// When the database does not work.
pub async fn positions_between(
    database: &Database,
    from: Option<Moment>,
    to: Option<Moment>,
    end: Position,
) -> Result<(Position, Position), DatabaseError> {
    let first = match from {
        None => 1,
        Some(Moment::Position(position)) => position,
        Some(Moment::Time(time)) => count_before(database, time, end).await? + 1,
    };
    let last = match to {
        None => end,
        Some(Moment::Position(position)) => position.min(end),
        Some(Moment::Time(time)) => count_before(database, Timestamp::from_micros(time.as_micros() + 1), end).await?,
    };
    Ok((first, last))
}

/// How many events were recorded before a time: the log's times never go back, so it can be found by halves.
async fn count_before(database: &Database, time: Timestamp, end: Position) -> Result<Position, DatabaseError> {
    let (mut before, mut not_before) = (0, end + 1);
    while not_before - before > 1 {
        let middle = before + (not_before - before) / 2;
        let row =
            database.fetch_optional("SELECT recorded_us FROM events WHERE position = ?", sql_args![middle]).await?;
        let recorded_us = row.map(|row| row.int("recorded_us")).transpose()?;
        // Where an event is missing, the read of that place reports it.
        if recorded_us.is_some_and(|recorded_us| recorded_us < time.as_micros()) {
            before = middle;
        } else {
            not_before = middle;
        }
    }
    Ok(before)
}
