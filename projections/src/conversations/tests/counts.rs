//! Counts of conversations.

use domain::conversation::ConversationStatus;
use domain::ids::{EntityId, TagId};

use super::lists::{all_pages, busy_desk, combinations};
use crate::conversations::{ConversationCounts, ConversationOrder, ConversationQueries, ListBounds};
use crate::testing::project;
use infrastructure::testing::fresh_databases;

#[tokio::test]
async fn counts_are_what_the_lists_hold() {
    for fresh in fresh_databases().await {
        let tag_id = TagId::from_uuid(uuid::Uuid::from_u128(7));
        let desk = busy_desk(tag_id).await;
        project(&desk, &fresh.database, &[usize::MAX]).await.unwrap();
        let queries = ConversationQueries::new(fresh.database.clone()).bounded(ListBounds::SMALL);
        let filters = combinations(&desk, tag_id);
        let mut totals = std::collections::BTreeSet::new();
        for filter in filters.iter().filter(|filter| filter.tag_id.is_none() && filter.status.is_none()) {
            let all = all_pages(&queries, filter, ConversationOrder::Oldest).await;
            let count = |status| all.iter().filter(|chat| chat.status == status).count() as i64;
            let expected = ConversationCounts {
                pending: count(ConversationStatus::Pending),
                active: count(ConversationStatus::Active),
                closed: count(ConversationStatus::Closed),
                total: all.len() as i64,
            };
            assert_eq!(queries.count_conversations(filter).await.unwrap(), expected, "{filter:?}");
            totals.insert(expected.total);
        }
        assert!(totals.len() > 4 && totals.contains(&24), "{totals:?}");
    }
}

#[tokio::test]
async fn scopes_without_conversations_have_no_row() {
    for fresh in fresh_databases().await {
        let desk = busy_desk(TagId::from_uuid(uuid::Uuid::from_u128(7))).await;
        for size in [1, 1_000] {
            crate::testing::clear(&fresh.database).await;
            project(&desk, &fresh.database, &[size]).await.unwrap();
            let sql = "SELECT scope FROM conversation_counts WHERE pending + active + closed <= 0";
            assert!(fresh.database.fetch_all(sql, vec![]).await.unwrap().is_empty());
        }
    }
}
