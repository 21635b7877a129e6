//! The queue.

use harness::{TestDatabase, each_database};
use serde_json::{Value, json};

use crate::office::{Office, ids};

each_database!(queue_is_paged_over_all_groups_and_shows_a_transfer_at_once);
async fn queue_is_paged_over_all_groups_and_shows_a_transfer_at_once(database: TestDatabase) {
    let office = Office::open(&database).await;
    let mut chats = vec![];
    for number in 0..5 {
        let group = if number % 2 == 0 { &office.general } else { &office.sales };
        chats.push(office.chat(group, &format!("Vera{number}"), "Hello").await);
    }
    let mut expected: Vec<_> = chats.iter().map(|chat| chat.conversation_id.clone()).collect();
    assert_eq!(ids(&office.admin, "/v1/queue?").await, expected);
    for (number, chat) in chats.iter().enumerate() {
        let (from, to) = match number % 2 {
            0 => (&office.general, &office.sales),
            _ => (&office.sales, &office.general),
        };
        let path = format!("/v1/conversations/{}/transfer", chat.conversation_id);
        office.admin.post(&path, &json!({ "groupId": to })).await.expect(200);
        let moved = expected.remove(0);
        expected.push(moved.clone());
        assert_eq!(ids(&office.admin, "/v1/queue?").await, expected);
        assert_eq!(ids(&office.admin, &format!("/v1/queue?groupId={to}")).await.last(), Some(&moved));
        assert!(!ids(&office.admin, &format!("/v1/queue?groupId={from}")).await.contains(&moved));
        let stats = office.admin.get("/v1/queue/stats").await.expect(200).body;
        let groups = stats["data"].as_array().unwrap().iter();
        let waiting: i64 = groups.map(|group| group["waiting"].as_i64().unwrap()).sum();
        assert_eq!(waiting, 5);
    }
    let queue = office.admin.get("/v1/queue").await.expect(200).body;
    let places: Vec<_> = queue["data"].as_array().unwrap().iter().map(|chat| chat["queuePosition"].clone()).collect();
    assert_eq!(places, [1, 1, 2, 2, 3].map(Value::from));
}
