//! GraphQL: its statuses and media types, what it refuses, and repeated and conditional changes.

use std::collections::BTreeSet;

use harness::{Client, Reply, Server, TestDatabase, each_database};
use reqwest::Method;
use serde_json::{Value, json};

const RESPONSE: &str = "application/graphql-response+json";

async fn ask(client: &Client, query: &str, variables: Value) -> Value {
    client.post("/graphql", &json!({ "query": query, "variables": variables })).await.expect(200).body.clone()
}

fn media_type(reply: &Reply) -> &str {
    reply.headers["content-type"].to_str().unwrap().split(';').next().unwrap()
}

fn code(body: &Value) -> &str {
    body["errors"][0]["extensions"]["code"].as_str().unwrap_or_default()
}

each_database!(statuses_and_media_types_are_those_of_the_specification);
async fn statuses_and_media_types_are_those_of_the_specification(database: TestDatabase) {
    let server = Server::start(&database).await;
    let client = server.admin().await.client;
    let documents = [
        ("{ me { id } }", 200, ""),
        ("{ me { id ", 400, "graphql_syntax"),
        ("{ me { idd } }", 400, "graphql_invalid"),
        ("query ($n: Int!) { agents(first: $n) { nodes { id } } }", 400, "graphql_invalid"),
        ("query A { me { id } } query B { me { id } }", 400, "graphql_invalid"),
        ("{ agent(id: \"00000000-0000-7000-8000-000000000001\") { id } }", 200, "not_found"),
        ("{ agents(first: 101) { nodes { id } } }", 200, "invalid_request"),
        ("mutation { logOut { done } } mutation B { logOut { done } }", 400, "graphql_syntax"),
    ];
    for (query, status, expected) in documents {
        for (accept, media, status) in [
            (RESPONSE, RESPONSE, status),
            ("application/graphql-response+json, application/json;q=0.9", RESPONSE, status),
            ("application/json", "application/json", 200),
            ("*/*", "application/json", 200),
        ] {
            let client = client.with_header("accept", accept);
            let reply = client.post("/graphql", &json!({ "query": query })).await;
            let context = format!("{query} as {accept}: {}", reply.body);
            assert_eq!((reply.status, media_type(&reply)), (status, media), "{context}");
            assert_eq!(code(&reply.body), expected, "{context}");
            // A request of which nothing was executed has no data.
            assert_eq!(
                reply.body.get("data").is_some(),
                !["graphql_syntax", "graphql_invalid"].contains(&expected),
                "{context}"
            );
        }
    }
    let not_taken =
        client.with_header("accept", "text/html").post("/graphql", &json!({ "query": "{ me { id } }" })).await;
    assert_eq!(not_taken.status, 406);
}

each_database!(bodies_that_pages_can_send_unasked_and_lists_of_requests_are_refused);
async fn bodies_that_pages_can_send_unasked_and_lists_of_requests_are_refused(database: TestDatabase) {
    let server = Server::start(&database).await;
    let client = server.admin().await.client;
    let body = json!({ "query": "{ me { id } }" }).to_string().into_bytes();
    for media_type in [None, Some("text/plain"), Some("application/x-www-form-urlencoded"), Some("multipart/form-data")]
    {
        let reply = client.send_bytes(Method::POST, "/graphql", media_type, body.clone()).await;
        assert_eq!(reply.status, 415, "{media_type:?}");
    }
    let two = json!([{ "query": "{ me { id } }" }, { "query": "{ me { id } }" }]);
    for (wrong, status) in [
        (two, 400),
        (json!({}), 400),
        (json!({ "query": 1 }), 400),
        (json!({ "query": "{ me { id } }", "variables": "x" }), 400),
        (json!({ "query": "{ me { id } }", "variables": null, "operationName": null, "extensions": null }), 200),
    ] {
        assert_eq!(client.post("/graphql", &wrong).await.status, status, "{wrong}");
    }
    let large = json!({ "query": format!("{{ me {{ id }} }} #{}", "x".repeat(200_000)) });
    assert_eq!(client.post("/graphql", &large).await.status, 413);
    for method in [Method::PUT, Method::DELETE, Method::PATCH] {
        assert_eq!(client.request(method, "/graphql", Some(&json!({ "query": "{ me { id } }" }))).await.status, 405);
    }
}

