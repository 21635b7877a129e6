use domain::ids::EntityId;
use infrastructure::database::{Database, DatabaseError};
use infrastructure::sql_args;

use super::ConversationView;
use crate::sql::chunks;

/// Constants in each branch, so that each is a short range of the index.
pub(super) const AHEAD: &str =
    "SELECT ? AS place, COUNT(*) AS ahead FROM conversations WHERE group_id = ? AND queue_arrival < ?";

/// Counts who stands before each of the conversations that wait.
pub(super) async fn fill(database: &Database, views: &mut [ConversationView]) -> Result<(), DatabaseError> {
    let waiting: Vec<_> = views
        .iter()
        .zip(0_i64..)
        .filter_map(|(view, place)| Some((place, view.group_id.uuid(), view.queue_arrival?)))
        .collect();
    for chunk in chunks(&waiting) {
        let sql = vec![AHEAD; chunk.len()].join(" UNION ALL ");
        let args = chunk.iter().flat_map(|(place, group, arrival)| sql_args![*place, *group, *arrival]);
        for row in database.fetch_all(&sql, args.collect()).await? {
            let place = usize::try_from(row.int("place")?).ok();
            if let Some(view) = place.and_then(|place| views.get_mut(place)) {
                view.queue_position = Some(row.int("ahead")? + 1);
            }
        }
    }
    Ok(())
}
