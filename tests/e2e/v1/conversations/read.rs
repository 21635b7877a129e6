//! What is left to read of chats that have ended, and of what was deleted.

use harness::{Server, TestDatabase, each_database};
use serde_json::{Value, json};

each_database!(agents_read_why_a_chat_was_closed_and_visitors_never_see_the_notes);
async fn agents_read_why_a_chat_was_closed_and_visitors_never_see_the_notes(database: TestDatabase) {
    let server = Server::start(&database).await;
    let anna = server.person("agent", "away", 3).await;
    let vera = server.visitor("Hello").await;
    anna.client.post(&vera.chat("/assign"), &json!({ "agentId": anna.id })).await.expect(200);
    let ending = json!({ "reason": "answered", "notes": "wants a discount" });
    let closed = anna.client.post(&vera.chat("/close"), &ending).await.expect(200);
    assert!(!closed.body.to_string().contains("discount"));
    vera.client.post(&vera.chat("/reopen"), &json!({})).await.expect(200);
    vera.client.post(&vera.chat("/close"), &ending).await.expect(403);
    vera.client.post(&vera.chat("/close"), &json!({ "reason": "bored" })).await.expect(200);

    let told = anna.client.get(&vera.chat("/assignments")).await.expect(200).body["data"].clone();
    assert_eq!(told.as_array().unwrap().len(), 3, "{told}");
    let by_agent = json!({
        "kind": "closed", "closedBy": { "type": "agent", "id": anna.id }, "reason": "answered",
        "notes": "wants a discount",
    });
    assert_eq!(told[1]["assignment"], by_agent);
    let fields = (&told[1]["agentId"], &told[1]["previousAgentId"], &told[1]["threadId"], &told[1]["at"]);
    assert_eq!(fields, (&Value::Null, &json!(anna.id), &json!(vera.thread_id), &closed.body["closedAt"]));
    let by_visitor = json!({ "kind": "closed", "closedBy": { "type": "visitor", "id": vera.id }, "reason": "bored" });
    assert_eq!((&told[2]["assignment"], &told[2]["previousAgentId"]), (&by_visitor, &Value::Null));

    vera.client.get(&vera.chat("/assignments")).await.expect(403);
    let chat = vera.client.get(&vera.chat("")).await.expect(200).body;
    let threads = chat["threadIds"].as_array().unwrap().iter().map(|id| id.as_str().unwrap());
    for read in threads.map(|id| format!("/v1/threads/{id}/events")).chain([vera.chat("")]) {
        let body = vera.client.get(&read).await.expect(200).body.to_string();
        assert!(!body.contains("discount"), "{read}: {body}");
    }
}

each_database!(names_of_the_deleted_stay_where_chats_refer_to_them);
async fn names_of_the_deleted_stay_where_chats_refer_to_them(database: TestDatabase) {
    let server = Server::start(&database).await;
    let admin = server.admin().await.client;
    let vera = server.visitor("Hello").await;
    let waiting = vera.conversation().await;
    assert_eq!((&waiting["assignedAgent"], &waiting["lastAgent"]), (&Value::Null, &Value::Null));
    let anna = server.person("agent", "away", 1).await;
    let me = json!({ "agentId": anna.id });
    let served = anna.client.post(&vera.chat("/assign"), &me).await.expect(200).body;
    let name = admin.get(&format!("/v1/agents/{}", anna.id)).await.expect(200).body["name"].clone();
    assert_eq!(served["assignedAgent"], json!({ "id": anna.id, "name": name }));
    assert_eq!(vera.conversation().await["assignedAgent"]["name"], name, "for the visitor, who cannot look it up");
    let tag = json!({ "name": "VIP", "color": "#112233" });
    let tag = admin.post("/v1/tags", &tag).await.expect(201).body["id"].clone();
    anna.client.post(&vera.chat("/tags"), &json!({ "tagId": tag })).await.expect(200);
    let tagged = vera.client.get(&vera.chat("")).await.expect(200).body;
    assert!(!tagged.to_string().contains("VIP"), "what agents call a chat is not said to visitors: {tagged}");
    let events = format!("/v1/threads/{}/events", vera.thread_id);
    let sent = anna.client.post(&events, &json!({ "content": "Hello Vera" })).await.expect(201).body;
    assert_eq!(sent["authorName"], name);

    anna.client.post(&vera.chat("/close"), &json!({ "reason": "answered" })).await.expect(200);
    admin.delete(&format!("/v1/tags/{}", tag.as_str().unwrap())).await.expect(200);
    admin.delete(&format!("/v1/agents/{}", anna.id)).await.expect(200);
    let label = json!([{ "id": tag, "name": "VIP", "color": "#112233" }]);
    let listed = admin.get("/v1/conversations").await.expect(200).body["data"][0].clone();
    let read = admin.get(&vera.chat("")).await.expect(200).body;
    for chat in [&read, &listed] {
        assert_eq!((&chat["tagIds"], &chat["tags"]), (&json!([tag]), &label));
    }
    for chat in [read, listed, vera.conversation().await] {
        assert_eq!((&chat["assignedAgent"], &chat["lastAgentId"]), (&Value::Null, &json!(anna.id)));
        assert_eq!(chat["lastAgent"], json!({ "id": anna.id, "name": name }));
    }
    let told = vera.client.get(&events).await.expect(200).body;
    let names: Vec<_> = told["data"].as_array().unwrap().iter().map(|event| event["authorName"].clone()).collect();
    assert!(names.contains(&name) && names.contains(&Value::Null), "{names:?}");
    let told = admin.get(&vera.chat("/assignments")).await.expect(200).body;
    assert_eq!((&told["data"][0]["agentName"], &told["data"][1]["previousAgentName"]), (&name, &name));
}

