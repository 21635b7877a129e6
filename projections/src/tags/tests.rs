use std::sync::Arc;

use domain::ids::{EntityId, TagId};
use domain::tag::{Tag, TagCommand};
use domain::text::Color;
use infrastructure::subscription::HandleError;
use serde_json::json;

use super::*;
use crate::testing::{Desk, name, project, project_with};
use crate::{CursorError, Deleted, PageRequest, QueryError};
use infrastructure::testing::fresh_databases;

async fn desk_with_tags() -> (Desk, Vec<TagId>) {
    let desk = Desk::open().await;
    let mut ids = vec![];
    for called in ["billing", "vip", "spam"] {
        let (id, at) = (TagId::from_uuid(desk.bus.new_uuid()), desk.bus.now());
        desk.tell::<Tag>(id, TagCommand::Create { name: name(called), color: None, at }).await.unwrap();
        ids.push(id);
    }
    let at = desk.bus.now();
    let color = Some(Color::parse("#ff0000").unwrap());
    desk.tell::<Tag>(ids[1], TagCommand::Restyle { name: name("VIP"), color, at }).await.unwrap();
    desk.tell::<Tag>(ids[2], TagCommand::Delete { at }).await.unwrap();
    (desk, ids)
}

#[tokio::test]
async fn tags_are_listed_without_the_deleted_ones() {
    for fresh in fresh_databases().await {
        let (desk, ids) = desk_with_tags().await;
        project(&desk, &fresh.database, &[2]).await.unwrap();
        let queries = TagQueries::new(fresh.database.clone());
        let vip = queries.find_tag(ids[1], Deleted::Hidden).await.unwrap();
        let expected = json!({ "id": ids[1], "name": "VIP", "color": "#ff0000", "version": 2 });
        assert_eq!(serde_json::to_value(vip.unwrap()).unwrap(), expected);
        assert_eq!(queries.find_tag(ids[2], Deleted::Hidden).await.unwrap(), None);
        assert!(queries.find_tag(ids[2], Deleted::Shown).await.unwrap().unwrap().deleted);

        let first = queries.list_tags(Deleted::Hidden, &PageRequest::first(1)).await.unwrap();
        let rest = PageRequest { cursor: first.next_cursor, limit: 5 };
        let rest = queries.list_tags(Deleted::Hidden, &rest).await.unwrap();
        assert_eq!((first.data[0].id, rest.data[0].id, rest.data.len()), (ids[0], ids[1], 1));
        assert_eq!(queries.list_tags(Deleted::Shown, &PageRequest::first(5)).await.unwrap().data.len(), 3);
        let garbage = PageRequest { cursor: Some("x".into()), limit: 1 };
        let refused = queries.list_tags(Deleted::Hidden, &garbage).await;
        assert!(matches!(refused, Err(QueryError::Cursor(CursorError::Malformed))));
    }
}

#[tokio::test]
async fn change_of_a_tag_that_is_not_there_is_poison() {
    for fresh in fresh_databases().await {
        let (desk, _) = desk_with_tags().await;
        let changes: Vec<_> =
            desk.log.events().into_iter().filter(|event| event.header.event_type == "TagDeleted").collect();
        let refused = project_with(&[Arc::new(TagsProjector)], &fresh.database, &changes, &[1]).await;
        assert!(matches!(refused, Err(HandleError::Poison { .. })), "{refused:?}");
    }
}
