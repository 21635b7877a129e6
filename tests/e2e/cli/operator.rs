//! What an operator does with the program's commands.

use std::process::Output;

use harness::{
    ADMIN_EMAIL, DEADLINE, DatabaseKind, PASSWORD, Process, Server, TestDatabase, each_database, eventually, run_on,
};
use infrastructure::database::{Database, DatabaseOptions};
use serde_json::{Value, json};

fn run(database: &TestDatabase, words: &[&str], password: Option<&str>) -> Output {
    let settings: Vec<_> = password.map(|password| ("ADMIN_PASSWORD", password)).into_iter().collect();
    run_on(database, words, &settings)
}

fn printed(output: &Output) -> &str {
    assert!(output.status.success(), "{output:?}");
    str::from_utf8(&output.stdout).unwrap().trim_end()
}

async fn log_in(server: &Server, email: &str, password: &str) -> u16 {
    server.client().post("/v1/auth/login", &json!({ "email": email, "password": password })).await.status
}

each_database!(who_is_locked_out_gets_in_again);
async fn who_is_locked_out_gets_in_again(database: TestDatabase) {
    let server = Server::start(&database).await;
    let login = json!({ "email": ADMIN_EMAIL, "password": PASSWORD });
    let session = server.client().post("/v1/auth/login", &login).await.expect(200);
    let reset = ["admin", "reset-password", "--email", ADMIN_EMAIL];
    let server = if database.kind() == DatabaseKind::Sqlite {
        let refused = run(&database, &reset, None);
        assert_eq!(refused.status.code(), Some(1), "a server uses the file");
        server.stop().await;
        None
    } else {
        Some(server)
    };
    let output = run(&database, &reset, None);
    let password = printed(&output).rsplit(' ').next().unwrap().to_owned();
    let server = match server {
        Some(server) => server,
        None => Server::start(&database).await,
    };
    assert_eq!(log_in(&server, ADMIN_EMAIL, PASSWORD).await, 401);
    assert_eq!(log_in(&server, ADMIN_EMAIL, &password).await, 200);
    let old = server.client().with_token(session.text("/access_token"));
    assert_eq!(old.get("/v1/auth/me").await.status, 401, "old sessions have ended");
    server.stop().await;

    let create = ["admin", "create", "--email", "second@example.com", "--name", "Second"];
    assert_eq!(
        printed(&run(&database, &create, Some("chosen by hand"))),
        "second@example.com: the password is the one of ADMIN_PASSWORD"
    );
    assert_eq!(run(&database, &create, Some("chosen by hand")).status.code(), Some(1), "the address is taken");
    let server = Server::start(&database).await;
    let login = json!({ "email": "second@example.com", "password": "chosen by hand" });
    let reply = server.client().post("/v1/auth/login", &login).await.expect(200);
    assert_eq!(reply.body["agent"]["role"], "admin");
    let audit = server
        .client()
        .with_token(reply.text("/access_token"))
        .get("/v1/audit?actor=system:operator")
        .await
        .expect(200);
    let types: Vec<_> = audit.body["data"].as_array().unwrap().iter().map(|event| event["type"].clone()).collect();
    assert!(types.contains(&json!("AgentRegistered")) && types.contains(&json!("PasswordChanged")), "{types:?}");
}

each_database!(demonstration_fills_an_empty_store_once);
async fn demonstration_fills_an_empty_store_once(database: TestDatabase) {
    let output = run(&database, &["demo"], Some("for everybody"));
    let told = printed(&output);
    assert!(told.starts_with("created 200 conversations with "), "{told}");
    assert_eq!(told.matches("@demo.example").count(), 10);
    assert!(told.contains("http://127.0.0.1:3000/console/") && told.contains("http://127.0.0.1:3000/demo/"), "{told}");
    let again = run(&database, &["demo"], Some("for everybody"));
    assert_eq!(again.status.code(), Some(1), "{again:?}");
    let server = Server::start(&database).await;
    let login = json!({ "email": "anna@demo.example", "password": "for everybody" });
    let reply = server.client().post("/v1/auth/login", &login).await.expect(200);
    let anna = server.client().with_token(reply.text("/access_token"));
    let counts = anna.get("/v1/conversations/counts").await.expect(200).body;
    let of = |status: &str| counts[status].as_u64().unwrap();
    assert_eq!(of("pending") + of("active") + of("closed"), 200, "{counts}");
    assert!(of("closed") >= 150 && of("active") >= 1, "{counts}");
    assert_eq!(anna.get("/v1/groups").await.expect(200).body["data"].as_array().unwrap().len(), 4);
    let verified = run(&database, &["audit", "verify"], None);
    assert!(verified.status.success(), "{verified:?}");
}

