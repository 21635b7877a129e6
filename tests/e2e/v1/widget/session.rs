//! Chats that visitors begin.

use std::time::Duration;

use harness::desk::{NOBODY, assert_field};
use harness::{Server, TestDatabase, each_database};
use reqwest::Method;
use serde_json::json;

use crate::support::said;

each_database!(unknown_group_is_refused);
async fn unknown_group_is_refused(database: TestDatabase) {
    let server = Server::start(&database).await;
    let anna = server.person("agent", "away", 1).await;
    // An id that exists, but of something else, is no group either.
    for id in [NOBODY, &anna.id] {
        let reply = server.client().post("/v1/widget/session", &json!({ "initialMessage": "x", "groupId": id })).await;
        assert_field(&reply, "groupId", "the group does not exist");
    }
    assert_eq!(anna.client.get("/v1/conversations").await.expect(200).body["data"], json!([]));
}

each_database!(returning_visitor_gets_the_open_chat_and_loses_no_word);
async fn returning_visitor_gets_the_open_chat_and_loses_no_word(database: TestDatabase) {
    let server = Server::start(&database).await;
    let visitor = server.visitor("First").await;
    let token = visitor.client.token().unwrap();
    let again = json!({ "initialMessage": "Second", "sessionToken": token, "name": "Vera" });
    let session = server.client().post("/v1/widget/session", &again).await.expect(201).body;
    assert_eq!(session["conversationId"], json!(visitor.conversation_id));
    assert_eq!(session["visitorId"], json!(visitor.id));
    let events = visitor.client.get(&format!("/v1/threads/{}/events", visitor.thread_id)).await.body;
    assert_eq!(said(&events), ["First", "Second"]);
}

each_database!(strangers_who_give_one_address_are_two_visitors);
async fn strangers_who_give_one_address_are_two_visitors(database: TestDatabase) {
    let server = Server::start(&database).await;
    let mine = json!({ "initialMessage": "mine", "name": "Kim", "email": "kim@example.com", "phone": "+49 30 1" });
    let first = server.client().visitor(mine.clone()).await;
    let second = server.client().visitor(mine).await;
    assert_ne!((&first.id, &first.conversation_id), (&second.id, &second.conversation_id));
    for (one, other) in [(&first, &second), (&second, &first)] {
        one.client.get(&other.chat("")).await.expect(404);
    }
}

each_database!(racing_sessions_of_one_visitor_get_the_same_chat);
async fn racing_sessions_of_one_visitor_get_the_same_chat(database: TestDatabase) {
    let server = Server::start(&database).await;
    let visitor = server.visitor("First").await;
    let close = format!("/v1/conversations/{}/close", visitor.conversation_id);
    visitor.client.post(&close, &json!({ "reason": "done" })).await.expect(200);
    let token = visitor.client.token().unwrap();
    let racers = (0..16).map(|n| {
        let client = server.client();
        let body = json!({ "initialMessage": format!("racer {n}"), "sessionToken": token });
        async move { client.post("/v1/widget/session", &body).await.expect(201).body }
    });
    let sessions = futures::future::join_all(racers).await;
    let first = &sessions[0]["conversationId"];
    assert_ne!(first, &json!(visitor.conversation_id));
    assert!(sessions.iter().all(|session| &session["conversationId"] == first), "{sessions:?}");
    let thread = sessions[0]["threadId"].as_str().unwrap();
    let events = visitor.client.get(&format!("/v1/threads/{thread}/events")).await.expect(200).body;
    assert_eq!(said(&events).len(), 16);
}

each_database!(visitor_who_renews_their_token_keeps_the_chat);
async fn visitor_who_renews_their_token_keeps_the_chat(database: TestDatabase) {
    let server = Server::start(&database).await;
    let (day, path) = (Duration::from_secs(24 * 3600), "/v1/widget/session/renew");
    let first =
        server.client().post("/v1/widget/session", &json!({ "initialMessage": "Hello" })).await.expect(201).body;
    assert_eq!(first["expiresIn"], json!(30 * 24 * 3600));
    server.clock.advance(20 * day);
    let renewed = server.client().post(path, &json!({ "sessionToken": first["sessionToken"] })).await.expect(200).body;
    assert_eq!((&renewed["visitorId"], &renewed["expiresIn"]), (&first["visitorId"], &json!(30 * 24 * 3600)));
    server.clock.advance(11 * day);
    let refused = server.client().post(path, &json!({ "sessionToken": first["sessionToken"] })).await;
    assert_eq!((refused.status, &refused.body["code"]), (401, &json!("session_token_invalid")));
    assert_eq!(refused.body["errors"][0]["field"], "sessionToken");
    let again = json!({ "initialMessage": "I am back", "sessionToken": renewed["sessionToken"] });
    let session = server.client().post("/v1/widget/session", &again).await.expect(201).body;
    assert_eq!(session["conversationId"], first["conversationId"]);
}

each_database!(fields_of_a_form_that_stay_empty_do_not_keep_the_visitor_out);
async fn fields_of_a_form_that_stay_empty_do_not_keep_the_visitor_out(database: TestDatabase) {
    let server = Server::start(&database).await;
    let form = json!({
        "name": " ", "email": "", "phone": "\t", "sessionToken": "", "initialMessage": "Hello\u{b}there",
    });
    let visitor = server.client().visitor(form).await;
    assert_eq!(
        visitor.conversation().await["visitor"],
        json!({ "id": visitor.id, "name": null, "email": null, "phone": null })
    );
    let events = visitor.client.get(&format!("/v1/threads/{}/events", visitor.thread_id)).await.body;
    assert_eq!(said(&events), ["Hello\nthere"]);
    let spaced = json!({ "name": "  Vera ", "email": " vera@example.com\n", "initialMessage": "Hello" });
    let visitor = server.client().visitor(spaced).await;
    let person = json!({ "id": visitor.id, "name": "Vera", "email": "vera@example.com", "phone": null });
    assert_eq!(visitor.conversation().await["visitor"], person);
}

each_database!(metadata_that_cannot_be_kept_is_refused);
async fn metadata_that_cannot_be_kept_is_refused(database: TestDatabase) {
    let server = Server::start(&database).await;
    let client = server.client();
    let send = async |metadata: &str| {
        let body = format!(r#"{{"initialMessage":"Hello","metadata":{metadata}}}"#).into_bytes();
        client.send_bytes(Method::POST, "/v1/widget/session", Some("application/json"), body).await
    };
    for (metadata, message) in [
        (r#"{"orderId":123456789012345678901234}"#, "must have no number with more digits than can be kept"),
        (r#"{"a":{"b":[0.12345678901234567890]}}"#, "must have no number with more digits than can be kept"),
        (r#"{"a":1,"a":2}"#, "must have no key twice in an object"),
        ("[]", "must be an object"),
    ] {
        assert_field(&send(metadata).await, "metadata", message);
    }
    let kept = r#"{"orderId":"123456789012345678901234","n":18446744073709551615,"x":0.1,"big":1e300}"#;
    let begun = send(kept).await.expect(201);
    let visitor = client.with_token(begun.text("/sessionToken"));
    let events = visitor.get(&format!("/v1/threads/{}/events", begun.text("/threadId"))).await.expect(200).body;
    let expected: serde_json::Value = serde_json::from_str(kept).unwrap();
    assert!(events["data"].as_array().unwrap().iter().any(|event| event["metadata"] == expected), "{events}");
}
