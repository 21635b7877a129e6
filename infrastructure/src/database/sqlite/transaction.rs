//! Transactions of views and of other tables that are small or can be made again.

use std::sync::Arc;

use super::connection::Done;
use super::profile::Profile;
use super::writer::{Turn, Writer};
use crate::database::row::Row;
use crate::database::statements::{MOST_ENQUEUED, Statement};
use crate::database::{DatabaseError, SqlValue};

/// A write transaction. As long as nothing waits for an answer, its statements are collected, and the commit runs all of
/// them as one job. Otherwise it takes a turn. Dropped without a commit, it is rolled back.
pub(crate) struct SqliteTransaction {
    writer: Writer,
    turn: Option<Turn>,
    /// Not sent yet; `None` where each statement is sent by itself.
    enqueued: Option<Vec<Statement>>,
    /// The bytes of the enqueued values.
    bytes: usize,
}

impl SqliteTransaction {
    pub(super) const fn new(writer: Writer) -> Self {
        Self { writer, turn: None, enqueued: Some(vec![]), bytes: 0 }
    }

    pub(crate) const fn is_batched(&self) -> bool {
        self.enqueued.is_some()
    }

    /// Sends what is enqueued, and each later statement by itself.
    pub(crate) async fn send_each(&mut self) -> Result<(), DatabaseError> {
        self.send(vec![]).await?;
        self.enqueued = None;
        Ok(())
    }

    pub(crate) async fn fetch_all(&mut self, sql: &str, args: Vec<SqlValue>) -> Result<Vec<Row>, DatabaseError> {
        Ok(self.send(vec![Statement::new(sql, args)]).await?.rows)
    }

    pub(crate) async fn execute(&mut self, sql: &str, args: Vec<SqlValue>) -> Result<u64, DatabaseError> {
        Ok(self.send(vec![Statement::new(sql, args)]).await?.count)
    }

    /// Runs a statement, perhaps not before the next query or the commit.
    pub(crate) async fn enqueue(&mut self, statement: Statement) -> Result<(), DatabaseError> {
        let Some(enqueued) = &mut self.enqueued else { return self.send(vec![statement]).await.map(drop) };
        self.bytes += statement.len();
        enqueued.push(statement);
        if self.bytes > MOST_ENQUEUED { self.send(vec![]).await.map(drop) } else { Ok(()) }
    }

    pub(crate) async fn commit(mut self) -> Result<(), DatabaseError> {
        if self.turn.is_some() {
            return self.send(vec![Statement::plain("COMMIT")]).await.map(drop);
        }
        let statements = self.enqueued.take().unwrap_or_default();
        self.writer.transact(Arc::new(statements), Profile::View).await.map(drop)
    }

    /// Runs what is enqueued, and these statements after it.
    async fn send(&mut self, more: Vec<Statement>) -> Result<Done, DatabaseError> {
        let mut statements = self.enqueued.as_mut().map(std::mem::take).unwrap_or_default();
        statements.extend(more);
        self.bytes = 0;
        self.turn().await?.statements(statements).await
    }

    async fn turn(&mut self) -> Result<&Turn, DatabaseError> {
        let turn = match self.turn.take() {
            Some(turn) => turn,
            None => {
                let turn = self.writer.turn(Profile::Bulk).await?;
                turn.begin().await?;
                turn
            }
        };
        Ok(self.turn.insert(turn))
    }
}
