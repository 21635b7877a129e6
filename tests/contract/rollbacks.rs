//! A crash of the database takes back events that had been seen and were not yet on its disk.

use application::ports::{EventLog as _, Position};
use domain::tag::Tag;
use harness::{TestDatabase, each_database};
use infrastructure::database::Database;

use crate::commands::{create, number, restyle, tag_id};
use crate::support::Node;
use crate::use_cases::tell;

async fn take_back(database: &Database, kept: Position) {
    let script = format!(
        "BEGIN; UPDATE log_head SET position = {kept}, \
         chain_hash = (SELECT chain_hash FROM events WHERE position = {kept}) WHERE id = 1; \
         DELETE FROM events WHERE position > {kept}; COMMIT"
    );
    let mut session = database.log_session().await.unwrap();
    session.run(&script).await.unwrap();
    session.close().await;
}

each_database!(states_with_events_that_were_taken_back_are_forgotten);
async fn states_with_events_that_were_taken_back_are_forgotten(database: TestDatabase) {
    let first = Node::start(&database).await;
    tell::<Tag>(&first.bus(), tag_id(), create("1")).await.unwrap();
    for instead in [None, Some("3")] {
        let (one, two, other) = (first.newcomer().await, first.newcomer().await, first.newcomer().await);
        let kept = other.log.head().await.unwrap().position;
        let before = number(&other.bus().read::<Tag>(tag_id()).await.unwrap());
        tell::<Tag>(&other.bus(), tag_id(), restyle("5")).await.unwrap();
        let (reading, writing, writing_elsewhere) = (one.bus(), one.bus(), two.bus());
        for bus in [&reading, &writing, &writing_elsewhere] {
            // The second look follows the log.
            for _ in 0..2 {
                assert_eq!(number(&bus.read::<Tag>(tag_id()).await.unwrap()), 5);
            }
        }
        take_back(&first.database, kept).await;
        if let Some(text) = instead {
            tell::<Tag>(&first.newcomer().await.bus(), tag_id(), restyle(text)).await.unwrap();
        }
        let there = instead.map_or(before, |text| text.parse().unwrap());
        assert_eq!(number(&reading.read::<Tag>(tag_id()).await.unwrap()), there);
        // As many events, but another one: the log would take what is decided on the other.
        let told = tell::<Tag>(&writing, tag_id(), restyle(&there.to_string())).await.unwrap();
        assert!(told.receipt.is_none(), "it has that name");
        let told = tell::<Tag>(&writing_elsewhere, tag_id(), restyle("5")).await.unwrap();
        assert!(told.receipt.is_some(), "it has that name no more");
        tell::<Tag>(&writing_elsewhere, tag_id(), restyle("1")).await.unwrap();
    }
}
