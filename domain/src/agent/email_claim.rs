//! One living agent for each e-mail address, kept by a stream of its own: two who claim the same address at once
//! meet at the same place of the same stream.

use serde::{Deserialize, Serialize};

use crate::aggregate::{aggregate, events};
use crate::ids::{AgentId, EmailClaimId};
use crate::time::Timestamp;

/// Who owns an e-mail address.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EmailClaim {
    /// The agent who logs in with it.
    pub agent_id: Option<AgentId>,
}

/// What the claim on an address can be told to do.
#[derive(Clone, Copy, Debug)]
pub enum EmailClaimCommand {
    /// Belong to an agent.
    Claim {
        /// The agent.
        agent_id: AgentId,
        /// When.
        at: Timestamp,
    },
    /// Belong to nobody.
    Release {
        /// The agent who gives it back.
        agent_id: AgentId,
        /// When.
        at: Timestamp,
    },
}

/// Why the claim on an address refuses a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EmailClaimError {
    /// Another agent has it.
    #[error("another agent has this e-mail address")]
    Taken,
}

/// What happens to the claim on an address.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all_fields = "camelCase")]
pub enum EmailClaimEvent {
    /// It belongs to an agent.
    EmailClaimed {
        /// The agent.
        agent_id: AgentId,
        /// When.
        at: Timestamp,
    },
    /// It belongs to nobody.
    EmailReleased {
        /// The agent who had it.
        agent_id: AgentId,
        /// When.
        at: Timestamp,
    },
}

events!(EmailClaimEvent { EmailClaimed => "1.0", EmailReleased => "1.0" });
aggregate!(EmailClaim, EmailClaim, EmailClaimId, EmailClaimCommand, EmailClaimEvent, EmailClaimError);

impl EmailClaim {
    fn decide_command(&self, command: EmailClaimCommand) -> Result<Vec<EmailClaimEvent>, EmailClaimError> {
        match command {
            EmailClaimCommand::Claim { agent_id, at } => match self.agent_id {
                Some(owner) if owner == agent_id => Ok(vec![]),
                Some(_) => Err(EmailClaimError::Taken),
                None => Ok(vec![EmailClaimEvent::EmailClaimed { agent_id, at }]),
            },
            EmailClaimCommand::Release { agent_id, at } if self.agent_id == Some(agent_id) => {
                Ok(vec![EmailClaimEvent::EmailReleased { agent_id, at }])
            }
            EmailClaimCommand::Release { .. } => Ok(vec![]),
        }
    }

    fn on(&mut self, event: EmailClaimEvent) {
        match event {
            EmailClaimEvent::EmailClaimed { agent_id, .. } => self.agent_id = Some(agent_id),
            EmailClaimEvent::EmailReleased { .. } => self.agent_id = None,
        }
    }
}

#[cfg(test)]
mod tests {
    use cqrs_es::test::TestFramework;

    use super::{EmailClaim, EmailClaimCommand, EmailClaimError, EmailClaimEvent};
    use crate::fixtures::{ANNA, BERT, at};
    use crate::ids::AgentId;
    use crate::testing::{self, Given};

    fn given<const N: usize>(events: [EmailClaimEvent; N]) -> Given<EmailClaim> {
        testing::given(events)
    }

    const fn claimed(agent_id: AgentId) -> EmailClaimEvent {
        EmailClaimEvent::EmailClaimed { agent_id, at: at(0) }
    }

    const fn released(agent_id: AgentId) -> EmailClaimEvent {
        EmailClaimEvent::EmailReleased { agent_id, at: at(1) }
    }

    const fn claim(agent_id: AgentId) -> EmailClaimCommand {
        EmailClaimCommand::Claim { agent_id, at: at(0) }
    }

    const fn release(agent_id: AgentId) -> EmailClaimCommand {
        EmailClaimCommand::Release { agent_id, at: at(1) }
    }

    #[test]
    fn address_belongs_to_who_claims_it_first() {
        given([]).when(claim(ANNA)).then([claimed(ANNA)]);
        given([claimed(ANNA)]).when(claim(BERT)).then_error(EmailClaimError::Taken);
    }

    #[test]
    fn owner_may_claim_again() {
        given([claimed(ANNA)]).when(claim(ANNA)).then_nothing();
    }

    #[test]
    fn only_the_owner_gives_an_address_back() {
        given([claimed(ANNA)]).when(release(ANNA)).then([released(ANNA)]);
        given([claimed(ANNA)]).when(release(BERT)).then_nothing();
        given([]).when(release(ANNA)).then_nothing();
        given([claimed(ANNA), released(ANNA)]).when(release(ANNA)).then_nothing();
    }

    #[test]
    fn address_that_was_given_back_is_free() {
        given([claimed(ANNA), released(ANNA)]).when(claim(BERT)).then([claimed(BERT)]);
    }

    #[test]
    fn cqrs_es_drives_claims() {
        TestFramework::<EmailClaim>::with(())
            .given_no_previous_events()
            .when(claim(ANNA))
            .then_expect_events(vec![claimed(ANNA)]);
        TestFramework::<EmailClaim>::with(())
            .given(vec![claimed(ANNA)])
            .when(claim(BERT))
            .then_expect_error(EmailClaimError::Taken);
    }
}