each_database!(address_is_for_queries_only);
async fn address_is_for_queries_only(database: TestDatabase) {
    let server = Server::start(&database).await;
    let client = server.admin().await.client;
    let read = client.get("/graphql?query=query%20(%24n%3AInt)%7Btags(first%3A%24n)%7Bnodes%7Bid%7D%7D%7D&variables=%7B%22n%22%3A5%7D").await;
    assert_eq!(read.expect(200).body["data"]["tags"]["nodes"], json!([]));
    let change =
        client.get("/graphql?query=mutation%7BcreateTag(input%3A%7Bname%3A%22x%22%7D)%7Btag%7Bid%7D%7D%7D").await;
    assert_eq!((change.status, change.headers["allow"].to_str().unwrap()), (405, "POST"));
    let tags = ask(&client, "{ tags { nodes { id } } }", json!({})).await;
    assert_eq!(tags["data"]["tags"]["nodes"], json!([]));
    assert_eq!(client.get("/graphql?variables=%7B%7D&query=%7Bme%7Bid%7D%7D&x=1").await.status, 200);
    assert_eq!(client.get("/graphql?query=%7Bme%7Bid%7D%7D&variables=x").await.status, 400);
}

each_database!(changes_are_repeatable_and_conditional_and_keys_are_shared_by_the_doors);
async fn changes_are_repeatable_and_conditional_and_keys_are_shared_by_the_doors(database: TestDatabase) {
    let server = Server::start(&database).await;
    let admin = server.admin().await.client;
    let create = "mutation ($name: String!) { createTag(input: { name: $name }, idempotencyKey: \"one\") { tag { id version } position repeated } }";
    let first = ask(&admin, create, json!({ "name": "urgent" })).await["data"]["createTag"].clone();
    assert_eq!(first["repeated"], false);
    assert!(first["position"].as_str().unwrap().parse::<i64>().unwrap() > 0);
    let again = ask(&admin, create, json!({ "name": "urgent" })).await["data"]["createTag"].clone();
    assert_eq!(
        (&again["tag"]["id"], &again["position"], &again["repeated"]),
        (&first["tag"]["id"], &first["position"], &json!(true))
    );
    assert_eq!(code(&ask(&admin, create, json!({ "name": "other" })).await), "idempotency_key_reused");
    let through_rest = admin.with_header("idempotency-key", "one").post("/v1/tags", &json!({ "name": "urgent" })).await;
    assert_eq!(through_rest.status, 422);

    let change = "mutation ($id: ID!, $known: Int) { changeTag(input: { id: $id, color: \"#00ff00\" }, ifMatch: $known) { tag { color version } } }";
    let stale = ask(&admin, change, json!({ "id": first["tag"]["id"], "known": 77 })).await;
    assert_eq!(
        (code(&stale), &stale["errors"][0]["extensions"]["currentVersion"]),
        ("version_moved", &first["tag"]["version"])
    );
    let fresh = ask(&admin, change, json!({ "id": first["tag"]["id"], "known": first["tag"]["version"] })).await;
    assert_eq!(fresh["data"]["changeTag"]["tag"]["color"], "#00ff00");
    let emptied = "mutation ($id: ID!) { changeTag(input: { id: $id, color: null }) { tag { color name } } }";
    let emptied = ask(&admin, emptied, json!({ "id": first["tag"]["id"] })).await["data"]["changeTag"]["tag"].clone();
    assert_eq!(emptied, json!({ "color": null, "name": "urgent" }));
    let invalid =
        ask(&admin, "mutation { createTag(input: { name: \" \", color: \"green\" }) { tag { id } } }", json!({})).await;
    let fields: Vec<_> = invalid["errors"][0]["extensions"]["fields"]
        .as_array()
        .unwrap()
        .iter()
        .map(|field| field["field"].clone())
        .collect();
    assert_eq!((code(&invalid), fields), ("invalid_request", vec![json!("name"), json!("color")]));
}

