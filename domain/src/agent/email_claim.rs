use crate::claim::claim;
use crate::ids::{AgentId, EmailClaimId};

claim! {
    /// The claim on an e-mail address: of the agents who are not deleted, one logs in with it.
    EmailClaim: EmailClaim, EmailClaimId;
    owner agent_id: AgentId;
    command EmailClaimCommand; event EmailClaimEvent { EmailClaimed, EmailReleased };
    error EmailClaimError: "another agent has this e-mail address"
}

#[cfg(test)]
mod tests {
    use cqrs_es::test::TestFramework;

    use super::{EmailClaim, EmailClaimCommand, EmailClaimError, EmailClaimEvent};
    use crate::fixtures::{ANNA, BERT, at};
    use crate::ids::AgentId;
    use crate::testing::{given, given_nothing};

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
    fn address_belongs_to_the_first_agent_who_claims_it() {
        given_nothing::<EmailClaim>().when(claim(ANNA)).then([claimed(ANNA)]);
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
        given_nothing::<EmailClaim>().when(release(ANNA)).then_nothing();
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
