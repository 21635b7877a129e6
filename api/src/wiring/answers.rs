use application::ports::Position;
use async_trait::async_trait;
use domain::ids::CommandId;
use infrastructure::responses::{SqlResponseStore, StoredResponse};

use crate::rest::respond::{AnswerStore, FirstAnswer};
use crate::service::Refusal;

/// Keeps the first answers of REST in the database.
pub struct SqlAnswers(pub SqlResponseStore);

#[async_trait]
impl AnswerStore for SqlAnswers {
    async fn find(&self, command_id: CommandId) -> Result<Option<FirstAnswer>, Refusal> {
        let found = self.0.find(command_id).await?;
        Ok(found.map(|StoredResponse { request_digest, status, body }| FirstAnswer { request_digest, status, body }))
    }

    async fn save(
        &self,
        command_id: CommandId,
        answer: &FirstAnswer,
        position: Option<Position>,
    ) -> Result<(), Refusal> {
        let FirstAnswer { request_digest, status, body } = answer.clone();
        Ok(self.0.save(command_id, &StoredResponse { request_digest, status, body }, position).await?)
    }
}
