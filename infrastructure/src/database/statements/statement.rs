//! A statement with its values.

use std::borrow::Cow;
use std::sync::Arc;

use crate::database::{DatabaseError, SqlValue};

/// A statement, the values of its `?`, and the number of rows that it must affect.
#[derive(Clone, Debug)]
pub(crate) struct Statement {
    pub(crate) sql: Cow<'static, str>,
    /// The first values, which several statements may share.
    shared: Option<Arc<[SqlValue]>>,
    /// The values after those.
    own: Vec<SqlValue>,
    expected: Option<u64>,
}

impl Statement {
    pub(crate) fn new(sql: &str, args: Vec<SqlValue>) -> Self {
        Self { sql: Cow::Owned(sql.to_owned()), shared: None, own: args, expected: None }
    }

    /// One whose text is known to the compiler.
    pub(crate) const fn constant(sql: &'static str, args: Vec<SqlValue>) -> Self {
        Self { sql: Cow::Borrowed(sql), shared: None, own: args, expected: None }
    }

    /// One without values.
    pub(crate) const fn plain(sql: &'static str) -> Self {
        Self::constant(sql, vec![])
    }

    /// One whose first values exist already.
    pub(crate) const fn sharing(sql: &'static str, shared: Arc<[SqlValue]>, own: Vec<SqlValue>) -> Self {
        Self { sql: Cow::Borrowed(sql), shared: Some(shared), own, expected: None }
    }

    /// The same statement, which fails unless it affects (finds, for an update) or returns exactly this number of rows.
    pub(crate) fn expecting(self, rows: u64) -> Self {
        Self { expected: Some(rows), ..self }
    }

    /// The values, in order.
    pub(crate) fn args(&self) -> impl Iterator<Item = &SqlValue> {
        self.shared.iter().flat_map(|shared| shared.iter()).chain(&self.own)
    }

    /// The bytes of its text and values.
    pub(crate) fn len(&self) -> usize {
        self.sql.len() + self.args().map(SqlValue::len).sum::<usize>()
    }

    /// The number of rows that it must affect.
    pub(crate) const fn expected(&self) -> Option<u64> {
        self.expected
    }

    /// Compares a number of rows with the expected one.
    pub(crate) const fn check(&self, found: u64) -> Result<(), DatabaseError> {
        match self.expected {
            Some(expected) if expected != found => Err(DatabaseError::Missed { expected, found }),
            Some(_) | None => Ok(()),
        }
    }
}

/// All statements of a transaction between its begin and its commit, in the form that the database takes.
pub(crate) enum WholeTransaction {
    /// MySQL: one text, which ends with the commit.
    Script(String),
    /// SQLite: prepared statements.
    Statements(Arc<Vec<Statement>>),
}
