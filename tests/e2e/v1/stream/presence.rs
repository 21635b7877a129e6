//! An agent's open stream is a lease of presence.

use std::time::Duration;

use application::ports::Clock as _;
use application::presence::{GRACE, LEASE};
use harness::{DEADLINE, Events, Person, Server, Stream, TestDatabase, each_database, eventually};
use infrastructure::system::SystemClock;

use super::token;

async fn status(person: &Person) -> String {
    person.client.get("/v1/auth/me").await.expect(200).text("/status").to_owned()
}

async fn wait_for(person: &Person, wanted: &str) {
    eventually(DEADLINE, &format!("the agent is {wanted}"), async || {
        let status = status(person).await;
        if status == wanted { Ok(()) } else { Err(status) }
    })
    .await;
}

/// The leases are looked at about once a second of real time.
async fn pass_a_look() {
    SystemClock.sleep(Duration::from_millis(1_300)).await;
}

each_database!(agent_with_an_open_stream_stays_online_and_is_missed_after_its_end);
async fn agent_with_an_open_stream_stays_online_and_is_missed_after_its_end(database: TestDatabase) {
    let server = Server::start(&database).await;
    let (anna, ben, lost) = (server.agent(1).await, server.agent(1).await, server.agent(1).await);
    let (socket, _) = Stream::join(server.base(), token(&anna.client), None).await;
    let mut events = Events::follow(server.base(), token(&ben.client), None).await;
    events.until("live").await;
    let (short, _) = Stream::join(server.base(), token(&lost.client), None).await;
    pass_a_look().await;
    drop(short);
    // In steps that a lease survives only if it is renewed in between.
    eventually(DEADLINE, "who has no stream is missed", async || {
        server.clock.advance(Duration::from_secs(20));
        for present in [&anna, &ben] {
            assert_eq!(status(present).await, "online");
        }
        pass_a_look().await;
        let status = status(&lost).await;
        if status == "away" { Ok(()) } else { Err(status) }
    })
    .await;
    drop((socket, events));
    eventually(DEADLINE, "the streams' ends are noticed", async || {
        server.clock.advance(LEASE + GRACE);
        let both = (status(&anna).await, status(&ben).await);
        if both == ("away".to_owned(), "away".to_owned()) { Ok(()) } else { Err(format!("{both:?}")) }
    })
    .await;
    let (_socket, _) = Stream::join(server.base(), token(&anna.client), None).await;
    wait_for(&anna, "online").await;
}
