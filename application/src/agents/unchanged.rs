use domain::agent::Agent;
use domain::ids::AgentId;

use crate::UseCaseError;
use crate::command_bus::UnitOfWork;
use crate::ports::Sequence;

/// Refuses a change of an agent whom somebody else has changed since the caller saw them. Chats that came or went meanwhile
/// are no such change.
pub(super) async fn ensure_unchanged(
    work: &mut UnitOfWork,
    agent_id: AgentId,
    known: Option<Sequence>,
) -> Result<(), UseCaseError> {
    let current = work.load::<Agent>(agent_id).await?.version;
    match known {
        Some(known) if known != current => Err(UseCaseError::VersionMoved { current }),
        Some(_) | None => Ok(()),
    }
}
