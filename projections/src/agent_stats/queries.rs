use domain::ids::{AgentId, EntityId};
use domain::time::Timestamp;
use infrastructure::database::{Database, Row, RowError};
use infrastructure::sql_args;
use serde::Serialize;

use crate::QueryError;

/// The days that figures go back, with today.
const DAYS: i64 = 30;

/// The most chats that percentiles are made of: far more than a person serves in 30 days, and read in milliseconds.
const MOST_CHATS: i64 = 10_000;

pub(super) const CHATS: &str = "SELECT joined_us, served_us, first_response_us FROM agent_chats \
    WHERE agent_id = ? AND began_us >= ? ORDER BY began_us DESC LIMIT ?";

/// A count by UTC days.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Recent {
    /// Since midnight UTC.
    #[cfg_attr(feature = "schema", schemars(with = "u64"))]
    pub today: i64,
    /// Today and the six days before.
    #[cfg_attr(feature = "schema", schemars(with = "u64"))]
    pub last7_days: i64,
    /// Today and the 29 days before.
    #[cfg_attr(feature = "schema", schemars(with = "u64"))]
    pub last30_days: i64,
}

impl Recent {
    fn count(&mut self, days_ago: i64, times: i64) {
        self.last30_days += times;
        self.last7_days += if days_ago < 7 { times } else { 0 };
        self.today += if days_ago < 1 { times } else { 0 };
    }
}

/// Percentiles of durations in seconds, by nearest rank.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Percentiles {
    /// The number of durations.
    #[cfg_attr(feature = "schema", schemars(with = "u64"))]
    pub count: usize,
    /// Half of the durations are at most this long.
    pub p50: f64,
    /// Nine tenths of the durations are at most this long.
    pub p90: f64,
}

impl Percentiles {
    /// Of these spans in microseconds; none of none.
    fn of(mut spans: Vec<i64>) -> Option<Self> {
        spans.sort_unstable();
        let count = spans.len();
        let rank = |percent: usize| (count * percent).div_ceil(100).checked_sub(1);
        let seconds = |percent| Some(*spans.get(rank(percent)?)? as f64 / 1e6);
        Some(Self { count, p50: seconds(50)?, p90: seconds(90)? })
    }
}

/// What an agent did lately.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AgentFigures {
    /// The chats that came to them.
    pub chats: Recent,
    /// The messages that the agent wrote, in all chats.
    pub messages_sent: Recent,
    /// How soon they answered, in the chats of the last 30 days that they answered; null without any.
    pub first_response_seconds: Option<Percentiles>,
    /// How long they served the chats of the last 30 days that they serve no more; null without any.
    pub chat_duration_seconds: Option<Percentiles>,
}

/// Reads what agents did.
#[derive(Clone, Debug)]
pub struct AgentStatsQueries {
    database: Database,
}

impl AgentStatsQueries {
    /// Over this database.
    #[must_use]
    pub const fn new(database: Database) -> Self {
        Self { database }
    }

    /// What an agent did until now. The percentiles are exact, of the newest 10,000 chats of the last 30 days.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn figures(&self, agent_id: AgentId, now: Timestamp) -> Result<AgentFigures, QueryError> {
        let today = now.day();
        let mut figures = AgentFigures::default();
        for row in self.days(agent_id, today).await? {
            let days_ago = today - row.int("day")?;
            figures.chats.count(days_ago, row.int("chats")?);
            figures.messages_sent.count(days_ago, row.int("messages")?);
        }
        let chats = self.chats(agent_id, Timestamp::of_day(today - DAYS + 1)).await?;
        let spans = |span: fn(&Row) -> Result<Option<i64>, RowError>| -> Result<Vec<i64>, RowError> {
            chats.iter().filter_map(|row| span(row).transpose()).collect()
        };
        figures.first_response_seconds = Percentiles::of(spans(|row| row.opt_int("first_response_us"))?);
        figures.chat_duration_seconds = Percentiles::of(spans(duration)?);
        Ok(figures)
    }

    async fn days(&self, agent_id: AgentId, today: i64) -> Result<Vec<Row>, QueryError> {
        const SQL: &str = "SELECT day, chats, messages FROM agent_days WHERE agent_id = ? AND day > ? AND day <= ?";
        Ok(self.database.fetch_all(SQL, sql_args![agent_id.uuid(), today - DAYS, today]).await?)
    }

    async fn chats(&self, agent_id: AgentId, since: Timestamp) -> Result<Vec<Row>, QueryError> {
        Ok(self.database.fetch_all(CHATS, sql_args![agent_id.uuid(), since, MOST_CHATS]).await?)
    }
}

/// How long a chat was served; none while it still is.
fn duration(row: &Row) -> Result<Option<i64>, RowError> {
    if row.opt_int("joined_us")?.is_some() { Ok(None) } else { Ok(Some(row.int("served_us")?)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_the_nearest_rank() {
        let of = |count: i64| Percentiles::of((1..=count).rev().map(|second| second * 1_000_000).collect());
        let found = |count, p50, p90| Some(Percentiles { count, p50, p90 });
        assert_eq!(of(0), None);
        assert_eq!(of(1), found(1, 1.0, 1.0));
        assert_eq!(of(2), found(2, 1.0, 2.0));
        assert_eq!(of(10), found(10, 5.0, 9.0));
        assert_eq!(of(11), found(11, 6.0, 10.0));
    }
}
