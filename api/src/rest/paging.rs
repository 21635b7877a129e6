//! Which part of a list a request wants.

use projections::PageRequest;

use crate::extract::Fields;
use crate::problem::Problem;

const DEFAULT_LIMIT: u32 = 25;
const MAX_LIMIT: u32 = 100;

/// The `limit` parameter: 1 to 100, 25 when absent.
pub fn limit(fields: &mut Fields, text: Option<&str>) -> Option<u32> {
    let Some(text) = text else { return Some(DEFAULT_LIMIT) };
    let parsed = text.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit));
    if parsed.is_none() {
        fields.refuse::<u32>("limit", format!("must be a number from 1 to {MAX_LIMIT}"));
    }
    parsed
}

/// The page that `limit` and `cursor` ask for.
pub fn page(fields: Fields, limit: Option<u32>, cursor: Option<String>) -> Result<PageRequest, Problem> {
    let limit = fields.finish_with(limit)?;
    Ok(PageRequest { cursor, limit })
}