each_database!(failed_field_is_null_and_leaves_the_others);
async fn failed_field_is_null_and_leaves_the_others(database: TestDatabase) {
    let server = Server::start(&database).await;
    let agent = server.person("agent", "offline", 1).await.client;
    let nobody = "\"00000000-0000-7000-8000-000000000001\"";
    let query = format!(
        "{{ me {{ id }} agent(id: {nobody}) {{ id }} agentStats(id: {nobody}) {{ asOf }} group(id: {nobody}) {{ id }} \
         tag(id: {nobody}) {{ id }} conversation(id: {nobody}) {{ id }} }}"
    );
    let answer = ask(&agent, &query, json!({})).await;
    let data = answer["data"].as_object().unwrap();
    assert!(data["me"]["id"].is_string());
    for field in ["agent", "agentStats", "group", "tag", "conversation"] {
        assert_eq!(data.get(field), Some(&Value::Null), "{field} is there and null");
    }
    assert_eq!(answer["errors"].as_array().unwrap().len(), 5);
    let paths: BTreeSet<_> =
        answer["errors"].as_array().unwrap().iter().map(|error| error["path"].to_string()).collect();
    assert!(paths.contains("[\"agent\"]") && paths.len() == 5, "{paths:?}");
}

each_database!(pages_are_those_of_rest);
async fn pages_are_those_of_rest(database: TestDatabase) {
    let server = Server::start(&database).await;
    let admin = server.admin().await.client;
    for number in 0..5 {
        admin.post("/v1/tags", &json!({ "name": format!("tag {number}") })).await.expect(201);
    }
    let query = "query ($after: String) { tags(first: 2, after: $after) { edges { cursor node { id } } pageInfo { hasNextPage endCursor } } }";
    let (mut found, mut after) = (vec![], Value::Null);
    loop {
        let page = ask(&admin, query, json!({ "after": after })).await["data"]["tags"].clone();
        let edges = page["edges"].as_array().unwrap();
        found.extend(edges.iter().map(|edge| edge["node"]["id"].clone()));
        assert_eq!(edges.last().unwrap()["cursor"], page["pageInfo"]["endCursor"]);
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
        let rest = admin
            .get(&format!(
                "/v1/tags?limit=2{}",
                after.as_str().map(|after| format!("&cursor={after}")).unwrap_or_default()
            ))
            .await;
        assert_eq!(rest.expect(200).body["nextCursor"], page["pageInfo"]["endCursor"]);
        after = page["pageInfo"]["endCursor"].clone();
    }
    let listed = admin.get("/v1/tags").await.expect(200).body.clone();
    let expected: Vec<_> = listed["data"].as_array().unwrap().iter().map(|tag| tag["id"].clone()).collect();
    assert_eq!(found, expected);
    let foreign = ask(&admin, "{ agents(after: \"x\") { nodes { id } } }", json!({})).await;
    assert_eq!(foreign["errors"][0]["extensions"]["fields"][0]["field"], "after");
}

