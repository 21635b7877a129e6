//! Pages of the log for auditors.

use application::ports::Position;

use super::filter::{Aggregate, AuditFilter, Moment, positions_between};
use super::record::AuditRecord;
use crate::database::{Database, DatabaseError, SqlValue};
use crate::event_log::{Evidence, read_head};
use crate::sql_args;

/// How many positions are looked at in one statement, and in how many statements for one page: the log has no index by
/// actor or type, which every append would pay for.
const WINDOW: Position = 20_000;
const WINDOWS: usize = 10;

/// Reads the log by pages.
#[derive(Clone)]
pub struct AuditQueries {
    database: Database,
}

/// A page of the log.
#[derive(Debug)]
pub struct AuditPage {
    /// The events, in the order asked for.
    pub records: Vec<AuditRecord>,
    /// From where the next page goes on; none at the end. A page may have fewer events than asked for, and even none,
    /// and not be the last.
    pub next: Option<Position>,
}

/// A request for a page of records.
#[derive(Clone, Debug)]
pub struct AuditPageRequest {
    /// What events must be like.
    pub filter: AuditFilter,
    /// Where they begin.
    pub from: Option<Moment>,
    /// Where they end, included.
    pub to: Option<Moment>,
    /// Whether the last ones come first.
    pub newest_first: bool,
    /// Where the page before has ended.
    pub after: Option<Position>,
    /// The most events.
    pub limit: usize,
}

impl AuditQueries {
    /// On this database.
    #[must_use]
    pub const fn new(database: Database) -> Self {
        Self { database }
    }

    /// Reads a page.
    ///
    /// # Errors
    /// When the database does not work, or holds an event that cannot be read.
    pub async fn page(&self, request: &AuditPageRequest) -> Result<AuditPage, DatabaseError> {
        let end = read_head(&self.database).await?.position;
        let (mut first, mut last) = positions_between(&self.database, request.from, request.to, end).await?;
        match (request.after, request.newest_first) {
            (Some(after), true) => last = last.min(after.saturating_sub(1)),
            (Some(after), false) => first = first.max(after.saturating_add(1)),
            (None, _) => {}
        }
        let mut records = vec![];
        for _ in 0..WINDOWS {
            if first > last {
                return Ok(AuditPage { records, next: None });
            }
            let wanted = request.limit - records.len();
            let (from, to) = window(request, first, last);
            let found = self.events(request, (from, to), wanted).await?;
            let full = found.len() == wanted;
            records.extend(found);
            if full {
                break;
            }
            if request.newest_first { last = from - 1 } else { first = to + 1 }
        }
        let reached = if request.newest_first { last + 1 } else { first - 1 };
        let full = records.last().filter(|_| records.len() == request.limit);
        let next = full.map_or(reached, |record| record.position);
        Ok(AuditPage { records, next: Some(next) })
    }

    async fn events(
        &self,
        request: &AuditPageRequest,
        (from, to): (Position, Position),
        limit: usize,
    ) -> Result<Vec<AuditRecord>, DatabaseError> {
        let (conditions, mut args) = conditions(&request.filter);
        let order = if request.newest_first { "DESC" } else { "ASC" };
        let select = format!(
            "SELECT {} FROM events WHERE position >= ? AND position <= ?{conditions} ORDER BY position {order} LIMIT ?",
            Evidence::columns()
        );
        let mut all = sql_args![from, to];
        all.append(&mut args);
        all.extend(sql_args![i64::try_from(limit).unwrap_or(i64::MAX)]);
        let rows = self.database.fetch_all(&select, all).await?;
        rows.iter().map(record).collect()
    }
}

/// All of it, if the filter finds its events by an index; else so much as may be looked at.
fn window(request: &AuditPageRequest, first: Position, last: Position) -> (Position, Position) {
    let by_index = request.filter.is_empty() || matches!(request.filter.aggregate, Some(Aggregate { id: Some(_), .. }));
    match (by_index, request.newest_first) {
        (true, _) => (first, last),
        (false, true) => (first.max(last - WINDOW + 1), last),
        (false, false) => (first, last.min(first + WINDOW - 1)),
    }
}

/// What [`AuditFilter::matches`] says, in SQL. Texts are compared byte by byte: MySQL's collations take `É` for `e`, and
/// refuse to compare letters with a column that has none of them.
fn conditions(filter: &AuditFilter) -> (String, Vec<SqlValue>) {
    let AuditFilter { actor, aggregate, event_type } = filter;
    let (mut sql, mut args) = (String::new(), vec![]);
    if let Some(actor) = actor {
        sql.push_str(" AND HEX(actor) = HEX(?)");
        args.extend(sql_args![actor]);
    }
    if let Some(event_type) = event_type {
        sql.push_str(" AND HEX(event_type) = HEX(?)");
        args.extend(sql_args![event_type]);
    }
    if let Some(Aggregate { kind, id }) = aggregate {
        sql.push_str(" AND aggregate_type = ?");
        args.extend(sql_args![kind.as_str()]);
        if let Some(id) = id {
            sql.push_str(" AND aggregate_id = ?");
            args.extend(sql_args![*id]);
        }
    }
    (sql, args)
}

fn record(row: &crate::database::Row) -> Result<AuditRecord, DatabaseError> {
    let unreadable = || DatabaseError::from(sqlx::Error::Decode("an event that cannot be read".into()));
    let evidence = Evidence::from_row(row).map_err(|_| unreadable())?;
    AuditRecord::new(evidence).map_err(|_| unreadable())
}
