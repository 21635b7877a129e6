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