each_database!(fields_count_as_the_actions_that_they_stand_for);
async fn fields_count_as_the_actions_that_they_stand_for(database: TestDatabase) {
    let server = Server::start_with_limits(&database).await;
    let visitor = server.visitor("Hello").await;
    let send = |times: usize| -> String {
        let to = &visitor.conversation_id;
        let fields = (0..times).map(|n| {
            format!(
                "m{n}: sendMessage(input: {{ to: {{ conversationId: \"{to}\" }}, content: \"{n}\" }}) {{ position }} "
            )
        });
        format!("mutation {{ {} }}", fields.collect::<String>())
    };
    // 60 a minute, as through REST: aliases are no way around the limit.
    let answer = ask(&visitor.client, &send(70), json!({})).await;
    let errors = answer["errors"].as_array().unwrap();
    assert!(
        errors
            .iter()
            .all(|error| error["extensions"]["code"] == "rate_limited" && error["extensions"]["retryAfter"].is_u64())
    );
    assert!((9..=11).contains(&errors.len()), "{} refusals", errors.len());
    // What was done before is shown.
    assert!(answer["data"]["m0"]["position"].is_string() && answer["data"]["m69"].is_null());
    let through_rest = visitor
        .client
        .post(&format!("/v1/conversations/{}/events", visitor.conversation_id), &json!({ "content": "x" }))
        .await;
    assert_eq!(through_rest.status, 429);
    let events = visitor
        .client
        .get(&format!("/v1/threads/{}/events?limit=100", visitor.thread_id))
        .await
        .expect(200)
        .body
        .clone();
    let messages = events["data"].as_array().unwrap().iter().filter(|event| event["type"] == "message").count();
    assert!((59..=61).contains(&messages), "{messages} messages");
}

/// The introspection that GraphiQL and others send (graphql-js 16 and 17, with all options).
const INTROSPECTION: &str = "query IntrospectionQuery {
  __schema {
    description
    queryType { name kind } mutationType { name kind } subscriptionType { name kind }
    types { ...FullType }
    directives { name description isRepeatable locations args(includeDeprecated: true) { ...InputValue } }
  }
}
fragment FullType on __Type {
  kind name description specifiedByURL isOneOf
  fields(includeDeprecated: true) {
    name description args(includeDeprecated: true) { ...InputValue } type { ...TypeRef } isDeprecated deprecationReason
  }
  inputFields(includeDeprecated: true) { ...InputValue }
  interfaces { ...TypeRef }
  enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason }
  possibleTypes { ...TypeRef }
}
fragment InputValue on __InputValue {
  name description type { ...TypeRef } defaultValue isDeprecated deprecationReason
}
fragment TypeRef on __Type {
  kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType {
    kind name ofType { kind name ofType { kind name ofType { kind name } } } } } } } } }
}";

each_database!(standard_introspection_is_answered_to_everybody);
async fn standard_introspection_is_answered_to_everybody(database: TestDatabase) {
    let server = Server::start(&database).await;
    let answer = ask(&server.client(), INTROSPECTION, json!({})).await;
    assert_eq!(answer.get("errors"), None);
    let schema = &answer["data"]["__schema"];
    assert_eq!((&schema["queryType"]["name"], &schema["mutationType"]["name"]), (&json!("Query"), &json!("Mutation")));
    assert!(schema["types"].as_array().unwrap().len() > 60);
}

each_database!(costly_documents_are_refused_before_anything_is_done);
async fn costly_documents_are_refused_before_anything_is_done(database: TestDatabase) {
    let server = Server::start(&database).await;
    let admin = server.admin().await.client;
    let aliases: String = (0..3_000).map(|n| format!("a{n}:me{{id}} ")).collect();
    let doubling: String =
        (0..40).map(|n| format!("fragment f{n} on Query {{ ...f{m} ...f{m} }} ", m = n + 1)).collect();
    let bomb = "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }";
    for document in [
        format!("{{ {aliases} }}"),
        format!("{{ ...f0 }} {doubling} fragment f40 on Query {{ me {{ id }} }}"),
        "{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }".to_owned(),
        format!("{}{}", "{ me ".repeat(14), "}".repeat(14)),
        bomb.to_owned(),
        "mutation { ".to_owned() + &(0..2_001).map(|n| format!("t{n}:logOut{{done}} ")).collect::<String>() + "}",
        format!("{{ tags(first: {}1{}) {{ nodes {{ id }} }} }}", "[".repeat(65), "]".repeat(65)),
        format!(
            "{{ agents(first: 100) {{ nodes {{ {} }} }} }}",
            (0..1_500).map(|n| format!("a{n}:id ")).collect::<String>()
        ),
    ] {
        let reply = admin.with_header("accept", RESPONSE).post("/graphql", &json!({ "query": document })).await;
        assert_eq!((reply.status, code(&reply.body)), (400, "graphql_too_costly"), "{document:.80}");
    }
    let weighed = ask(&admin, "{ agents(first: 7) { nodes { id name } } me { id } }", json!({})).await;
    assert_eq!(weighed["extensions"]["cost"], json!({ "objects": 8, "fields": 6 }));
    let after = weighed["extensions"]["after"].as_str().unwrap();
    let (epoch, position) = after.rsplit_once(':').unwrap();
    assert_eq!((epoch.len(), position.parse::<i64>().unwrap() > 0), (36, true), "{after}");
}