each_database!(agents_see_and_find_a_visitor_as_they_introduce_themselves_in_the_open_chat);
async fn agents_see_and_find_a_visitor_as_they_introduce_themselves_in_the_open_chat(database: TestDatabase) {
    let server = Server::start(&database).await;
    let admin = server.admin().await.client;
    let vera = server.visitor("Hello").await;
    let back = json!({
        "name": "Vera Ångström", "email": "vera@example.com", "initialMessage": "It is me again",
        "sessionToken": vera.client.token(),
    });
    for _ in 0..2 {
        let again = server.client().post("/v1/widget/session", &back).await.expect(201);
        assert_eq!(again.text("/conversationId"), vera.conversation_id);
    }
    let chat = admin.get(&vera.chat("")).await.expect(200).body;
    let card = json!({ "id": vera.id, "name": "Vera Ångström", "email": "vera@example.com", "phone": null });
    assert_eq!(chat["visitor"], card);
    let found = admin.get("/v1/conversations?search=angstrom").await.expect(200).body;
    assert_eq!(found["data"][0]["visitor"], card, "{found}");
    let told = admin.get("/v1/audit?type=VisitorCardChanged").await.expect(200).body;
    assert_eq!(told["data"].as_array().unwrap().len(), 1, "the same card again changes nothing: {told}");

    let close = json!({ "reason": "bored" });
    vera.client.post(&vera.chat("/close"), &close).await.expect(200);
    let other = json!({ "name": "Vera Berg", "initialMessage": "Something else", "sessionToken": vera.client.token() });
    let other = server.client().post("/v1/widget/session", &other).await.expect(201);
    let other = other.text("/conversationId").to_owned();
    assert_ne!(other, vera.conversation_id);
    vera.client.post(&format!("/v1/conversations/{other}/close"), &close).await.expect(200);
    let reopened = vera.client.post(&vera.chat("/reopen"), &json!({})).await.expect(200).body;
    assert_eq!(reopened["visitor"]["name"], "Vera Berg", "also in a chat that is opened again");
    assert_eq!(admin.get(&vera.chat("")).await.expect(200).body["visitor"]["name"], "Vera Berg");
}

each_database!(admins_who_ask_for_what_was_deleted_see_which_it_is);
async fn admins_who_ask_for_what_was_deleted_see_which_it_is(database: TestDatabase) {
    let server = Server::start(&database).await;
    let admin = server.admin().await.client;
    let (kept, gone) = (server.person("agent", "away", 1).await, server.person("agent", "away", 1).await);
    let mut things = vec![("/v1/agents", kept.id, gone.id)];
    for list in ["/v1/groups", "/v1/tags"] {
        let [mut kept, mut gone] = [Value::Null, Value::Null];
        for (name, id) in [("Kept", &mut kept), ("Gone", &mut gone)] {
            *id = admin.post(list, &json!({ "name": name })).await.expect(201).body["id"].clone();
        }
        things.push((list, kept.as_str().unwrap().to_owned(), gone.as_str().unwrap().to_owned()));
    }
    for (list, kept, gone) in things {
        let deleted = admin.delete(&format!("{list}/{gone}")).await.expect(200);
        assert_eq!(deleted.body["deleted"], true, "{list}");
        let all = admin.get(&format!("{list}?includeDeleted=true&limit=100")).await.expect(200).body;
        let of = |id: &str| all["data"].as_array().unwrap().iter().find(|thing| thing["id"] == id).unwrap();
        assert_eq!((of(&gone).get("deleted"), of(&kept).get("deleted")), (Some(&json!(true)), None), "{list}");
        let single = admin.get(&format!("{list}/{gone}?includeDeleted=true")).await.expect(200).body;
        assert_eq!(&single, of(&gone), "{list}");
        let restored = admin.post(&format!("{list}/{gone}/restore"), &json!({})).await.expect(200).body;
        assert_eq!(restored.get("deleted"), None, "{list}");
    }
}