each_database!(tour_of_the_readme_works_on_the_demonstration);
async fn tour_of_the_readme_works_on_the_demonstration(database: TestDatabase) {
    let output = run(&database, &["demo"], None);
    let told = printed(&output);
    let line = told.lines().find_map(|line| line.strip_prefix("log in with the password "));
    let password = line.and_then(|line| line.strip_suffix(" as")).unwrap();
    let email = told.lines().find_map(|line| line.strip_suffix(" admin")).unwrap().trim();
    let process = Process::on(&database).argument("serve").start().await;
    let login = json!({ "email": email, "password": password });
    let me = process.client().post("/v1/auth/login", &login).await.expect(200);
    let (admin, id) = (process.client().with_token(me.text("/access_token")), me.text("/agent/id"));
    admin.put(&format!("/v1/agents/{id}/status"), &json!({ "status": "online" })).await.expect(200);
    let start = json!({ "name": "Vera", "initialMessage": "Hello, is anybody there?" });
    let chat = process.client().post("/v1/widget/session", &start).await.expect(201);
    let vera = process.client().with_token(chat.text("/sessionToken"));
    let assignments = format!("/v1/conversations/{}/assignments", chat.text("/conversationId"));
    let decided = eventually(DEADLINE, "the router has decided", async || {
        let told = admin.get(&assignments).await.expect(200).body;
        if told["data"][0].is_object() { Ok(told) } else { Err(told) }
    })
    .await;
    assert_eq!(decided["data"][0]["agentId"], json!(id), "{decided:#}");
    let thread = format!("/v1/threads/{}/events", chat.text("/threadId"));
    admin.post(&thread, &json!({ "content": "Hello Vera, I am here." })).await.expect(201);
    let read = vera.get(&thread).await.expect(200).body;
    let texts: Vec<_> = read["data"].as_array().unwrap().iter().filter(|event| event["type"] == "message").collect();
    assert_eq!(texts.len(), 2, "{read:#}");
    assert_eq!(texts[1]["content"], "Hello Vera, I am here.");
}

each_database!(scripts_read_what_was_done_as_json);
async fn scripts_read_what_was_done_as_json(database: TestDatabase) {
    let told = |words: &[&str], password| -> Value {
        serde_json::from_str(printed(&run(&database, words, password))).unwrap()
    };
    let demo = told(&["demo", "--json"], Some("for everybody"));
    assert_eq!(demo["agents"].as_array().unwrap().len(), 10, "{demo}");
    assert_eq!(demo["agents"][0], json!({ "email": "anna@demo.example", "name": "Anna Berg", "role": "supervisor" }));
    assert_eq!((&demo["admin"], &demo["password"]), (&json!("admin@localhost"), &json!("for everybody")));
    let chats = &demo["conversations"];
    assert_eq!(chats["closed"].as_u64().unwrap() + chats["open"].as_u64().unwrap(), 200, "{demo}");

    let schema = told(&["migrate", "--check", "--json"], None);
    assert_eq!(schema, json!({ "upToDate": true, "missing": [] }));
    assert_eq!(told(&["migrate", "--json"], None), schema);
    let store = Database::connect(database.url(), DatabaseOptions::default()).await.unwrap();
    let newest = Database::known_schema();
    // As a migration leaves it that broke off.
    let undo = format!("UPDATE schema_migrations SET version = -{newest} WHERE version = {newest}");
    store.execute(&undo, vec![]).await.unwrap();
    let output = run(&database, &["migrate", "--check", "--json"], None);
    let outdated: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), &outdated["upToDate"]), (Some(1), &json!(false)), "{outdated}");
    assert_eq!(outdated["missing"].as_array().unwrap().len(), 1, "{outdated}");
    store.close().await;
    told(&["migrate", "--json"], None);

    let create = ["admin", "create", "--json", "--email", "second@example.com"];
    assert_eq!(told(&create, Some("chosen by hand")), json!({ "email": "second@example.com", "password": null }));
    let reset = told(&["admin", "reset-password", "--json", "--email", "second@example.com"], None);
    let server = Server::start(&database).await;
    assert_eq!(log_in(&server, "second@example.com", reset["password"].as_str().unwrap()).await, 200);
    server.stop().await;
}

each_database!(mistakes_are_told_and_change_nothing);
async fn mistakes_are_told_and_change_nothing(database: TestDatabase) {
    let create = ["admin", "create", "--email", "second@example.com"];
    assert_eq!(run(&database, &create, None).status.code(), Some(1), "nothing is set up");
    Server::start(&database).await.stop().await;
    for (words, password, code) in [
        (["admin", "create", "--email", "no address"], None, 1),
        (["admin", "create", "--email", "second@example.com"], Some("short"), 2),
        (["admin", "reset-password", "--email", "nobody@example.com"], None, 1),
    ] {
        let output = run(&database, &words, password);
        assert_eq!(output.status.code(), Some(code), "{output:?}");
        assert!(String::from_utf8_lossy(&output.stderr).starts_with("error: "), "{output:?}");
    }
}