each_database!(variable_that_is_left_out_leaves_its_field_as_it_is);
async fn variable_that_is_left_out_leaves_its_field_as_it_is(database: TestDatabase) {
    let server = Server::start(&database).await;
    let admin = server.admin().await.client;
    let tag = admin.post("/v1/tags", &json!({ "name": "urgent", "color": "#ff0000" })).await.expect(201).body;
    let change = "mutation($id: ID!, $name: String, $color: String) {
        changeTag(input: { id: $id, name: $name, color: $color }) { tag { name color } } }";
    let answer = ask(&admin, change, json!({ "id": tag["id"], "name": "late" })).await;
    assert_eq!(answer["data"]["changeTag"]["tag"], json!({ "name": "late", "color": "#ff0000" }), "{answer}");
    let answer = ask(&admin, change, json!({ "id": tag["id"], "color": null })).await;
    assert_eq!(answer["data"]["changeTag"]["tag"], json!({ "name": "late", "color": null }), "{answer}");
}

each_database!(conversations_of_a_page_show_their_own_last_messages);
async fn conversations_of_a_page_show_their_own_last_messages(database: TestDatabase) {
    let server = Server::start(&database).await;
    let admin = server.admin().await.client;
    let tag = admin.post("/v1/tags", &json!({ "name": "urgent" })).await.expect(201).text("/id").to_owned();
    for number in 0..8 {
        let visitor = server.visitor(&format!("Hello {number}")).await;
        let chat = format!("/v1/conversations/{}", visitor.conversation_id);
        for word in 0..3 {
            let message = json!({ "content": format!("{number}.{word}") });
            visitor.client.post(&format!("{chat}/events"), &message).await.expect(201);
        }
        admin.post(&format!("{chat}/tags"), &json!({ "tagId": tag })).await.expect(200);
    }
    let page = "{ conversations(first: 100) { nodes { tags { name } events(last: 20) { content authorType } } } }";
    let answer = ask(&admin, page, json!({})).await;
    let nodes = answer["data"]["conversations"]["nodes"].as_array().unwrap();
    assert_eq!(nodes.len(), 8, "{:?}", answer["errors"]);
    for node in nodes {
        let events = node["events"].as_array().unwrap();
        let messages: Vec<_> = events.iter().filter(|event| event["authorType"] == "VISITOR").collect();
        assert_eq!((messages.len(), &node["tags"][0]["name"]), (4, &json!("urgent")), "{node}");
        let number = messages[0]["content"].as_str().unwrap().strip_prefix("Hello ").unwrap();
        assert_eq!(messages[3]["content"], format!("{number}.2"));
    }
    // The end of each thread, and only what is asked for.
    let last = ask(&admin, "{ conversations(first: 1) { nodes { events(last: 1) { content } } } }", json!({})).await;
    assert_eq!(last["data"]["conversations"]["nodes"][0]["events"].as_array().unwrap().len(), 1);
}
