use application::UseCaseError;
use application::agents::ensure_may_read_deleted;
use application::ports::Principal;
use projections::Deleted;

/// How many items a page has at most when the request does not say.
pub const DEFAULT_LIMIT: u32 = 25;

/// How many items a page has at most.
pub const MAX_LIMIT: u32 = 100;

/// Whether a list shows deleted things to a caller who asks for them (`Some(true)`) or does not.
///
/// # Errors
/// When the caller asks for them and may not see them.
pub fn deleted(principal: Principal, include: Option<bool>) -> Result<Deleted, UseCaseError> {
    if include != Some(true) {
        return Ok(Deleted::Hidden);
    }
    ensure_may_read_deleted(principal)?;
    Ok(Deleted::Shown)
}

#[cfg(test)]
mod tests {
    use domain::agent::Role;
    use domain::ids::AgentId;

    use super::*;

    #[test]
    fn only_admins_see_deleted_things_and_only_if_they_ask() {
        for role in [Role::Agent, Role::Supervisor, Role::Admin] {
            let caller = Principal::Agent { id: AgentId::default(), role };
            assert_eq!(deleted(caller, None).unwrap(), Deleted::Hidden);
            assert_eq!(deleted(caller, Some(false)).unwrap(), Deleted::Hidden);
            match (role, deleted(caller, Some(true))) {
                (Role::Admin, Ok(deleted)) => assert_eq!(deleted, Deleted::Shown),
                (Role::Agent | Role::Supervisor, Err(UseCaseError::Forbidden(_))) => {}
                (_, outcome) => panic!("{role:?}: {outcome:?}"),
            }
        }
    }
}
