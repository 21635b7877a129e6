//! Sessions: scripts one after the other, and commits of the log.

use std::sync::Arc;

use super::profile::Profile;
use super::writer::{Turn, Writer};
use crate::database::DatabaseError;
use crate::database::row::Row;
use crate::database::statements::Statement;

/// Takes a turn for scripts, and none for a whole transaction.
pub(crate) struct SqliteSession {
    writer: Writer,
    turn: Option<Turn>,
}

impl SqliteSession {
    pub(super) const fn new(writer: Writer) -> Self {
        Self { writer, turn: None }
    }

    /// Keeps every other writer of this process out until the session is closed.
    pub(crate) async fn lock(&mut self) -> Result<(), DatabaseError> {
        self.turn().await.map(drop)
    }

    pub(crate) async fn run(&mut self, script: &str) -> Result<u64, DatabaseError> {
        Ok(self.turn().await?.script(script.to_owned()).await?.count)
    }

    pub(crate) async fn query(&mut self, script: &str) -> Result<Vec<Row>, DatabaseError> {
        Ok(self.turn().await?.script(script.to_owned()).await?.rows)
    }

    /// Runs statements as one durable transaction, or as the end of the one that a script has begun.
    pub(crate) async fn commit(&mut self, statements: &Arc<Vec<Statement>>) -> Result<(), DatabaseError> {
        match &self.turn {
            None => drop(self.writer.transact(Arc::clone(statements), Profile::Log).await?),
            Some(turn) => {
                turn.shared(Arc::clone(statements)).await?;
                turn.script("COMMIT".to_owned()).await?;
            }
        }
        Ok(())
    }

    pub(crate) async fn rollback(&mut self) {
        let Some(turn) = &self.turn else { return };
        if let Err(error) = turn.script("ROLLBACK".to_owned()).await {
            tracing::trace!(error = &error as &dyn std::error::Error, "no transaction to roll back");
        }
    }

    async fn turn(&mut self) -> Result<&Turn, DatabaseError> {
        let turn = match self.turn.take() {
            Some(turn) => turn,
            None => self.writer.turn(Profile::Session).await?,
        };
        Ok(self.turn.insert(turn))
    }
}
